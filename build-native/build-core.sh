#!/bin/sh
# Builds an archive of the native core (Release) and installs it with its headers: the build command of longer-native.
# Usage: build-core.sh <archive> <source folder> <build folder> <install folder> [cmake option…]
#   archive  longer_core, or longer_core_cuda with -DLONGER_CUDA=ON; both share one build folder and its host objects
# LONGER_JOBS sets the number of parallel compilers (default: the processors).
set -eu
archive=$1 source_dir=$2 build_dir=$3 install_dir=$4
shift 4
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
cmake --build "$build_dir" --parallel "${LONGER_JOBS:-$(nproc)}" --target "$archive"
cmake --install "$build_dir" --component "$archive" > "$build_dir.install.log"
