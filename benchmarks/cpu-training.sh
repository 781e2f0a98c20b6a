#!/bin/sh
# Trains on the CPU beside TorchLonger, each side in its own JVM. Usage: cpu-training.sh <results folder>
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bench=$("$here/longer_bench.sh")
exec "$here/java.sh" CpuTraining "$1" "$bench" \
  "${LONGER_BENCH_THREADS:-2}" "${LONGER_BENCH_RUNS:-5}" "${LONGER_BENCH_SECONDS:-10}"
