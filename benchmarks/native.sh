#!/bin/sh
# Times the native kernels, one JSON line each. Usage: native.sh <results folder>
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bench=$("$here/longer_bench.sh")
rm -f "$1/native-kernels.jsonl"
exec "$bench" --threads "${LONGER_BENCH_THREADS:-2}" --json "$1/native-kernels.jsonl"
