#pragma once
#include "ops/attention/attention_bf16_cuda.hpp"
#include "ops/tensor_core.cuh"

/// What both passes of attention on the tensor cores share. Tiles are 16 rows; rows are queries or
/// keys of one span's head, numbered from 0.
namespace longer {

inline constexpr int kAttentionTile = 16;
inline constexpr float kLog2E = 1.44269504F;

__device__ __forceinline__ float quad_sum(float v) {
  v += __shfl_xor_sync(~0U, v, 1);
  return v + __shfl_xor_sync(~0U, v, 2);
}
__device__ __forceinline__ float quad_max(float v) {
  v = fmaxf(v, __shfl_xor_sync(~0U, v, 1));
  return fmaxf(v, __shfl_xor_sync(~0U, v, 2));
}

/// One head's rows of a span: the prefix's first, then its own.
struct HeadRows {
  Bf16* prefix;
  Bf16* own;
  int64_t prefix_stride, own_stride;
  int num_prefix, count;

  __device__ HeadRows(const Bf16View& prefix_rows, const Bf16View& own_rows, const AttentionSpan& s,
                      int64_t column)
      : prefix(prefix_rows.data + s.prefix_begin * prefix_rows.stride + column),
        own(own_rows.data + s.own_begin * own_rows.stride + column),
        prefix_stride(prefix_rows.stride),
        own_stride(own_rows.stride),
        num_prefix(static_cast<int>(s.prefix_end - s.prefix_begin)),
        count(num_prefix + static_cast<int>(s.own_end - s.own_begin)) {}
  /// The rows of a span's queries.
  __device__ HeadRows(const Bf16View& rows, const AttentionSpan& s, int64_t column)
      : prefix(nullptr),
        own(rows.data + s.query_begin * rows.stride + column),
        prefix_stride(0),
        own_stride(rows.stride),
        num_prefix(0),
        count(static_cast<int>(s.query_end - s.query_begin)) {}

  __device__ __forceinline__ Bf16* row(int i) const {
    return i < num_prefix ? prefix + i * prefix_stride : own + (i - num_prefix) * own_stride;
  }
};

/// Rows [first, first + capacity) of a head in shared memory; chunks of 16 bytes change places so
/// that eight rows' chunks fill all banks. Rows beyond the last are zeros.
template <int kWidth>
struct HeadTile {
  static constexpr int kChunks = kWidth / 8;
  static constexpr int kSteps = kWidth / 16;  // of the inner dimension of q·k

  static __device__ __forceinline__ int place(int row, int chunk) {
    const int turn = kChunks >= 8 ? row & 7 : kChunks == 4 ? row >> 1 & 3 : row >> 2 & 1;
    return (row * kChunks + (chunk ^ turn)) * 8;
  }
  static __device__ __forceinline__ void load(Bf16* tile, const HeadRows& rows, int first,
                                              int num_rows) {
    for (int at = static_cast<int>(threadIdx.x); at < num_rows * kChunks;
         at += static_cast<int>(blockDim.x)) {
      const int row = at / kChunks;
      const int chunk = at % kChunks;
      const bool is_inside = first + row < rows.count;
      copy_async(tile + place(row, chunk), is_inside ? rows.row(first + row) + chunk * 8 : rows.own,
                 is_inside);
    }
  }
  /// B fragments of sixteen rows as columns, over `step` of the inner dimension.
  static __device__ __forceinline__ void load_columns(uint32_t (&b)[4], const Bf16* tile, int row,
                                                      int step) {
    const int lane = static_cast<int>(threadIdx.x) & 31;
    load_matrices(b, tile + place(row + (lane & 7) + (lane >> 4) * 8, step * 2 + (lane >> 3 & 1)));
  }
  /// B fragments of sixteen rows as the inner dimension, columns 16 · block … of the head.
  static __device__ __forceinline__ void load_rows(uint32_t (&b)[4], const Bf16* tile, int row,
                                                   int block) {
    const int lane = static_cast<int>(threadIdx.x) & 31;
    load_matrices_transposed(
        b, tile + place(row + (lane & 7) + (lane >> 3 & 1) * 8, block * 2 + (lane >> 4)));
  }
  using Fragments = uint32_t[kSteps][4];
  /// A fragments of rows first … first + 15 from global memory.
  static __device__ __forceinline__ void load_a(Fragments& a, const HeadRows& rows, int first) {
    const int lane = static_cast<int>(threadIdx.x) & 31;
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int row = first + h * 8 + lane / 4;
      const bool is_inside = row < rows.count;
      const Bf16* from = (is_inside ? rows.row(row) : rows.own) + lane % 4 * 2;
#pragma unroll
      for (int s = 0; s < kSteps; ++s) {
        a[s][h] = is_inside ? *reinterpret_cast<const uint32_t*>(from + s * 16) : 0U;
        a[s][2 + h] = is_inside ? *reinterpret_cast<const uint32_t*>(from + s * 16 + 8) : 0U;
      }
    }
  }
  using Sums = float[kWidth / 8][4];
  /// Rows of sums, each half scaled, to global memory; adds to what is there if wanted.
  static __device__ __forceinline__ void store(const HeadRows& rows, int first, const Sums& sums,
                                               const float (&scale)[2], bool is_accumulating) {
    const int lane = static_cast<int>(threadIdx.x) & 31;
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int row = first + h * 8 + lane / 4;
      if (row >= rows.count) continue;
      auto* to = reinterpret_cast<uint32_t*>(rows.row(row) + lane % 4 * 2);
#pragma unroll
      for (int n = 0; n < kWidth / 8; ++n) {
        float low = sums[n][2 * h] * scale[h];
        float high = sums[n][2 * h + 1] * scale[h];
        if (is_accumulating) {
          const uint32_t old = to[n * 4];
          low += __uint_as_float(old << 16);
          high += __uint_as_float(old & 0xFFFF0000U);
        }
        to[n * 4] = pack_bf16(low, high);
      }
    }
  }
};

