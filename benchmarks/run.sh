#!/bin/sh
# Runs every benchmark and checks its promises. Usage: run.sh [results folder]; default benchmarks/results.
# LONGER_BENCH_THREADS (2), LONGER_BENCH_RUNS (5 alternating runs a side), LONGER_BENCH_SECONDS (10 a part).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
results=$(mkdir -p "${1:-$here/results}" && cd "${1:-$here/results}" && pwd)
status=0
"$here/native.sh" "$results" || status=1
"$here/cpu-training.sh" "$results" || status=1
"$here/shard-training.sh" "$results" || status=1
"$here/java.sh" RankCalls "$results" || status=1
"$here/java.sh" CacheHits "$results" "${LONGER_BENCH_THREADS:-2}" || status=1
"$here/java.sh" HistoryLengths "$results" "${LONGER_BENCH_THREADS:-2}" || status=1
exit $status
