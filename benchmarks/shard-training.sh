#!/bin/sh
# Trainer.fit over shards beside the same loop in C++. Usage: shard-training.sh <results folder>
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=$("$here/longer_bench.sh" longer_shard_training)
exec "$here/java.sh" ShardTraining "$1" "$program" "${LONGER_BENCH_THREADS:-2}" "${LONGER_BENCH_RUNS:-5}"
