#include <algorithm>
#include <cmath>

#include "ops/cuda_launch.hpp"
#include "ops/event_encoder/group_attention_bf16_cuda.hpp"
#include "ops/tensor_core.cuh"

namespace longer {
namespace {

constexpr int kThreads = kGroupAttentionThreads;
constexpr float kLog2E = 1.44269504F;

__device__ __forceinline__ void unpack8(float* to, const Bf16* from) {
  const uint4 four = *reinterpret_cast<const uint4*>(from);
  const uint32_t pairs[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    to[2 * i] = __uint_as_float(pairs[i] << 16);
    to[2 * i + 1] = __uint_as_float(pairs[i] & 0xFFFF0000U);
  }
}
template <int kWidth>
__device__ __forceinline__ void load(float (&to)[kWidth], const Bf16* from) {
#pragma unroll
  for (int c = 0; c < kWidth; c += 8) unpack8(to + c, from + c);
}
template <int kWidth>
__device__ __forceinline__ void store(Bf16* to, const float (&from)[kWidth], float scale) {
#pragma unroll
  for (int c = 0; c < kWidth; c += 2) {
    *reinterpret_cast<uint32_t*>(to + c) = pack_bf16(from[c] * scale, from[c + 1] * scale);
  }
}
template <int kWidth>
__device__ __forceinline__ float dot(const float (&a)[kWidth], const Bf16* b) {
  float sum = 0.0F;
#pragma unroll
  for (int c = 0; c < kWidth; c += 8) {
    float part[8];
    unpack8(part, b + c);
#pragma unroll
    for (int i = 0; i < 8; ++i) sum = fmaf(a[c + i], part[i], sum);
  }
  return sum;
}
/// sum += weight · b.
template <int kWidth>
__device__ __forceinline__ void add(float (&sum)[kWidth], float weight, const Bf16* b) {
#pragma unroll
  for (int c = 0; c < kWidth; c += 8) {
    float part[8];
    unpack8(part, b + c);
#pragma unroll
    for (int i = 0; i < 8; ++i) sum[c + i] = fmaf(weight, part[i], sum[c + i]);
  }
}

/// A thread owns one head of one row; a block's groups are whole.
struct RowOfThread {
  int64_t begin, end, row;
  int head;
  bool is_row;

