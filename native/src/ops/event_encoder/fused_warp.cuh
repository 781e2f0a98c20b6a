#pragma once
#include "ops/event_encoder/fused_layout.cuh"
#include "ops/tensor_core.cuh"

/// A warp's part of the one-kernel event encoder: 16 · kM slots of whole groups in registers.
namespace longer {

/// 2·gelu(u).
__device__ __forceinline__ float double_gelu(float u) {
  const float t = fast_tanh(u * fmaf(u * u, 0.0356774081F, 0.797884561F));
  return fmaf(u, t, u);
}
__device__ __forceinline__ float sum_of_quad(float v) {
  v += __shfl_xor_sync(~0U, v, 1);
  return v + __shfl_xor_sync(~0U, v, 2);
}
__device__ __forceinline__ float max_of_quad(float v) {
  v = fmaxf(v, __shfl_xor_sync(~0U, v, 1));
  return fmaxf(v, __shfl_xor_sync(~0U, v, 2));
}

/// kD token width, kHeads heads, kM tiles of 16 slots; kIsWide: groups of 16, else of 8 or fewer,
/// which never cross a tile's middle.
template <int kD, int kHeads, int kM, bool kIsWide>
struct FusedWarp {
  using Layout = FusedLayout<kD>;
  static constexpr int kSteps = Layout::kSteps;
  static constexpr int kTiles = Layout::kTiles;
  static constexpr int kHead = kD / kHeads;
  static constexpr int kHeadSteps = kHead / 16;
  using Rows = float[kM][kTiles][4];          // sums: tokens × width
  using Fragments = uint32_t[kM][kSteps][4];  // the same as A fragments

  const uint2* units;  // of this lane
  const uint4* pairs;  // the same memory, for A fragments
  const float* vectors;
  int g, q;

  __device__ __forceinline__ uint2 unit(int i) const { return units[i * 32]; }
  __device__ __forceinline__ float2 pair(int at, int tile) const {
    return *reinterpret_cast<const float2*>(vectors + at + tile * 8 + 2 * q);
  }

