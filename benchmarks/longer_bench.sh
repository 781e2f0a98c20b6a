#!/bin/sh
# Builds the native benchmarks (Release) and prints the path of longer_bench. LONGER_BENCH names one that exists already.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${LONGER_BENCH:-}" ]; then
  build=$here/target/native
  mkdir -p "$build"
  cmake -G Ninja -S "$here/../native" -B "$build" -DCMAKE_BUILD_TYPE=Release \
    -DLONGER_TESTS=OFF -DLONGER_BENCHMARKS=ON > "$build.log" 2>&1 &&
    cmake --build "$build" --parallel "${LONGER_JOBS:-$(nproc)}" --target longer_bench >> "$build.log" 2>&1 || {
    cat "$build.log" >&2
    exit 1
  }
  LONGER_BENCH=$build/benchmarks/longer_bench
fi
echo "$LONGER_BENCH"