  __device__ RowOfThread(const GroupAttentionBf16& p, int groups_per_block)
      : begin(0), end(0), row(0), head(0), is_row(false) {
    const int per_group = static_cast<int>(p.group_size * p.heads);
    const int in_block = static_cast<int>(threadIdx.x) / per_group;
    const int64_t group = static_cast<int64_t>(blockIdx.x) * groups_per_block + in_block;
    if (in_block >= groups_per_block || group >= p.num_groups) return;
    const int at = static_cast<int>(threadIdx.x) % per_group;
    head = at % static_cast<int>(p.heads);
    begin = p.group_offsets[group];
    end = p.group_offsets[group + 1];
    row = begin + at / static_cast<int>(p.heads);
    is_row = row < end;
  }
};

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    forward_kernel(GroupAttentionBf16 p, Bf16View out, int groups_per_block, float scale) {
  const RowOfThread me(p, groups_per_block);
  if (!me.is_row) return;
  const int64_t d = p.qkv.cols / 3;
  const Bf16* base = p.qkv.data + me.head * kWidth;
  float q[kWidth];
  load(q, base + me.row * p.qkv.stride);
  float most = -INFINITY;
  float sum = 0.0F;
  float result[kWidth] = {};
  for (int64_t key = me.begin; key < me.end; ++key) {
    const Bf16* k = base + key * p.qkv.stride + d;
    const float score = dot(q, k) * scale;
    const float next = fmaxf(most, score);
    const float shrink = fast_exp2(most - next);
    const float share = fast_exp2(score - next);
    sum = fmaf(sum, shrink, share);
#pragma unroll
    for (float& value : result) value *= shrink;
    add(result, share, k + d);
    most = next;
  }
  store(out.data + me.row * out.stride + me.head * kWidth, result, 1.0F / sum);
}

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    backward_kernel(GroupAttentionBf16 p, Bf16View d_out, Bf16View d_qkv, int groups_per_block,
                    float scale) {
  __shared__ float lse[kThreads];  // to base 2
  __shared__ float delta[kThreads];
  const RowOfThread me(p, groups_per_block);
  const int64_t d = p.qkv.cols / 3;
  const Bf16* base = p.qkv.data + me.head * kWidth;
  const Bf16* d_base = d_out.data + me.head * kWidth;
  Bf16* to = d_qkv.data + me.row * d_qkv.stride + me.head * kWidth;
  const float to_base2 = scale * kLog2E;
  if (me.is_row) {
    float q[kWidth];
    float gradient[kWidth];
    load(q, base + me.row * p.qkv.stride);
    load(gradient, d_base + me.row * d_out.stride);
    float most = -INFINITY;
    float sum = 0.0F;
    float mean = 0.0F;  // Σ share · d_share
    for (int64_t key = me.begin; key < me.end; ++key) {
      const Bf16* k = base + key * p.qkv.stride + d;
      const float score = dot(q, k) * to_base2;
      const float next = fmaxf(most, score);
      const float shrink = fast_exp2(most - next);
      const float share = fast_exp2(score - next);
      sum = fmaf(sum, shrink, share);
      mean = fmaf(mean, shrink, share * dot(gradient, k + d));
      most = next;
    }
    const float own_lse = most + log2f(sum);
    const float own_delta = mean / sum;
    lse[threadIdx.x] = own_lse;
    delta[threadIdx.x] = own_delta;
    float d_q[kWidth] = {};
    for (int64_t key = me.begin; key < me.end; ++key) {
      const Bf16* k = base + key * p.qkv.stride + d;
      const float share = fast_exp2(fmaf(dot(q, k), to_base2, -own_lse));
      add(d_q, share * (dot(gradient, k + d) - own_delta) * scale, k);
    }
    store(to, d_q, 1.0F);
  }
  __syncthreads();
  if (!me.is_row) return;
  float k[kWidth];
  float v[kWidth];
  load(k, base + me.row * p.qkv.stride + d);
  load(v, base + me.row * p.qkv.stride + 2 * d);
  float d_k[kWidth] = {};
  float d_v[kWidth] = {};
  const int heads = static_cast<int>(p.heads);
  int at = static_cast<int>(threadIdx.x) - static_cast<int>(me.row - me.begin) * heads;
  for (int64_t query = me.begin; query < me.end; ++query, at += heads) {
    const Bf16* q = base + query * p.qkv.stride;
    const Bf16* gradient = d_base + query * d_out.stride;
    const float share = fast_exp2(fmaf(dot(k, q), to_base2, -lse[at]));
    add(d_v, share, gradient);
    add(d_k, share * (dot(v, gradient) - delta[at]) * scale, q);
  }
  store(to + d, d_k, 1.0F);
  store(to + 2 * d, d_v, 1.0F);
}

/// launch(width of a head, groups of a block, blocks, scale of scores).
template <class Launch>
void for_heads(const GroupAttentionBf16& p, const Launch& launch) {
  const int64_t width = p.qkv.cols / 3 / p.heads;
  const int64_t groups = std::max<int64_t>(1, kThreads / (p.group_size * p.heads));
  const unsigned blocks = blocks_for(p.num_groups, groups);
  const float scale = 1.0F / std::sqrt(static_cast<float>(width));
  if (width == 8) return launch(std::integral_constant<int, 8>(), groups, blocks, scale);
  if (width == 16) return launch(std::integral_constant<int, 16>(), groups, blocks, scale);
  return launch(std::integral_constant<int, 32>(), groups, blocks, scale);
}

}  // namespace

void group_attention_forward_bf16(cudaStream_t stream, const GroupAttentionBf16& p,
                                  const Bf16View& out) {
  if (p.num_groups == 0) return;
  for_heads(p, [&](auto width, int64_t groups, unsigned blocks, float scale) {
    constexpr int kWidth = decltype(width)::value;
    const auto kernel = forward_kernel<kWidth>;
    kernel<<<blocks, kThreads, 0, stream>>>(p, out, static_cast<int>(groups), scale * kLog2E);
  });
  check_cuda(cudaGetLastError(), "launch group attention");
}

void group_attention_backward_bf16(cudaStream_t stream, const GroupAttentionBf16& p,
                                   const Bf16View& d_out, const Bf16View& d_qkv) {
  if (p.num_groups == 0) return;
  for_heads(p, [&](auto width, int64_t groups, unsigned blocks, float scale) {
    constexpr int kWidth = decltype(width)::value;
    const auto kernel = backward_kernel<kWidth>;
    kernel<<<blocks, kThreads, 0, stream>>>(p, d_out, d_qkv, static_cast<int>(groups), scale);
  });
  check_cuda(cudaGetLastError(), "launch group attention gradient");
}

}  // namespace longer