  /// z += gelu(hidden)·W, the map's units from `first` on, [tiles][steps]; two tiles of `hidden`
  /// are step `step`.
  template <int kCount>
  __device__ __forceinline__ void add_gelu(Rows& z, const float (&hidden)[kM][kCount][4], int tile,
                                           int first, int steps, int step) const {
    uint32_t a[kM][4];
#pragma unroll
    for (int m = 0; m < kM; ++m) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const float* c = hidden[m][tile + (i >> 1)];
        a[m][i] = pack_bf16(double_gelu(c[2 * (i & 1)]), double_gelu(c[2 * (i & 1) + 1]));
      }
    }
#pragma unroll
    for (int n = 0; n < kTiles; ++n) {
      const uint2 b = unit(first + n * steps + step);
#pragma unroll
      for (int m = 0; m < kM; ++m) mma_bf16(z[m][n], a[m], b.x, b.y);
    }
  }

  /// z += a vector, column by column.
  __device__ __forceinline__ void add_bias(Rows& z, int at) const {
#pragma unroll
    for (int n = 0; n < kTiles; ++n) {
      const float2 bias = pair(at, n);
#pragma unroll
      for (int m = 0; m < kM; ++m) {
#pragma unroll
        for (int i = 0; i < 4; ++i) z[m][n][i] += (i & 1) != 0 ? bias.y : bias.x;
      }
    }
  }

  /// (z − mean) · rstd as A fragments.
  __device__ __forceinline__ void norm(const Rows& z, Fragments& normed) const {
#pragma unroll
    for (int m = 0; m < kM; ++m) {
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        float sum = 0.0F;
#pragma unroll
        for (int n = 0; n < kTiles; ++n) sum += z[m][n][2 * h] + z[m][n][2 * h + 1];
        const float mean = sum_of_quad(sum) * (1.0F / kD);
        float squares = 0.0F;
#pragma unroll
        for (int n = 0; n < kTiles; ++n) {
          const float low = z[m][n][2 * h] - mean;
          const float high = z[m][n][2 * h + 1] - mean;
          squares = fmaf(low, low, fmaf(high, high, squares));
        }
        const float rstd = rsqrtf(sum_of_quad(squares) * (1.0F / kD) + 1e-5F);
        const float shift = -mean * rstd;
#pragma unroll
        for (int n = 0; n < kTiles; ++n) {
          normed[m][n / 2][2 * (n & 1) + h] =
              pack_bf16(fmaf(z[m][n][2 * h], rstd, shift), fmaf(z[m][n][2 * h + 1], rstd, shift));
        }
      }
    }
  }

  /// One head's queries as A fragments and keys 0 … 7 and 8 … 15 of a tile as B fragments.
  __device__ __forceinline__ void project_head(const Fragments& normed, int head,
                                               uint32_t (&query)[kM][kHeadSteps][4],
                                               uint2 (&key)[kM][2][kHeadSteps]) const {
#pragma unroll
    for (int e = 0; e < kHead / 8; ++e) {
      const int n = head * (kHead / 8) + e;
      float queries[kM][4];
      float keys[kM][4];
#pragma unroll
      for (int s = 0; s < kSteps; ++s) {
        const uint2 wq = unit(Layout::kQuery + n * kSteps + s);
        const uint2 wk = unit(Layout::kKey + n * kSteps + s);
#pragma unroll
        for (int m = 0; m < kM; ++m) {
          if (s == 0) {
            mma_bf16_columns(queries[m], normed[m][s], wq.x, wq.y, pair(Layout::kQkvBias, n));
            mma_bf16_columns(keys[m], normed[m][s], wk.x, wk.y, pair(Layout::kQkvBias + kD, n));
          } else {
            mma_bf16(queries[m], normed[m][s], wq.x, wq.y);
            mma_bf16(keys[m], normed[m][s], wk.x, wk.y);
          }
        }
      }
#pragma unroll
      for (int m = 0; m < kM; ++m) {
        query[m][e / 2][2 * (e & 1)] = pack_bf16(queries[m][0], queries[m][1]);
        query[m][e / 2][2 * (e & 1) + 1] = pack_bf16(queries[m][2], queries[m][3]);
#pragma unroll
        for (int h = 0; h < 2; ++h) {
          const uint32_t low = pack_bf16(keys[m][2 * h], keys[m][2 * h + 1]);
          (e & 1) != 0 ? key[m][h][e / 2].y = low : key[m][h][e / 2].x = low;
        }
      }
    }
  }

  /// One head's values transposed, columns as rows: B fragments of the shares' product as they
  /// come. value[m][e][h]: columns 16e … 16e + 15, tokens 8h … 8h + 7.
  __device__ __forceinline__ void project_values(const Fragments& normed, int head,
                                                 float (&value)[kM][kHeadSteps][2][4]) const {
#pragma unroll
    for (int e = 0; e < kHeadSteps; ++e) {
      const float* bias = vectors + Layout::kQkvBias + 2 * kD + head * kHead + e * 16 + g;
      const float2 rows = {bias[0], bias[8]};
#pragma unroll
      for (int s = 0; s < kSteps; ++s) {
        const uint4 four = pairs[Layout::kValue * 16 + ((head * kHeadSteps + e) * kSteps + s) * 32];
        const uint32_t a[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
        for (int m = 0; m < kM; ++m) {
#pragma unroll
          for (int h = 0; h < 2; ++h) {
            const uint32_t low = normed[m][s][h];
            const uint32_t high = normed[m][s][2 + h];
            if (s == 0) {
              mma_bf16_rows(value[m][e][h], a, low, high, rows);
            } else {
              mma_bf16(value[m][e][h], a, low, high);
            }
          }
        }
      }
    }
  }

  /// Shares of tile m's keys for each of its rows, as an A fragment. A row sees its group's events.
  __device__ __forceinline__ void find_shares(const uint32_t (&query)[kHeadSteps][4],
                                              const uint2 (&key)[2][kHeadSteps], uint32_t valid,
                                              bool is_full, int group_shift,
                                              uint32_t (&share)[4]) const {
    constexpr float kScale = (kHead == 16 ? 0.25F : 0.176776695F) * 1.44269504F;
    static_assert(kHead == 16 || kHead == 32);
    float score[2][4] = {};
#pragma unroll
    for (int t = 0; t < 2; ++t) {
#pragma unroll
      for (int e = 0; e < kHeadSteps; ++e) mma_bf16(score[t], query[e], key[t][e].x, key[t][e].y);
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) share[i] = 0U;
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      float weight[2][2];
      float most = -1e30F;
#pragma unroll
      for (int t = 0; t < 2; ++t) {
        if (!kIsWide && t != h) continue;
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const int column = t * 8 + 2 * q + i;
          bool is_seen = (h * 8 + g) >> group_shift == column >> group_shift;
          if (!is_full) is_seen = is_seen && (valid >> column & 1) != 0;
          weight[t][i] = is_seen ? score[t][2 * h + i] * kScale : -1e30F;
          most = fmaxf(most, weight[t][i]);
        }
      }
      most = max_of_quad(most);
      float sum = 0.0F;
#pragma unroll
      for (int t = 0; t < 2; ++t) {
        if (!kIsWide && t != h) continue;
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          weight[t][i] = fast_exp2(weight[t][i] - most);
          sum += weight[t][i];
        }
      }
      const float scale = __fdividef(1.0F, sum_of_quad(sum));
