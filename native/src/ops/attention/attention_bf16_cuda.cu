#include <algorithm>
#include <cmath>

#include "ops/attention/attention_bf16_cuda.hpp"
#include "ops/attention/head_tile.cuh"
#include "ops/cuda_launch.hpp"

namespace longer {
namespace {

constexpr int kMaxThreads = 256;
constexpr int kKeys = 32;  // of a step

/// Grid: (spans, heads, pieces of the query tiles). A warp owns a tile of 16 queries and meets the
/// keys in order, 32 at a time, with the running maximum and sum of each row; the keys and values
/// of the span lie in shared memory, `capacity` rows at a time.
template <int kWidth>
__global__ void __launch_bounds__(kMaxThreads, 2)
    forward_kernel(AttentionBf16Forward p, float scale, int capacity) {
  using Tile = HeadTile<kWidth>;
  extern __shared__ uint4 shared[];
  auto* keys = reinterpret_cast<Bf16*>(shared);
  Bf16* values = keys + capacity * kWidth;
  const AttentionSpan s = p.spans[blockIdx.x];
  const int64_t column = static_cast<int64_t>(blockIdx.y) * kWidth;
  const HeadRows q(p.q, s, column);
  const HeadRows k(p.prefix_keys, p.own_keys, s, column);
  const HeadRows v(p.prefix_values, p.own_values, s, column);
  const int lane = static_cast<int>(threadIdx.x) & 31;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int step = static_cast<int>(blockDim.x) / 32 * kAttentionTile;
  const int piece = step * static_cast<int>(gridDim.z);
  bool is_loaded = false;
  for (int group = static_cast<int>(blockIdx.z) * step; group < q.count; group += piece) {
    const int first = group + warp * kAttentionTile;
    uint32_t queries[Tile::kSteps][4];
    Tile::load_a(queries, q, first);
    VisibleKeys seen[2];
    load_sight(seen, p.visible, s, first);
    const TileSight sight = tile_sight(seen);
    float most[2] = {-INFINITY, -INFINITY};
    float sum[2] = {0.0F, 0.0F};
    float out[kWidth / 8][4] = {};
    for (int begin = 0; begin < k.count; begin += capacity) {
      const int held = min(capacity, (k.count - begin + kKeys - 1) / kKeys * kKeys);
      if (!is_loaded) {
        __syncthreads();  // the rows before were read
        Tile::load(keys, k, begin, held);
        Tile::load(values, v, begin, held);
        commit_copies();
        wait_copies<0>();
        __syncthreads();
        is_loaded = k.count <= capacity;
      }
      for (int at = 0; at < held; at += kKeys) {
        const int key = begin + at;
        if (!sight.sees_any(key, key + kKeys)) continue;
        float score[kKeys / 8][4] = {};
#pragma unroll
        for (int e = 0; e < Tile::kSteps; ++e) {
#pragma unroll
          for (int j = 0; j < kKeys / 16; ++j) {
            uint32_t b[4];
            Tile::load_columns(b, keys, at + j * 16, e);
            mma_bf16(score[2 * j], queries[e], b[0], b[1]);
            mma_bf16(score[2 * j + 1], queries[e], b[2], b[3]);
          }
        }
        const bool is_masked = !sight.sees_all(key + kKeys);
#pragma unroll
        for (int h = 0; h < 2; ++h) {
          float next = most[h];
#pragma unroll
          for (int j = 0; j < kKeys / 8; ++j) {
#pragma unroll
            for (int i = 0; i < 2; ++i) {
              float& x = score[j][2 * h + i];
              x *= scale;
              if (is_masked && !sees_key(seen[h], key + j * 8 + lane % 4 * 2 + i)) x = -INFINITY;
              next = fmaxf(next, x);
            }
          }
          next = quad_max(next);
          const float base = next == -INFINITY ? 0.0F : next;
          const float shrink = fast_exp2(most[h] - base);
          most[h] = next;
          sum[h] *= shrink;
#pragma unroll
          for (int n = 0; n < kWidth / 8; ++n) {
            out[n][2 * h] *= shrink;
            out[n][2 * h + 1] *= shrink;
          }
#pragma unroll
          for (int j = 0; j < kKeys / 8; ++j) {
#pragma unroll
            for (int i = 0; i < 2; ++i) {
              float& x = score[j][2 * h + i];
              x = fast_exp2(x - base);
              sum[h] += x;
            }
          }
        }
#pragma unroll
        for (int j = 0; j < kKeys / 16; ++j) {
          uint32_t share[4];
          as_fragment(share, score[2 * j], score[2 * j + 1]);
#pragma unroll
          for (int n = 0; n < kWidth / 16; ++n) {
            uint32_t b[4];
            Tile::load_rows(b, values, at + j * 16, n);
            mma_bf16(out[2 * n], share, b[0], b[1]);
            mma_bf16(out[2 * n + 1], share, b[2], b[3]);
          }
        }
      }
    }
    float scale_out[2];
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const float total = quad_sum(sum[h]);
      scale_out[h] = total == 0.0F ? 0.0F : 1.0F / total;
      const int64_t row = s.query_begin + first + h * 8 + lane / 4;
      if (lane % 4 == 0 && row < s.query_end) {
        p.lse[row * p.heads + blockIdx.y] =
            total == 0.0F ? -INFINITY : most[h] / kLog2E + logf(total);
      }
    }
    Tile::store(HeadRows(p.out, s, column), first, out, scale_out, false);
  }
}

template <int kWidth>
void launch(cudaStream_t stream, const AttentionBf16Forward& p) {
  const AttentionCut cut = attention_cut(p, false);
  const auto kernel = forward_kernel<kWidth>;
  const int bytes = cut.capacity * kWidth * 4;
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
             "set up attention");
  const dim3 grid(static_cast<unsigned>(p.num_spans), static_cast<unsigned>(p.heads),
                  static_cast<unsigned>(cut.pieces));
  kernel<<<grid, cut.warps * 32, bytes, stream>>>(p, kLog2E / std::sqrt(static_cast<float>(kWidth)),
                                                  cut.capacity);
  check_cuda(cudaGetLastError(), "launch attention");
}

}  // namespace

