#pragma once
#include <cuda_runtime.h>

#include <cstdint>

#include "ops/cuda_launch.hpp"

namespace longer {

inline constexpr int kScanThreads = 1024;

/// Exclusive sum of `value` over a block's threads in order, whole sum to `total`. Any block of
/// full warps up to 1024 threads; every thread calls it.
inline __device__ int32_t block_exclusive_sum(int32_t value, int32_t* total) {
  __shared__ int32_t warp_sums[32];
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int num_warps = static_cast<int>(blockDim.x) / 32;
  int32_t sum = value;
  for (int offset = 1; offset < 32; offset *= 2) {
    const int32_t before = __shfl_up_sync(0xFFFFFFFF, sum, offset);
    if (lane >= offset) sum += before;
  }
  __syncthreads();  // the sums of the call before have been read
  if (lane == 31) warp_sums[warp] = sum;
  __syncthreads();
  int32_t first = 0;
  int32_t all = 0;
  for (int w = 0; w < num_warps; ++w) {
    if (w == warp) first = all;
    all += warp_sums[w];
  }
  *total = all;
  return first + sum - value;
}

/// Exclusive sums of counts[0 … count) in place, from *next on, by one block of kScanThreads;
/// afterwards *next is their end and *former what it was. Both may be null: from 0 on.
template <class Count>
__global__ void scan_kernel(Count* counts, int64_t count, Count* next, Count* former) {
  const int64_t per_thread = (count + kScanThreads - 1) / kScanThreads;
  const int64_t begin = min(count, per_thread * static_cast<int64_t>(threadIdx.x));
  const int64_t end = min(count, begin + per_thread);
  Count sum = 0;
  for (int64_t i = begin; i < end; ++i) sum += counts[i];
  const Count start = next != nullptr ? *next : 0;
  Count total = 0;
  Count at = start + block_exclusive_sum(sum, &total);
  for (int64_t i = begin; i < end; ++i) {
    const Count own = counts[i];
    counts[i] = at;
    at += own;
  }
  __syncthreads();  // all have read *next
  if (threadIdx.x == 0 && next != nullptr) {
    *next = start + total;
    if (former != nullptr) *former = start;
  }
}

}  // namespace longer
