#!/bin/bash
# Builds what is published twice, in two folders of different names, and compares the jars byte by byte.
# Usage: reproducible.sh <root> <empty folder for the copies>
set -euo pipefail
root=$(cd "$1" && pwd)
work=$2
mkdir -p "$work"
for copy in first second-of-two; do
  rm -rf "${work:?}/$copy"
  mkdir "$work/$copy"
  "$root"/build-native/checks/files.sh "$root" | tar -C "$root" -cf - -T - | tar -C "$work/$copy" -xf -
  (cd "$work/$copy" && mvn -B -ntp -q -Prelease -DskipTests -DskipChecks -pl java-api/longer,java-api/parquet,java-api/report -am package)
done
jars() {
  (cd "$1" && find build-native/target java-api/*/target -maxdepth 1 -name '*.jar' -print0 | sort -z | xargs -0 sha256sum)
}
jars "$work/first" > "$work/first.txt"
jars "$work/second-of-two" > "$work/second.txt"
[ -s "$work/first.txt" ] || {
  echo "no jar was built"
  exit 1
}
diff "$work/first.txt" "$work/second.txt" || {
  echo "error: two builds differ"
  exit 1
}
rm -rf "${work:?}/first" "$work/second-of-two"
echo "reproducible: $(wc -l < "$work/first.txt") jars"
