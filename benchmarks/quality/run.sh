#!/bin/sh
# Runs an experiment of experiments/ or merges results. Usage: run.sh <experiment>… [--threads n] [--jobs n] [--seeds n]
# [--out dir] [--device cuda]; run.sh --merge <out>…; run.sh --help lists all options. Build first.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
benchmarks=$(dirname "$here")
root=$(dirname "$benchmarks")
test -f "$benchmarks/target/class-path.txt" || {
  echo "run.sh: build first: mvn -B -ntp -DskipTests package" >&2
  exit 2
}
exec java -cp "$benchmarks/target/classes:$(cat "$benchmarks/target/class-path.txt")" \
  -Dorg.bytedeco.javacpp.maxPhysicalBytes=0 ai.longer.benchmarks.quality.Quality \
  --experiments "$here/experiments" --out "$here/out" \
  --data "${LONGER_DATA:-$root/shared/data,$root/../shared/data,$root/samples/quickstart/data}" "$@"
