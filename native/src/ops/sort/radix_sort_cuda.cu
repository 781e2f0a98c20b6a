#include "ops/sort/block_scan.cuh"
#include "ops/sort/radix_sort_cuda.hpp"

namespace longer {
namespace {

constexpr int kDigitBits = 8;
constexpr int kDigits = 1 << kDigitBits;
constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kRounds = 16;
constexpr int64_t kTile = int64_t{kThreads} * kRounds;
static_assert(kThreads == kDigits, "a thread owns a digit");

__device__ int digit_of(uint32_t key, int shift) {
  return static_cast<int>(key >> shift) & (kDigits - 1);
}

/// counts[digit · tiles + tile]: keys of a tile with that digit.
__global__ void count_digits_kernel(const uint32_t* keys, int64_t count, int shift,
                                    int32_t* counts) {
  __shared__ int32_t own[kDigits];
  own[threadIdx.x] = 0;
  __syncthreads();
  for (int round = 0; round < kRounds; ++round) {
    const int64_t i = blockIdx.x * kTile + round * kThreads + threadIdx.x;
    if (i < count) atomicAdd(&own[digit_of(keys[i], shift)], 1);
  }
  __syncthreads();
  counts[static_cast<int64_t>(threadIdx.x) * gridDim.x + blockIdx.x] = own[threadIdx.x];
}

/// Moves every pair behind those of smaller digits, of tiles before, and before it in its own tile.
/// A warp owns a run of the tile; in each round, the lanes of one digit find each other by ballots.
__global__ void scatter_kernel(const uint32_t* keys, const int32_t* values, int64_t count,
                               int shift, const int32_t* first, uint32_t* keys_out,
                               int32_t* values_out) {
  __shared__ int32_t places[kWarps][kDigits];
  const auto me = static_cast<int>(threadIdx.x);
  const int lane = me % 32;
  const int warp = me / 32;
  for (int digit = lane; digit < kDigits; digit += 32) places[warp][digit] = 0;
  __syncwarp();
  const int64_t begin = blockIdx.x * kTile + static_cast<int64_t>(warp) * 32 * kRounds;
  uint32_t key[kRounds];
  int32_t rank[kRounds];
#pragma unroll
  for (int round = 0; round < kRounds; ++round) {
    const int64_t i = begin + round * 32 + lane;
    const bool is_there = i < count;
    key[round] = is_there ? keys[i] : 0;
    const int digit = digit_of(key[round], shift);
    unsigned same = __ballot_sync(0xFFFFFFFF, is_there);
    for (int bit = 0; bit < kDigitBits; ++bit) {
      const bool is_set = (digit >> bit & 1) != 0;
      const unsigned set = __ballot_sync(0xFFFFFFFF, is_set);
      same &= is_set ? set : ~set;
    }
    const int before = __popc(same & ((1U << lane) - 1));
    if (is_there) rank[round] = places[warp][digit] + before;
    __syncwarp();
    if (is_there && before == 0) places[warp][digit] += __popc(same);
    __syncwarp();
  }
  __syncthreads();
  int32_t at = first[static_cast<int64_t>(me) * gridDim.x + blockIdx.x];
  for (int w = 0; w < kWarps; ++w) {
    const int32_t own = places[w][me];
    places[w][me] = at;
    at += own;
  }
  __syncthreads();
#pragma unroll
  for (int round = 0; round < kRounds; ++round) {
    const int64_t i = begin + round * 32 + lane;
    if (i >= count) continue;
    const int32_t to = places[warp][digit_of(key[round], shift)] + rank[round];
    keys_out[to] = key[round];
    values_out[to] = values[i];
  }
}

}  // namespace

int radix_sort_cuda(CudaStream& stream, const SortedPairs& pairs, int64_t count, int bits) {
  if (count == 0) return 0;
  const WorkspaceScope scope(stream.workspace());
  const unsigned tiles = blocks_for(count, kTile);
  auto* counts = stream.workspace().allocate<int32_t>(int64_t{tiles} * kDigits);
  int from = 0;
  for (int shift = 0; shift < bits; shift += kDigitBits) {
    count_digits_kernel<<<tiles, kThreads, 0, stream.get()>>>(pairs.keys[from], count, shift,
                                                              counts);
    scan_kernel<int32_t>
        <<<1, kScanThreads, 0, stream.get()>>>(counts, int64_t{tiles} * kDigits, nullptr, nullptr);
    scatter_kernel<<<tiles, kThreads, 0, stream.get()>>>(pairs.keys[from], pairs.values[from],
                                                         count, shift, counts, pairs.keys[1 - from],
                                                         pairs.values[1 - from]);
    from = 1 - from;
  }
  check_cuda(cudaGetLastError(), "launch a sort");
  return from;
}

}  // namespace longer
