#include <vector>

#include "ops/dropout/dropout_bf16_cuda.hpp"
#include "ops/event_encoder/event_encoder_bf16_cuda.hpp"
#include "ops/event_encoder/event_rows_cuda.hpp"
#include "ops/event_encoder/fused_event_encoder_cuda.hpp"
#include "ops/event_encoder/group_attention_bf16_cuda.hpp"
#include "ops/layer_norm/layer_norm_bf16_cuda.hpp"
#include "ops/linear/linear_bf16_cuda.hpp"

namespace longer {
namespace {

Dropout block_dropout(const Dropout& dropout, size_t block) {
  Dropout own = dropout;
  own.layer = -1 - static_cast<int32_t>(block);
  return own;
}

/// What the forward pass of a block computes; the backward pass computes it again and reads it.
struct BlockRows {
  MatrixView input, middle;
  Bf16View qkv, attended, hidden_pre;
  float *mean1, *rstd1, *mean2, *rstd2;
};

struct Encoding {
  Bf16View features, hidden_pre;
  MatrixView events, output;
  std::vector<BlockRows> blocks;
};

GroupAttentionBf16 attention_of(const EventEncoderWeights& w, const EventTokens& tokens,
                                const Bf16View& qkv) {
  return {tokens.num_groups, tokens.merge_factor, tokens.group_offsets, w.inner_heads, qkv};
}

/// x·Wᵀ + b, rounded.
void apply(CudaStream& stream, const Bf16View& x, const LinearWeights& w, const Bf16View& y) {
  Bf16Epilogue e;
  e.bias = w.bias;
  e.out = y;
  linear_forward_bf16(stream, x, w, e);
}
/// gelu(x·Wᵀ + b) and what gelu was applied to.
void apply_with_gelu(CudaStream& stream, const Bf16View& x, const LinearWeights& w,
                     const Bf16View& pre, const Bf16View& y) {
  Bf16Epilogue e;
  e.bias = w.bias;
  e.pre_activation = pre;
  e.is_gelu = true;
  e.out = y;
  linear_forward_bf16(stream, x, w, e);
}
/// d_pre = (dy·W) ⊙ gelu'(pre), and gelu(pre) again.
void send_through_gelu(CudaStream& stream, const Bf16View& dy, const LinearWeights& w,
                       const Bf16View& pre, const Bf16View& hidden, const Bf16View& d_pre) {
  Bf16Epilogue e;
  e.gelu_input = pre;
  e.gelu_output = hidden;
  e.out = d_pre;
  linear_backward_input_bf16(stream, dy, w, e);
}
Bf16View send(CudaStream& stream, const Bf16View& dy, const LinearWeights& w, const Bf16View& dx) {
  Bf16Epilogue e;
  e.out = dx;
  linear_backward_input_bf16(stream, dy, w, e);
  return dx;
}

/// The block's result is in the next block's input.
void encode_block(CudaStream& stream, const EventTokens& tokens, const EventEncoderWeights& w,
                  size_t index, const Dropout& dropout, const BlockRows& b, MatrixView result) {
  const WorkspaceScope scope(stream.workspace());
  const BlockWeights& block = w.inner[index];
  const int64_t n = result.rows;
  const int64_t d = result.cols;
  const Bf16View normed = bf16_matrix(stream.workspace(), n, d);
  const Bf16View wide = bf16_matrix(stream.workspace(), n, 4 * d);
  layer_norm_forward_bf16(stream, b.input, block.ln1, normed, b.mean1, b.rstd1);
  apply(stream, normed, block.qkv, b.qkv);
  group_attention_forward_bf16(stream.get(), attention_of(w, tokens, b.qkv), b.attended);
  linear_with_dropout_bf16(stream, b.attended, block.out, b.middle, b.input, nullptr, dropout,
                           DropoutSite::kAttention);
  layer_norm_forward_bf16(stream, b.middle, block.ln2, normed, b.mean2, b.rstd2);
  apply_with_gelu(stream, normed, block.fc1, b.hidden_pre, wide);
  linear_with_dropout_bf16(stream, wide, block.fc2, result, b.middle, nullptr, dropout,
                           DropoutSite::kFeedForward);
}

/// `keeps_events`: the event tokens before the slot embedding, in `events`.
Encoding encode(CudaStream& stream, const EventTokens& tokens, const EventEncoderWeights& w,
                const Dropout& dropout, bool keeps_events) {
  Workspace& arena = stream.workspace();
  const int64_t n = tokens.num_events;
  const int64_t d = w.fc2.out;
  Encoding e{};
  e.features = bf16_matrix(arena, n, w.fc1.in);
  e.hidden_pre = bf16_matrix(arena, n, 2 * d);
  e.output = arena.matrix(n, d);
  const Bf16View hidden = bf16_matrix(arena, n, 2 * d);
  gather_inputs_bf16(stream, tokens, w, e.features);
  apply_with_gelu(stream, e.features, w.fc1, e.hidden_pre, hidden);
  Bf16Epilogue tokens_out;
  tokens_out.bias = w.fc2.bias;
  if (w.slot == nullptr || keeps_events) {
    e.events = w.slot == nullptr ? e.output : arena.matrix(n, d);
    tokens_out.out_f32 = e.events;
    linear_forward_bf16(stream, hidden, w.fc2, tokens_out);
  }
  if (w.slot == nullptr) return e;
  tokens_out.residual = {w.slot, tokens.merge_factor, d};
  tokens_out.residual_rows = tokens.slots;
  tokens_out.out_f32 = e.output;
  linear_forward_bf16(stream, hidden, w.fc2, tokens_out);
  for (size_t i = 0; i < w.inner.size(); ++i) {
    BlockRows b{};
    b.input = e.output;
    b.qkv = bf16_matrix(arena, n, 3 * d);
    b.attended = bf16_matrix(arena, n, d);
    b.middle = arena.matrix(n, d);
    b.hidden_pre = bf16_matrix(arena, n, 4 * d);
    for (float** statistic : {&b.mean1, &b.rstd1, &b.mean2, &b.rstd2})
      *statistic = arena.allocate<float>(n);
    e.output = arena.matrix(n, d);
    encode_block(stream, tokens, w, i, block_dropout(dropout, i), b, e.output);
    e.blocks.push_back(b);
  }
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
  const int64_t n = d_z.rows;
  const int64_t d = d_z.cols;
  const Bf16View normed = bf16_matrix(arena, n, d);
  const Bf16View d_normed = bf16_matrix(arena, n, d);
  const Bf16View rounded = bf16_matrix(arena, n, d);
  const Bf16View d_qkv = bf16_matrix(arena, n, 3 * d);
  {
    const WorkspaceScope feed_forward(arena);
    const Bf16View hidden = bf16_matrix(arena, n, 4 * d);
    const Bf16View d_hidden = bf16_matrix(arena, n, 4 * d);
    const Bf16View d_out =
        dropout_backward_bf16(stream, dropout, DropoutSite::kFeedForward, d_z, {});
    send_through_gelu(stream, d_out, block.fc2, b.hidden_pre, hidden, d_hidden);
    linear_backward_weights_bf16(stream, hidden, d_out, g.fc2);
    send(stream, d_hidden, block.fc1, d_normed);
    layer_norm_backward_bf16(stream, {b.middle, block.ln2, b.mean2, b.rstd2, d_normed, d_z, d_z,
                                      rounded, normed, g.ln2});
    linear_backward_weights_bf16(stream, normed, d_hidden, g.fc1);
  }
  const Bf16View d_projected =
      dropout_backward_bf16(stream, dropout, DropoutSite::kAttention, d_z, rounded);
  linear_backward_weights_bf16(stream, b.attended, d_projected, g.out);
  const Bf16View d_attended = send(stream, d_projected, block.out, d_normed);
  group_attention_backward_bf16(stream.get(), attention_of(*p.weights, p.tokens, b.qkv), d_attended,
                                d_qkv);
  send(stream, d_qkv, block.qkv, d_normed);
  layer_norm_backward_bf16(
      stream, {b.input, block.ln1, b.mean1, b.rstd1, d_normed, d_z, d_z, {}, normed, g.ln1});
  linear_backward_weights_bf16(stream, normed, d_qkv, g.qkv);
}

/// Columns [begin, end) of a map's input as a map of their own.
LinearWeights input_columns(const LinearWeights& w, int64_t begin, int64_t end) {
  LinearWeights part = w;
  part.half = w.half + begin;
  part.stride = w.row_stride();
  part.in = end - begin;
  return part;
}

}  // namespace

bool event_encoder_takes_bf16(const EventEncoderWeights& w, int64_t merge_factor) {
  const int64_t d = w.fc2.out;
  const int64_t head = d / w.inner_heads;
  const bool takes_heads =
      w.inner.empty() || ((head == 8 || head == 16 || head == 32) &&
                          merge_factor * w.inner_heads <= kGroupAttentionThreads);
  return w.fc1.half != nullptr && d % 8 == 0 && d <= 1024 && w.time_width % 8 == 0 &&
         (w.fc1.in - w.time_width) % 8 == 0 && takes_heads;
}

void event_encoder_forward_bf16(CudaStream& stream, const EventEncoderForward& p) {
  if (event_encoder_is_fused(p)) return event_encoder_forward_fused(stream, p);
  const WorkspaceScope scope(stream.workspace());
  const bool keeps_events = p.event_tokens != nullptr;
  const Encoding e = encode(stream, p.tokens, *p.weights, p.dropout, keeps_events);
  merge_tokens(stream, p.tokens, e.output, p.merged);
  if (keeps_events) stream.copy(p.event_tokens, e.events.data, e.events.rows * e.events.cols);
}

void event_encoder_backward_bf16(CudaStream& stream, const EventEncoderBackward& p) {
  const WorkspaceScope scope(stream.workspace());
  Workspace& arena = stream.workspace();
  const EventTokens& tokens = p.tokens;
  const EventEncoderWeights& w = *p.weights;
  const int64_t n = tokens.num_events;
  const int64_t d = w.fc2.out;
  const MatrixView d_z = arena.matrix(n, d);
  const Encoding e = encode(stream, tokens, w, p.dropout, false);
  unmerge_tokens(stream, tokens, p.d_merged, d_z);
  for (size_t b = w.inner.size(); b-- > 0;) backward_block(stream, p, b, e, d_z);
  if (w.slot != nullptr) add_slot_gradients(stream, tokens, d_z, p.gradients.slot);
  if (p.d_event_tokens != nullptr) stream.copy(p.d_event_tokens, d_z.data, n * d);

  const Bf16View d_events = bf16_matrix(arena, n, d);
  const Bf16View hidden = bf16_matrix(arena, n, 2 * d);
  const Bf16View d_hidden = bf16_matrix(arena, n, 2 * d);
  round_to_bf16(stream, d_z, d_events);
  send_through_gelu(stream, d_events, w.fc2, e.hidden_pre, hidden, d_hidden);
  linear_backward_weights_bf16(stream, hidden, d_events, p.gradients.fc2);
  linear_backward_weights_bf16(stream, e.features, d_hidden, p.gradients.fc1);
  const int64_t width = w.fc1.in - w.time_width;
  Bf16Epilogue inputs;
  inputs.out_f32 = {p.d_features, n, width};
  linear_backward_input_bf16(stream, d_hidden, input_columns(w.fc1, 0, width), inputs);
  if (w.time_width == 0) return;
  inputs.out_f32 = {p.d_time, n, w.time_width};
  linear_backward_input_bf16(stream, d_hidden, input_columns(w.fc1, width, w.fc1.in), inputs);
}

}  // namespace longer
