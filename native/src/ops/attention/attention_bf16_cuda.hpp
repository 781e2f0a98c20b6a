#pragma once
#include "core/bf16.hpp"
#include "ops/attention/attention.hpp"
#include "ops/cuda_stream.hpp"

namespace longer {

/// AttentionForward with rows in bf16: scores, softmax, statistics and sums are f32, probabilities
/// are rounded for the product with the values (native/docs/kernels/attention_cuda.md). A row's
/// bits depend on the keys of its span that it sees, not on other rows.
struct AttentionBf16Forward {
  int64_t num_spans = 0;
  const AttentionSpan* spans = nullptr;
  const VisibleKeys* visible = nullptr;
  int64_t heads = 1;
  Bf16View q, prefix_keys, prefix_values, own_keys, own_values;
  Bf16View out;
  float* lse = nullptr;  // [Rq, heads], natural logarithm
};
/// AttentionBackward likewise: d_q is set, the others are ADDED to.
struct AttentionBf16Backward {
  AttentionBf16Forward forward;
  Bf16View d_out;
  Bf16View d_q, d_prefix_keys, d_prefix_values, d_own_keys, d_own_values;
};
void attention_forward_bf16(cudaStream_t stream, const AttentionBf16Forward& p);
void attention_backward_bf16(cudaStream_t stream, const AttentionBf16Backward& p);

/// How a call is cut: warps of a block, rows of keys (or queries) in its shared memory at a time,
/// and blocks that share a span's head.
struct AttentionCut {
  int warps;
  int capacity;
  int pieces;
};
AttentionCut attention_cut(const AttentionBf16Forward& p, bool is_backward);

}  // namespace longer
