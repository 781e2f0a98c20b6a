#!/bin/sh
# The compiler that JavaCPP calls: puts the C++ that it generated into order, so that builds repeat, and compiles it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
generated=
for argument in "$@"; do
  case $argument in *.cpp) generated="$generated $argument" ;; esac
done
# shellcheck disable=SC2086 # JavaCPP's own file names
"${JAVA_HOME:+$JAVA_HOME/bin/}java" "$here/SortJni.java" $generated
exec g++ "$@"
