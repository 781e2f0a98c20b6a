#!/bin/sh
# Sees to the tools of the build: as root, or with sudo that asks for no password, installs what is missing; otherwise
# prints the line to run and exits 2. Debian 12, Ubuntu 22.04 and later.
# Usage: prerequisites.sh [build|test]   build (default): what the build and the samples need
#                                        test: also what build-native/test.sh uses
set -eu
what=${1:-build}
case $what in build | test) ;; *)
  echo "usage: prerequisites.sh [build|test]" >&2
  exit 64
  ;;
esac

missing=
need() { # need <package> <command that succeeds when it is there…>
  package=$1
  shift
  "$@" > /dev/null 2>&1 || missing="$missing $package"
}

# A JDK of version 17 or later that compiles: what JAVA_HOME names, or else what the path has.
jdk_17() {
  javac=javac
  [ -z "${JAVA_HOME:-}" ] || javac=$JAVA_HOME/bin/javac
  version=$("$javac" -version 2>&1) || return 1
  version=${version#javac }
  [ "${version%%[!0-9]*}" -ge 17 ]
}
header() {
  [ -e "/usr/include/$1" ] || [ -e "/usr/local/include/$1" ]
}
gtest() {
  header gtest/gtest.h && [ -n "$(find /usr/lib /usr/local/lib -name 'libgtest.*' 2> /dev/null | head -n 1)" ]
}

# clang with libFuzzer, which some releases have in a package of its own.
fuzzer() {
  compiler=$(command -v clang++-14 || command -v clang++) || return 1
  [ -e "$("$compiler" -print-file-name=libclang_rt.fuzzer-x86_64.a)" ] ||
    [ -e "$("$compiler" -print-file-name=libclang_rt.fuzzer.a)" ]
}

need openjdk-17-jdk-headless jdk_17
need maven command -v mvn
need g++ command -v g++
need cmake command -v cmake
need ninja-build command -v ninja
need nlohmann-json3-dev header nlohmann/json.hpp
if [ "$what" = test ]; then
  need libgtest-dev gtest
  need binutils command -v objdump
  need clang-format command -v clang-format
  need clang fuzzer
  need unzip command -v unzip
fi
[ -n "$missing" ] || exit 0

missing=${missing# }
install="apt-get update && apt-get install -y --no-install-recommends $missing"
case " $missing " in *" clang "*)
  install="$install && { ! apt-cache show libclang-rt-dev > /dev/null 2>&1 || apt-get install -y libclang-rt-dev; }"
  ;;
esac
if ! command -v apt-get > /dev/null; then
  echo "Missing (as Debian names them): $missing" >&2
  exit 2
fi
if [ "$(id -u)" = 0 ]; then
  sudo=
elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
  sudo="sudo -n"
else
  echo "Missing: $missing. Please run:" >&2
  echo "  sudo sh -c '$install'" >&2
  exit 2
fi
echo "Installing $missing"
log=$(mktemp)
if ! $sudo env DEBIAN_FRONTEND=noninteractive sh -c "$install" > "$log" 2>&1; then
  tail -n 20 "$log" >&2
  rm -f "$log"
  exit 2
fi
rm -f "$log"