/// c [16 × 16] as the A fragment of a product over its columns.
__device__ __forceinline__ void as_fragment(uint32_t (&a)[4], const float (&left)[4],
                                            const float (&right)[4]) {
  a[0] = pack_bf16(left[0], left[1]);
  a[1] = pack_bf16(left[2], left[3]);
  a[2] = pack_bf16(right[0], right[1]);
  a[3] = pack_bf16(right[2], right[3]);
}

__device__ __forceinline__ bool sees_key(const VisibleKeys& v, int key) {
  return key < v.end || (key >= v.own_begin && key < v.own_end);
}
/// What sixteen rows see at most and at least.
struct TileSight {
  int max_end, min_end, min_own_begin, max_own_end;

  __device__ __forceinline__ bool sees_any(int begin, int end) const {
    return begin < max_end || (begin < max_own_end && end > min_own_begin);
  }
  __device__ __forceinline__ bool sees_all(int end) const { return end <= min_end; }
  __device__ __forceinline__ void add(const VisibleKeys& v) {
    max_end = max(max_end, v.end);
    min_end = min(min_end, v.end);
    if (v.own_begin < v.own_end) {
      min_own_begin = min(min_own_begin, v.own_begin);
      max_own_end = max(max_own_end, v.own_end);
    }
  }
};
inline constexpr int kFar = 0x7FFFFFFF;

/// Of the rows in lanes' halves: sight[0] of row g, sight[1] of row g + 8.
__device__ __forceinline__ TileSight tile_sight(const VisibleKeys (&v)[2]) {
  TileSight t = {0, kFar, kFar, 0};
  t.add(v[0]);
  t.add(v[1]);
  for (int mask = 4; mask < 32; mask *= 2) {
    t.max_end = max(t.max_end, __shfl_xor_sync(~0U, t.max_end, mask));
    t.min_end = min(t.min_end, __shfl_xor_sync(~0U, t.min_end, mask));
    t.min_own_begin = min(t.min_own_begin, __shfl_xor_sync(~0U, t.min_own_begin, mask));
    t.max_own_end = max(t.max_own_end, __shfl_xor_sync(~0U, t.max_own_end, mask));
  }
  return t;
}
/// What rows first + g and first + g + 8 of a span see; nothing beyond its last.
__device__ __forceinline__ void load_sight(VisibleKeys (&v)[2], const VisibleKeys* visible,
                                           const AttentionSpan& s, int first) {
  const int lane = static_cast<int>(threadIdx.x) & 31;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const int64_t row = s.query_begin + first + h * 8 + lane / 4;
    v[h] = row < s.query_end ? visible[row] : VisibleKeys{0, 0, 0};
  }
}

}  // namespace longer
