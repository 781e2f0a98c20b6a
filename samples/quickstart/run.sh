#!/bin/sh
# Builds LONGER and runs the quickstart: MovieLens → requests → training → measuring → ranking.
# Usage: run.sh [options of the program]; run.sh --help lists them.
# Results: samples/quickstart/out/{result.json,report.html,models/}. Exit code 2: tools are missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

"$root/build-native/prerequisites.sh"
(cd "$root" && mvn -q -B -ntp -Dmaven.test.skip=true -pl samples/quickstart -am package)

mkdir -p "$here/out"
exec java -Xmx1g -cp "$here/target/classes:$(cat "$here/target/class-path.txt")" \
  ai.longer.samples.quickstart.Quickstart --data "$here/data/ml-latest-small" --out "$here/out" "$@"
