#!/bin/sh
# Each public header compiles alone, without CUDA and without src/; the C ABI as strict C11 and as C++17.
# Usage: headers.sh <native folder>
set -eu
include=$1/include
warnings="-Wall -Wextra -Wpedantic -Werror -fsyntax-only -I$include"
for header in "$include"/longer/*.hpp; do
  # Through an include line: a header as the main file would warn about its #pragma once.
  echo "#include \"longer/$(basename "$header")\"" | g++ -std=c++17 $warnings -x c++ -
done
echo '#include "longer/c/longer.h"' | gcc -std=c11 -pedantic-errors $warnings -x c -
echo '#include "longer/c/longer.h"' | g++ -std=c++17 $warnings -x c++ -
echo "public headers: $(ls "$include"/longer/*.hpp | wc -l) and the C ABI compile alone"
