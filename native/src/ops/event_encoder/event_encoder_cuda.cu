#include <vector>

#include "ops/attention/attention_cuda.hpp"
#include "ops/cuda_launch.hpp"
#include "ops/dropout/dropout_cuda.hpp"
#include "ops/event_encoder/event_encoder_bf16_cuda.hpp"
#include "ops/event_encoder/event_encoder_cuda.hpp"
#include "ops/event_encoder/event_rows_cuda.hpp"
#include "ops/feature_input/feature_input_cuda.hpp"
#include "ops/layer_norm/layer_norm_cuda.hpp"
#include "ops/linear/linear_cuda.hpp"

namespace longer {
namespace {

/// Rows of features and position (if there is one), then of the time bucket.
void gather_inputs(CudaStream& stream, const EventTokens& tokens, const EventEncoderWeights& w,
                   MatrixView inputs) {
  const int64_t width = inputs.cols - w.time_width;
  gather_features_cuda(stream, w.tables, tokens.features, inputs);
  const float* position = w.position;
  const float* time_bucket = w.time_bucket;
  const int64_t time_width = w.time_width;
  for_elements(
      stream.get(), "gather positions", inputs.rows * inputs.cols, [=] __device__(int64_t i) {
        const int64_t token = i / inputs.cols;
        const int64_t col = i % inputs.cols;
        if (col < width) {
          if (position == nullptr) return;
          inputs.data[i] += position[tokens.positions[token] * width + col];
        } else {
          inputs.data[i] = time_bucket[tokens.time_buckets[token] * time_width + col - width];
        }
      });
}

/// z = e + slot[slot].
void add_slots(CudaStream& stream, const EventTokens& tokens, const float* slot,
               ConstMatrixView events, MatrixView z) {
  const int64_t d = z.cols;
  for_elements(stream.get(), "add slots", z.rows * d, [=] __device__(int64_t i) {
    z.data[i] = events.data[i] + slot[tokens.slots[i / d] * d + i % d];
  });
}

/// Attention geometry of the groups: every token sees its whole group.
void find_spans(CudaStream& stream, const EventTokens& tokens, AttentionSpan* spans,
                VisibleKeys* visible) {
  for_elements(stream.get(), "find groups", tokens.num_groups, [=] __device__(int64_t g) {
    const int64_t begin = tokens.group_offsets[g];
    const int64_t end = tokens.group_offsets[g + 1];
    spans[g] = {begin, end, 0, 0, begin, end};
    for (int64_t t = begin; t < end; ++t) visible[t] = {static_cast<int32_t>(end - begin), 0, 0};
  });
}

Dropout block_dropout(const Dropout& dropout, size_t block) {
  Dropout own = dropout;
  own.layer = -1 - static_cast<int32_t>(block);
  return own;
}

void copy_columns(cudaStream_t stream, ConstMatrixView from, float* to) {
  const auto bytes = static_cast<size_t>(from.cols) * sizeof(float);
  if (bytes == 0) return;
  check_cuda(
      cudaMemcpy2DAsync(to, bytes, from.data, static_cast<size_t>(from.stride) * sizeof(float),
                        bytes, static_cast<size_t>(from.rows), cudaMemcpyDeviceToDevice, stream),
      "copy columns");
}

struct BlockRows {
  MatrixView input, qkv, attended, middle, hidden_pre;
  float *mean1, *rstd1, *mean2, *rstd2, *lse;
};

/// Everything the forward pass computes; the backward pass computes it again and reads it.
struct Encoding {
  MatrixView features, hidden_pre, events, output;
  std::vector<BlockRows> blocks;
  AttentionSpan* spans;
  VisibleKeys* visible;
};

AttentionForward attention_of(const EventEncoderWeights& w, const EventTokens& tokens,
                              const Encoding& e, const BlockRows& b) {
  const int64_t d = w.fc2.out;
  AttentionForward a;
  a.num_spans = tokens.num_groups;
  a.spans = e.spans;
  a.visible = e.visible;
  a.heads = w.inner_heads;
  a.q = b.qkv.slice_cols(0, d);
  a.own_keys = b.qkv.slice_cols(d, 2 * d);
  a.own_values = b.qkv.slice_cols(2 * d, 3 * d);
  a.out = b.attended;
  a.lse = b.lse;
  return a;
}

Encoding encode(CudaStream& stream, const EventTokens& tokens, const EventEncoderWeights& w,
                const Dropout& dropout) {
  Workspace& arena = stream.workspace();
  const cudaStream_t s = stream.get();
  const int64_t n = tokens.num_events;
  const int64_t d = w.fc2.out;
  const int64_t width = features_width(w.tables);
  Encoding e{};
  e.features = arena.matrix(n, width + w.time_width);
  e.hidden_pre = arena.matrix(n, 2 * d);
  e.events = arena.matrix(n, d);
  const MatrixView hidden = arena.matrix(n, 2 * d);
  gather_inputs(stream, tokens, w, e.features);
  linear_forward_cuda(stream, e.features, w.fc1, hidden, Activation::kGelu, {}, e.hidden_pre);
  linear_forward_cuda(stream, hidden, w.fc2, e.events, Activation::kNone, {}, {});
  e.output = e.events;
  if (w.inner.empty()) return e;

  e.spans = arena.allocate<AttentionSpan>(tokens.num_groups);
  e.visible = arena.allocate<VisibleKeys>(n);
  find_spans(stream, tokens, e.spans, e.visible);
  MatrixView z = arena.matrix(n, d);
  add_slots(stream, tokens, w.slot, e.events, z);
  for (size_t i = 0; i < w.inner.size(); ++i) {
    const BlockWeights& block = w.inner[i];
    const Dropout own = block_dropout(dropout, i);
    BlockRows b{};
    b.input = z;
    b.qkv = arena.matrix(n, 3 * d);
    b.attended = arena.matrix(n, d);
    b.middle = arena.matrix(n, d);
    b.hidden_pre = arena.matrix(n, 4 * d);
    for (float** statistic : {&b.mean1, &b.rstd1, &b.mean2, &b.rstd2})
      *statistic = arena.allocate<float>(n);
    b.lse = arena.allocate<float>(n * w.inner_heads);
    const MatrixView normed = arena.matrix(n, d);
    const MatrixView wide = arena.matrix(n, 4 * d);
    layer_norm_forward_cuda(stream, b.input, block.ln1, normed, b.mean1, b.rstd1);
    linear_forward_cuda(stream, normed, block.qkv, b.qkv, Activation::kNone, {}, {});
    attention_forward_cuda(s, attention_of(w, tokens, e, b));
    linear_with_dropout_cuda(stream, b.attended, block.out, b.middle, b.input, own,
                             DropoutSite::kAttention);
    layer_norm_forward_cuda(stream, b.middle, block.ln2, normed, b.mean2, b.rstd2);
    linear_forward_cuda(stream, normed, block.fc1, wide, Activation::kGelu, {}, b.hidden_pre);
    z = arena.matrix(n, d);
    linear_with_dropout_cuda(stream, wide, block.fc2, z, b.middle, own, DropoutSite::kFeedForward);
    e.blocks.push_back(b);
  }
  e.output = z;
  return e;
}

/// d_z [N, d]: gradient of the block's output on entry, of its input on return.
void backward_block(CudaStream& stream, const EventEncoderBackward& p, size_t index,
                    const Encoding& e, MatrixView d_z) {
  const BlockWeights& block = p.weights->inner[index];
  const BlockGradients& g = p.gradients.inner[index];
  const BlockRows& b = e.blocks[index];
  const Dropout dropout = block_dropout(p.dropout, index);
  const WorkspaceScope scope(stream.workspace());
  Workspace& arena = stream.workspace();
  const cudaStream_t s = stream.get();
  const int64_t n = d_z.rows;
  const int64_t d = d_z.cols;
  const MatrixView normed = arena.matrix(n, d);
  const MatrixView hidden = arena.matrix(n, 4 * d);
  const MatrixView d_hidden = arena.matrix(n, 4 * d);
  const MatrixView d_qkv = arena.matrix(n, 3 * d);
  float* unused = arena.allocate<float>(2 * n);  // statistics that are known already

  gelu_forward_cuda(stream, b.hidden_pre, hidden);
  const ConstMatrixView d_fc2 =
      dropout_backward_cuda(stream, dropout, DropoutSite::kFeedForward, d_z, normed);
  linear_backward_weights_cuda(stream, hidden, d_fc2, g.fc2);
  linear_backward_input_cuda(stream, d_fc2, block.fc2, d_hidden);
  gelu_backward_cuda(stream, b.hidden_pre, d_hidden, d_hidden);
  layer_norm_forward_cuda(stream, b.middle, block.ln2, normed, unused, unused + n);
  linear_backward_weights_cuda(stream, normed, d_hidden, g.fc1);
  linear_backward_input_cuda(stream, d_hidden, block.fc1, normed);
  layer_norm_backward_cuda(stream, b.middle, block.ln2, b.mean2, b.rstd2, normed, d_z, Write::kAdd,
                           g.ln2);

  const ConstMatrixView d_projected = dropout_backward_cuda(
      stream, dropout, DropoutSite::kAttention, d_z, d_hidden.slice_cols(0, d));
  linear_backward_weights_cuda(stream, b.attended, d_projected, g.out);
  linear_backward_input_cuda(stream, d_projected, block.out, normed);
  stream.zero(d_qkv.data, n * 3 * d);
  AttentionBackward attention;
  attention.forward = attention_of(*p.weights, p.tokens, e, b);
  attention.d_out = normed;
  attention.d_q = d_qkv.slice_cols(0, d);
  attention.d_own_keys = d_qkv.slice_cols(d, 2 * d);
  attention.d_own_values = d_qkv.slice_cols(2 * d, 3 * d);
  attention_backward_cuda(s, attention, arena.allocate<float>(n * p.weights->inner_heads));
  layer_norm_forward_cuda(stream, b.input, block.ln1, normed, unused, unused + n);
  linear_backward_weights_cuda(stream, normed, d_qkv, g.qkv);
  linear_backward_input_cuda(stream, d_qkv, block.qkv, normed);
  layer_norm_backward_cuda(stream, b.input, block.ln1, b.mean1, b.rstd1, normed, d_z, Write::kAdd,
                           g.ln1);
}

}  // namespace

void event_encoder_forward_cuda(CudaStream& stream, const EventEncoderForward& p) {
  if (p.tokens.num_events == 0) return;
  if (p.precision == Precision::kBf16 &&
      event_encoder_takes_bf16(*p.weights, p.tokens.merge_factor)) {
    return event_encoder_forward_bf16(stream, p);
  }
  const WorkspaceScope scope(stream.workspace());
  const Encoding e = encode(stream, p.tokens, *p.weights, p.dropout);
  merge_tokens(stream, p.tokens, e.output, p.merged);
  if (p.event_tokens != nullptr) copy_columns(stream.get(), e.events, p.event_tokens);
}

void event_encoder_backward_cuda(CudaStream& stream, const EventEncoderBackward& p) {
  const EventTokens& tokens = p.tokens;
  if (tokens.num_events == 0) return;
  if (p.precision == Precision::kBf16 &&
      event_encoder_takes_bf16(*p.weights, p.tokens.merge_factor)) {
    return event_encoder_backward_bf16(stream, p);
  }
  const WorkspaceScope scope(stream.workspace());
  Workspace& arena = stream.workspace();
  const cudaStream_t s = stream.get();
  const EventEncoderWeights& w = *p.weights;
  const int64_t n = tokens.num_events;
  const int64_t d = w.fc2.out;
  const Encoding e = encode(stream, tokens, w, p.dropout);

  const MatrixView d_z = arena.matrix(n, d);
  unmerge_tokens(stream, tokens, p.d_merged, d_z);
  for (size_t b = w.inner.size(); b-- > 0;) backward_block(stream, p, b, e, d_z);
  if (w.slot != nullptr) add_slot_gradients(stream, tokens, d_z, p.gradients.slot);
  if (p.d_event_tokens != nullptr) copy_columns(s, d_z, p.d_event_tokens);

  const MatrixView hidden = arena.matrix(n, 2 * d);
  const MatrixView d_hidden = arena.matrix(n, 2 * d);
  const MatrixView d_input = arena.matrix(n, e.features.cols);
  gelu_forward_cuda(stream, e.hidden_pre, hidden);
  linear_backward_weights_cuda(stream, hidden, d_z, p.gradients.fc2);
  linear_backward_input_cuda(stream, d_z, w.fc2, d_hidden);
  gelu_backward_cuda(stream, e.hidden_pre, d_hidden, d_hidden);
  linear_backward_weights_cuda(stream, e.features, d_hidden, p.gradients.fc1);
  linear_backward_input_cuda(stream, d_hidden, w.fc1, d_input);
  const int64_t width = features_width(w.tables);
  copy_columns(s, d_input.slice_cols(0, width), p.d_features);
  if (w.time_width > 0) copy_columns(s, d_input.slice_cols(width, width + w.time_width), p.d_time);
}

}  // namespace longer
