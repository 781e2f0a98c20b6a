#!/bin/sh
# Runs one Java benchmark of this folder. Usage: java.sh <class> <argument>…
set -eu
here=$(cd "$(dirname "$0")" && pwd)
class=$1
shift
test -f "$here/target/class-path.txt" || {
  echo "java.sh: build first: mvn -B -ntp -DskipTests package" >&2
  exit 2
}
exec java -cp "$here/target/classes:$(cat "$here/target/class-path.txt")" \
  -Dorg.bytedeco.javacpp.maxPhysicalBytes=0 "ai.longer.benchmarks.$class" "$@"
