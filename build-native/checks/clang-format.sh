#!/bin/sh
# C, C++ and CUDA sources are formatted as .clang-format says. Exits 77 (skipped) with another clang-format than 14,
# which would format differently. Usage: clang-format.sh <root>
set -eu
cd "$1"
formatter=$(command -v clang-format-14 || command -v clang-format || true)
case $("${formatter:-true}" --version 2> /dev/null) in
  *"version 14."*) ;;
  *)
    echo "clang-format 14 is not here"
    exit 77
    ;;
esac
build-native/checks/files.sh . | grep -E '\.(cc|c|cu|cuh|h|hpp)$' | xargs "$formatter" --dry-run -Werror
