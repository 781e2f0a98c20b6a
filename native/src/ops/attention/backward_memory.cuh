#pragma once
#include "ops/attention/head_tile.cuh"

/// Shared memory of attention's backward pass.
namespace longer {

/// What the key pass needs of a query row beside its vectors.
struct alignas(16) QueryFacts {
  VisibleKeys seen;
  float lse;  // to base 2
};

/// Shared memory of both passes: two arrays of `capacity` rows, and of the key pass's queries their
/// facts, Σ d_out · out, and the sight of each tile.
template <int kWidth>
struct BackwardMemory {
  Bf16 *left, *right;
  QueryFacts* facts;
  TileSight* sights;
  float* deltas;

  __device__ BackwardMemory(uint4* shared, int capacity)
      : left(reinterpret_cast<Bf16*>(shared)),
        right(left + capacity * kWidth),
        facts(reinterpret_cast<QueryFacts*>(right + capacity * kWidth)),
        sights(reinterpret_cast<TileSight*>(facts + capacity)),
        deltas(reinterpret_cast<float*>(sights + capacity / kAttentionTile)) {}
  static int bytes(int capacity) {
    return capacity * (kWidth * 4 + static_cast<int>(sizeof(QueryFacts)) + 4) +
           capacity / kAttentionTile * static_cast<int>(sizeof(TileSight));
  }
};

/// Σ a · b of eight bf16 each.
__device__ __forceinline__ float dot8(const uint4& a, const uint4& b) {
  const uint32_t x[4] = {a.x, a.y, a.z, a.w};
  const uint32_t y[4] = {b.x, b.y, b.z, b.w};
  float sum = 0.0F;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    sum = fmaf(__uint_as_float(x[i] << 16), __uint_as_float(y[i] << 16), sum);
    sum = fmaf(__uint_as_float(x[i] & 0xFFFF0000U), __uint_as_float(y[i] & 0xFFFF0000U), sum);
  }
  return sum;
}

/// Facts and deltas of rows first … first + held − 1 (a multiple of 16) of the span's queries.
template <int kWidth>
__device__ __forceinline__ void load_facts(const BackwardMemory<kWidth>& memory,
                                           const AttentionBf16Backward& b, const AttentionSpan& s,
                                           const HeadRows& out, const HeadRows& d_out, int first,
                                           int held) {
  constexpr int kChunks = kWidth / 8;
  const AttentionBf16Forward& p = b.forward;
  for (int row = static_cast<int>(threadIdx.x); row < held; row += static_cast<int>(blockDim.x)) {
    const int64_t number = s.query_begin + first + row;
    const bool is_inside = number < s.query_end;
    memory.facts[row] = {is_inside ? p.visible[number] : VisibleKeys{0, 0, 0},
                         is_inside ? p.lse[number * p.heads + blockIdx.y] * kLog2E : 0.0F};
  }
  for (int at = static_cast<int>(threadIdx.x); at < held * kChunks;
       at += static_cast<int>(blockDim.x)) {
    const int row = first + at / kChunks;
    float sum = 0.0F;
    if (row < out.count) {
      sum = dot8(*reinterpret_cast<const uint4*>(out.row(row) + at % kChunks * 8),
                 *reinterpret_cast<const uint4*>(d_out.row(row) + at % kChunks * 8));
    }
#pragma unroll
    for (int mask = 1; mask < kChunks; mask *= 2) sum += __shfl_xor_sync(~0U, sum, mask);
    if (at % kChunks == 0) memory.deltas[at / kChunks] = sum;
  }
}

}  // namespace longer
