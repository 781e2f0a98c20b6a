#!/bin/sh
# Builds a native benchmark (Release), longer_bench unless another is named, and prints its path. LONGER_BENCH names a
# longer_bench that exists already.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-longer_bench}
bench=${LONGER_BENCH:-}
if [ "$target" != longer_bench ] || [ -z "$bench" ]; then
  build=$here/target/native
  mkdir -p "$build"
  cmake -G Ninja -S "$here/../native" -B "$build" -DCMAKE_BUILD_TYPE=Release \
    -DLONGER_TESTS=OFF -DLONGER_BENCHMARKS=ON > "$build.log" 2>&1 &&
    cmake --build "$build" --parallel "${LONGER_JOBS:-$(nproc)}" --target "$target" >> "$build.log" 2>&1 || {
    cat "$build.log" >&2
    exit 1
  }
  bench=$build/benchmarks/$target
fi
echo "$bench"