#pragma unroll
      for (int t = 0; t < 2; ++t) {
        if (!kIsWide && t != h) continue;
        share[2 * t + h] = pack_bf16(weight[t][0] * scale, weight[t][1] * scale);
      }
    }
  }

  /// z += out·attention(qkv·normed). valid: the tiles' slots that hold an event.
  __device__ __forceinline__ void attend(Rows& z, const Fragments& normed, uint32_t valid,
                                         bool is_full, int group_shift) const {
    Fragments mixed;
#pragma unroll
    for (int head = 0; head < kHeads; ++head) {
      uint32_t share[kM][4];
      {
        uint32_t query[kM][kHeadSteps][4];
        uint2 key[kM][2][kHeadSteps];
        project_head(normed, head, query, key);
#pragma unroll
        for (int m = 0; m < kM; ++m) {
          find_shares(query[m], key[m], valid >> (m * 16), is_full, group_shift, share[m]);
        }
      }
      float value[kM][kHeadSteps][2][4];
      project_values(normed, head, value);
#pragma unroll
      for (int m = 0; m < kM; ++m) {
#pragma unroll
        for (int e = 0; e < kHeadSteps; ++e) {
          float low[4] = {};
          float high[4] = {};
          const float(&v)[2][4] = value[m][e];
          mma_bf16(low, share[m], pack_bf16(v[0][0], v[0][1]), pack_bf16(v[1][0], v[1][1]));
          mma_bf16(high, share[m], pack_bf16(v[0][2], v[0][3]), pack_bf16(v[1][2], v[1][3]));
          uint32_t(&to)[4] = mixed[m][head * kHeadSteps + e];
          to[0] = pack_bf16(low[0], low[1]);
          to[1] = pack_bf16(low[2], low[3]);
          to[2] = pack_bf16(high[0], high[1]);
          to[3] = pack_bf16(high[2], high[3]);
        }
      }
    }
    add_bias(z, Layout::kOutBias);
#pragma unroll
    for (int n = 0; n < kTiles; ++n) {
#pragma unroll
      for (int s = 0; s < kSteps; ++s) {
        const uint2 b = unit(Layout::kOut + n * kSteps + s);
#pragma unroll
        for (int m = 0; m < kM; ++m) mma_bf16(z[m][n], mixed[m][s], b.x, b.y);
      }
    }
  }

  /// z += fc2·gelu(fc1·normed), 16 hidden columns at a time.
  __device__ __forceinline__ void feed_forward(Rows& z, const Fragments& normed) const {
    add_bias(z, Layout::kResultBias);
#pragma unroll 2
    for (int c = 0; c < 4 * kSteps; ++c) {
      float hidden[kM][2][4];
#pragma unroll
      for (int t = 0; t < 2; ++t) {
        const float2 bias = pair(Layout::kHiddenBias, c * 2 + t);
#pragma unroll
        for (int s = 0; s < kSteps; ++s) {
          const uint2 b = unit(Layout::kHidden + (c * 2 + t) * kSteps + s);
#pragma unroll
          for (int m = 0; m < kM; ++m) {
            if (s == 0) {
              mma_bf16_columns(hidden[m][t], normed[m][s], b.x, b.y, bias);
            } else {
              mma_bf16(hidden[m][t], normed[m][s], b.x, b.y);
            }
          }
        }
      }
      add_gelu(z, hidden, 0, Layout::kResult, 4 * kSteps, c);
    }
  }
};

}  // namespace longer
