#include <cmath>

#include "ops/attention/attention_bf16_cuda.hpp"
#include "ops/attention/backward_memory.cuh"
#include "ops/cuda_launch.hpp"

namespace longer {
namespace {

constexpr int kMaxThreads = 256;

/// A share and its gradient: p = 2^(score − lse), p · (d_share − delta) · scale; 0 where not seen.
__device__ __forceinline__ void share_gradient(float& score, float& d_share, bool is_seen,
                                               float scale, float lse, float delta) {
  const float share = is_seen ? fast_exp2(fmaf(score, scale * kLog2E, -lse)) : 0.0F;
  d_share = is_seen ? share * (d_share - delta) * scale : 0.0F;
  score = share;
}

/// Both products of a tile: score += a · left rowsᵀ and d_share += b · right rowsᵀ, over the 16
/// rows from `at` on; a and b are a warp's own rows as A fragments.
template <int kWidth>
__device__ __forceinline__ void multiply_tile(float (&score)[2][4], float (&d_share)[2][4],
                                              const uint32_t (&a)[HeadTile<kWidth>::kSteps][4],
                                              const uint32_t (&b)[HeadTile<kWidth>::kSteps][4],
                                              const BackwardMemory<kWidth>& memory, int at) {
  using Tile = HeadTile<kWidth>;
#pragma unroll
  for (int e = 0; e < Tile::kSteps; ++e) {
    uint32_t rows[4];
    Tile::load_columns(rows, memory.left, at, e);
    mma_bf16(score[0], a[e], rows[0], rows[1]);
    mma_bf16(score[1], a[e], rows[2], rows[3]);
    Tile::load_columns(rows, memory.right, at, e);
    mma_bf16(d_share[0], b[e], rows[0], rows[1]);
    mma_bf16(d_share[1], b[e], rows[2], rows[3]);
  }
}

/// d_keys and d_values: a warp owns a tile of 16 keys and meets the queries in order. Scores are
/// computed transposed, so that they are the A fragments of both sums as they come.
template <int kWidth>
__device__ void key_pass(const AttentionBf16Backward& b, const AttentionSpan& s, uint4* shared,
                         float scale, int capacity) {
  using Tile = HeadTile<kWidth>;
  const AttentionBf16Forward& p = b.forward;
  const BackwardMemory<kWidth> memory(shared, capacity);
  const int64_t column = static_cast<int64_t>(blockIdx.y) * kWidth;
  const HeadRows q(p.q, s, column), out(p.out, s, column), d_out(b.d_out, s, column);
  const HeadRows keys(p.prefix_keys, p.own_keys, s, column);
  const HeadRows values(p.prefix_values, p.own_values, s, column);
  const int lane = static_cast<int>(threadIdx.x) & 31;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int num_warps = static_cast<int>(blockDim.x) / 32;
  const int step = num_warps * kAttentionTile;
  bool is_loaded = false;
  for (int group = static_cast<int>(blockIdx.z) * step; group < keys.count;
       group += step * static_cast<int>(gridDim.z)) {
    const int first = group + warp * kAttentionTile;
    uint32_t key[Tile::kSteps][4];
    uint32_t value[Tile::kSteps][4];
    Tile::load_a(key, keys, first);
    Tile::load_a(value, values, first);
    float d_key[kWidth / 8][4] = {};
    float d_value[kWidth / 8][4] = {};
    for (int begin = 0; begin < q.count; begin += capacity) {
      const int held =
          min(capacity, (q.count - begin + kAttentionTile - 1) / kAttentionTile * kAttentionTile);
      if (!is_loaded) {
        __syncthreads();  // the rows before were read
        Tile::load(memory.left, q, begin, held);
        Tile::load(memory.right, d_out, begin, held);
        commit_copies();
        load_facts(memory, b, s, out, d_out, begin, held);
        for (int tile = warp; tile < held / kAttentionTile; tile += num_warps) {
          VisibleKeys seen[2];
          load_sight(seen, p.visible, s, begin + tile * kAttentionTile);
          const TileSight sight = tile_sight(seen);
          if (lane == 0) memory.sights[tile] = sight;
        }
        wait_copies<0>();
        __syncthreads();
        is_loaded = q.count <= capacity;
      }
      for (int at = 0; at < held; at += kAttentionTile) {
        const TileSight sight = memory.sights[at / kAttentionTile];
        if (!sight.sees_any(first, first + kAttentionTile)) continue;
        float score[2][4] = {};
        float d_share[2][4] = {};
        multiply_tile<kWidth>(score, d_share, key, value, memory, at);
        const bool is_masked = !sight.sees_all(first + kAttentionTile);
#pragma unroll
        for (int j = 0; j < 2; ++j) {
#pragma unroll
          for (int i = 0; i < 2; ++i) {
            const int row = at + j * 8 + lane % 4 * 2 + i;
            const QueryFacts facts = memory.facts[row];
            const float delta = memory.deltas[row];
#pragma unroll
            for (int h = 0; h < 2; ++h) {
              const bool is_seen = !is_masked || sees_key(facts.seen, first + h * 8 + lane / 4);
              share_gradient(score[j][2 * h + i], d_share[j][2 * h + i], is_seen, scale, facts.lse,
                             delta);
            }
          }
        }
        uint32_t share[4];
        uint32_t d_score[4];
        as_fragment(share, score[0], score[1]);
        as_fragment(d_score, d_share[0], d_share[1]);
#pragma unroll
        for (int n = 0; n < kWidth / 16; ++n) {
          uint32_t rows[4];
          Tile::load_rows(rows, memory.right, at, n);
          mma_bf16(d_value[2 * n], share, rows[0], rows[1]);
          mma_bf16(d_value[2 * n + 1], share, rows[2], rows[3]);
          Tile::load_rows(rows, memory.left, at, n);
          mma_bf16(d_key[2 * n], d_score, rows[0], rows[1]);
          mma_bf16(d_key[2 * n + 1], d_score, rows[2], rows[3]);
        }
      }
    }
    constexpr float kOne[2] = {1.0F, 1.0F};
    Tile::store(HeadRows(b.d_prefix_keys, b.d_own_keys, s, column), first, d_key, kOne, true);
    Tile::store(HeadRows(b.d_prefix_values, b.d_own_values, s, column), first, d_value, kOne, true);
  }
}

/// d_q: a warp owns a tile of 16 queries and meets the keys in order.
template <int kWidth>
__device__ void query_pass(const AttentionBf16Backward& b, const AttentionSpan& s, uint4* shared,
                           float scale, int capacity) {
  using Tile = HeadTile<kWidth>;
  const AttentionBf16Forward& p = b.forward;
  const BackwardMemory<kWidth> memory(shared, capacity);
  const int64_t column = static_cast<int64_t>(blockIdx.y) * kWidth;
  const HeadRows q(p.q, s, column), out(p.out, s, column), d_out(b.d_out, s, column);
  const HeadRows keys(p.prefix_keys, p.own_keys, s, column);
  const HeadRows values(p.prefix_values, p.own_values, s, column);
  const int lane = static_cast<int>(threadIdx.x) & 31;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int step = static_cast<int>(blockDim.x) / 32 * kAttentionTile;
  bool is_loaded = false;
  for (int group = static_cast<int>(blockIdx.z) * step; group < q.count;
       group += step * static_cast<int>(gridDim.z)) {
    const int first = group + warp * kAttentionTile;
    uint32_t query[Tile::kSteps][4];
    uint32_t gradient[Tile::kSteps][4];
    Tile::load_a(query, q, first);
    Tile::load_a(gradient, d_out, first);
    VisibleKeys seen[2];
    load_sight(seen, p.visible, s, first);
    const TileSight sight = tile_sight(seen);
    float lse[2];
    float delta[2] = {};
    {
      uint32_t result[Tile::kSteps][4];
      Tile::load_a(result, out, first);
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int64_t row = s.query_begin + first + h * 8 + lane / 4;
        lse[h] = row < s.query_end ? p.lse[row * p.heads + blockIdx.y] * kLog2E : 0.0F;
#pragma unroll
        for (int e = 0; e < Tile::kSteps; ++e) {
#pragma unroll
          for (int i = h; i < 4; i += 2) {
            delta[h] = fmaf(__uint_as_float(result[e][i] << 16),
                            __uint_as_float(gradient[e][i] << 16), delta[h]);
            delta[h] = fmaf(__uint_as_float(result[e][i] & 0xFFFF0000U),
                            __uint_as_float(gradient[e][i] & 0xFFFF0000U), delta[h]);
          }
        }
        delta[h] = quad_sum(delta[h]);
      }
    }
    float d_q[kWidth / 8][4] = {};
    for (int begin = 0; begin < keys.count; begin += capacity) {
      const int held = min(
          capacity, (keys.count - begin + kAttentionTile - 1) / kAttentionTile * kAttentionTile);
      if (!is_loaded) {
        __syncthreads();  // the rows before were read
        Tile::load(memory.left, keys, begin, held);
        Tile::load(memory.right, values, begin, held);
        commit_copies();
        wait_copies<0>();
        __syncthreads();
        is_loaded = keys.count <= capacity;
      }
      for (int at = 0; at < held; at += kAttentionTile) {
        const int key = begin + at;
        if (!sight.sees_any(key, key + kAttentionTile)) continue;
        float score[2][4] = {};
        float d_share[2][4] = {};
        multiply_tile<kWidth>(score, d_share, query, gradient, memory, at);
        const bool is_masked = !sight.sees_all(key + kAttentionTile);
#pragma unroll
        for (int j = 0; j < 2; ++j) {
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            const bool is_seen =
                !is_masked || sees_key(seen[i / 2], key + j * 8 + lane % 4 * 2 + i % 2);
            share_gradient(score[j][i], d_share[j][i], is_seen, scale, lse[i / 2], delta[i / 2]);
          }
        }
        uint32_t d_score[4];
        as_fragment(d_score, d_share[0], d_share[1]);
#pragma unroll
        for (int n = 0; n < kWidth / 16; ++n) {
          uint32_t rows[4];
          Tile::load_rows(rows, memory.left, at, n);
          mma_bf16(d_q[2 * n], d_score, rows[0], rows[1]);
          mma_bf16(d_q[2 * n + 1], d_score, rows[2], rows[3]);
        }
      }
    }
    constexpr float kOne[2] = {1.0F, 1.0F};
    Tile::store(HeadRows(b.d_q, s, column), first, d_q, kOne, false);
  }
}

