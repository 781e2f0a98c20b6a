#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/sort/block_scan.cuh"

namespace longer {

inline constexpr int kNumberThreads = 256;
inline constexpr int kNumberRounds = 16;
inline constexpr int64_t kNumberTile = int64_t{kNumberThreads} * kNumberRounds;

template <class Flag>
__global__ void count_flags_kernel(int64_t count, Flag flag, int32_t* tile_counts) {
  int32_t mine = 0;
  for (int round = 0; round < kNumberRounds; ++round) {
    const int64_t i = blockIdx.x * kNumberTile + round * kNumberThreads + threadIdx.x;
    if (i < count && flag(i)) ++mine;
  }
  int32_t total = 0;
  block_exclusive_sum(mine, &total);
  if (threadIdx.x == 0) tile_counts[blockIdx.x] = total;
}

template <class Flag, class Assign>
__global__ void assign_numbers_kernel(int64_t count, Flag flag, Assign assign,
                                      const int32_t* tile_first) {
  int32_t first = tile_first[blockIdx.x];
  for (int round = 0; round < kNumberRounds; ++round) {
    const int64_t i = blockIdx.x * kNumberTile + round * kNumberThreads + threadIdx.x;
    const bool is_flagged = i < count && flag(i);
    int32_t total = 0;
    const int32_t rank = block_exclusive_sum(is_flagged ? 1 : 0, &total);
    if (is_flagged) assign(i, first + rank);
    first += total;
  }
}

/// Numbers the i in 0 … count − 1 with flag(i), in their order, from *next on: assign(i, number).
/// Then *next is the first free number and *former what it was; both are device memory. assign must
/// not change another i's flag.
template <class Flag, class Assign>
void number_in_order(CudaStream& stream, const char* what, int64_t count, const Flag& flag,
                     const Assign& assign, int32_t* next, int32_t* former) {
  const WorkspaceScope scope(stream.workspace());
  const unsigned tiles = blocks_for(count, kNumberTile);
  int32_t* tile_counts = stream.workspace().allocate<int32_t>(tiles);
  if (tiles > 0) {
    count_flags_kernel<<<tiles, kNumberThreads, 0, stream.get()>>>(count, flag, tile_counts);
  }
  scan_kernel<int32_t><<<1, kScanThreads, 0, stream.get()>>>(tile_counts, tiles, next, former);
  if (tiles > 0) {
    assign_numbers_kernel<<<tiles, kNumberThreads, 0, stream.get()>>>(count, flag, assign,
                                                                      tile_counts);
  }
  check_cuda(cudaGetLastError(), what);
}

}  // namespace longer