AttentionCut attention_cut(const AttentionBf16Forward& p, bool is_backward) {
  constexpr int64_t kBlocks = 264;  // two for each of 132 multiprocessors: the same on every device
  constexpr int64_t kMostBytes = 128 << 10;
  constexpr int64_t kManyBytes = 72 << 10;  // beyond, a multiprocessor holds few blocks
  const int64_t width = p.q.cols / p.heads;
  const int64_t keys = (p.prefix_keys.rows + p.own_keys.rows) / p.num_spans;
  const int64_t queries = (p.q.rows + p.num_spans - 1) / p.num_spans;
  // The backward pass holds queries in turn with keys.
  const int64_t held = is_backward ? std::max(keys, queries) : keys;
  const int64_t most = kMostBytes / (width * 4);
  const int64_t capacity = std::clamp<int64_t>((held + kKeys - 1) / kKeys * kKeys, 64, most);
  const int64_t warps = capacity * width * 4 > kManyBytes ? 8 : 4;
  const int64_t tiles = is_backward ? std::max(keys, queries) : queries;
  const int64_t groups = (tiles + warps * kAttentionTile - 1) / (warps * kAttentionTile);
  const int64_t blocks = p.num_spans * p.heads;
  const int64_t pieces =
      std::clamp<int64_t>((kBlocks + blocks - 1) / blocks, 1, std::max<int64_t>(1, groups));
  return {static_cast<int>(warps), static_cast<int>(capacity), static_cast<int>(pieces)};
}

void attention_forward_bf16(cudaStream_t stream, const AttentionBf16Forward& p) {
  if (p.num_spans == 0) return;
  switch (p.q.cols / p.heads) {
    case 16:
      return launch<16>(stream, p);
    case 32:
      return launch<32>(stream, p);
    default:
      return launch<64>(stream, p);
  }
}

}  // namespace longer