/// Grid: (spans, heads, pieces of the tiles). Scores are computed twice, once for each side's sums:
/// that costs two products more and needs neither atomics nor an order among warps.
template <int kWidth>
__global__ void __launch_bounds__(kMaxThreads, 1)
    backward_kernel(AttentionBf16Backward b, float scale, int capacity) {
  extern __shared__ uint4 shared[];
  const AttentionSpan s = b.forward.spans[blockIdx.x];
  key_pass<kWidth>(b, s, shared, scale, capacity);
  query_pass<kWidth>(b, s, shared, scale, capacity);
}

template <int kWidth>
void launch(cudaStream_t stream, const AttentionBf16Backward& p) {
  const AttentionCut cut = attention_cut(p.forward, true);
  const auto kernel = backward_kernel<kWidth>;
  const int bytes = BackwardMemory<kWidth>::bytes(cut.capacity);
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
             "set up attention gradient");
  const dim3 grid(static_cast<unsigned>(p.forward.num_spans),
                  static_cast<unsigned>(p.forward.heads), static_cast<unsigned>(cut.pieces));
  kernel<<<grid, cut.warps * 32, bytes, stream>>>(p, 1.0F / std::sqrt(static_cast<float>(kWidth)),
                                                  cut.capacity);
  check_cuda(cudaGetLastError(), "launch attention gradient");
}

}  // namespace

void attention_backward_bf16(cudaStream_t stream, const AttentionBf16Backward& p) {
  if (p.forward.num_spans == 0) return;
  switch (p.forward.q.cols / p.forward.heads) {
    case 16:
      return launch<16>(stream, p);
    case 32:
      return launch<32>(stream, p);
    default:
      return launch<64>(stream, p);
  }
}

}  // namespace longer
