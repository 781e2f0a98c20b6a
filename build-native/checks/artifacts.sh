#!/bin/sh
# What a native library of ours must be: exports the JNI functions and the whole C ABI and nothing else, needs no more
# than GLIBC_2.34 and the C++ library of g++ 11 (Ubuntu 22.04, RHEL 9, Debian 12), no other library, no executable
# stack, no path of the build; and its jar stays small.
# Usage: artifacts.sh <root> <classifier> <most bytes of the jar>
set -eu
root=$(cd "$1" && pwd)
classifier=$2
limit=$3
target=$root/build-native/target
library=$target/$classifier/jar/ai/longer/internal/capi/$classifier/libjnilonger.so
header=$root/native/include/longer/c/longer.h
[ -f "$library" ] || {
  echo "$library is not there"
  exit 1
}
failed=0
fail() {
  echo "$1"
  failed=1
}

exported=$(nm -D --defined-only "$library" | awk '{print $3}' | sed 's/@.*//')
strange=$(echo "$exported" | grep -vE '^(Java_ai_longer_|Java_org_bytedeco_javacpp_|JNI_On(Load|Unload)|longer_)' || true)
[ -z "$strange" ] || fail "exports beside JNI and the C ABI: $strange"
for function in $(tr '\n' ' ' < "$header" | grep -oE 'LONGER_API [^(;]*\(' | grep -oE 'longer_[a-z0-9_]+\($' | tr -d '('); do
  echo "$exported" | grep -qx "$function" || fail "$function is declared in longer.h and not exported"
done

newest() { # newest <symbol version prefix>: the highest version asked for
  objdump -T "$library" | grep -oE "$1_[0-9.]+" | sed "s/$1_//" | sort -uV | tail -n 1
}
floor() { # floor <prefix> <highest version allowed>
  found=$(newest "$1")
  [ "$(printf '%s\n%s\n' "$found" "$2" | sort -V | tail -n 1)" = "$2" ] || fail "needs $1_$found, more than $1_$2"
}
floor GLIBC 2.34
floor GLIBCXX 3.4.29
floor CXXABI 1.3.13

needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
strange=$(echo "$needed" | grep -vE '^(libstdc\+\+\.so\.6|libgcc_s\.so\.1|libc\.so\.6|libm\.so\.6|ld-linux-x86-64\.so\.2)$' || true)
[ -z "$strange" ] || fail "needs $strange"
runpath=$(readelf -d "$library" | sed -n 's/.*(R[UN]*PATH).*\[\(.*\)\]/\1/p')
# shellcheck disable=SC2016
case $runpath in '' | '$ORIGIN/') ;; *) fail "run path $runpath" ;; esac
readelf -lW "$library" | grep -q 'GNU_STACK.* RW ' || fail "executable stack"
if grep -qF "$root" "$library"; then
  fail "holds the path of the build: $(strings "$library" | grep -F "$root" | head -n 3)"
fi

for jar in "$target"/longer-native-*-"$classifier".jar; do
  size=$(stat -c %s "$jar")
  [ "$size" -le "$limit" ] || fail "$(basename "$jar") has $size bytes, more than $limit"
done
for jar in $(find "$root/build-native/target" "$root"/java-api/*/target -maxdepth 1 -name 'longer*.jar' ! -name '*-javadoc.jar'); do
  for text in LICENSE NOTICE; do
    unzip -l "$jar" | grep -q "META-INF/$text\$" || fail "$(basename "$jar") has no META-INF/$text"
  done
done
echo "$classifier: GLIBC_$(newest GLIBC), GLIBCXX_$(newest GLIBCXX), $(echo "$exported" | grep -c '^longer_') C functions," \
  "$(stat -c %s "$library") bytes, jar $size bytes of $limit"
exit "$failed"
