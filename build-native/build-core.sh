#!/bin/sh
# Builds the native core (Release) and installs its archive and headers: the build command of longer-native.
# Usage: build-core.sh <source folder> <build folder> <install folder> [cmake option…]
# LONGER_JOBS sets the number of parallel compilers (default: the processors).
set -eu
source_dir=$1 build_dir=$2 install_dir=$3
shift 3
mkdir -p "$build_dir"
for tool in cmake ninja g++; do
  command -v "$tool" > /dev/null || {
    echo "build-core.sh: $tool is missing; run build-native/prerequisites.sh" >&2
    exit 2
  }
done
cmake -G Ninja -S "$source_dir" -B "$build_dir" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_INSTALL_PREFIX="$install_dir" "$@" > "$build_dir.configure.log" 2>&1 || {
  cat "$build_dir.configure.log" >&2
  exit 1
}
cmake --build "$build_dir" --parallel "${LONGER_JOBS:-$(nproc)}" --target longer_core
cmake --install "$build_dir" > "$build_dir.install.log"
