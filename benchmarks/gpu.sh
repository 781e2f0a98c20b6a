#!/bin/sh
# Trains and serves on an NVIDIA GPU, ours and the PyTorch peer in turn, and prints the table beside the gates.
# Usage: gpu.sh <results folder> [longer_gpu_bench] [option of gpu.py…]; without a program it is built here (needs nvcc).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
results=$(mkdir -p "$1" && cd "$1" && pwd)
shift
bench=${1:-}
if [ -n "$bench" ]; then
  shift
else
  build=$here/target/gpu
  cmake -S "$here/../native" -B "$build" -DCMAKE_BUILD_TYPE=Release -DLONGER_CUDA=ON -DLONGER_TESTS=OFF \
    -DLONGER_CUDA_ARCHITECTURES=90a-real > "$build.log" 2>&1 &&
    cmake --build "$build" --parallel "${LONGER_JOBS:-$(nproc)}" --target longer_gpu_bench >> "$build.log" 2>&1 || {
    cat "$build.log" >&2
    exit 1
  }
  bench=$build/benchmarks/longer_gpu_bench
fi
exec python3 "$here/gpu.py" --bench "$bench" --results "$results" "$@"
