#include <algorithm>
#include <vector>

#include "ops/dropout/linear_with_dropout.hpp"
#include "ops/event_encoder/check_event_encoder.hpp"
#include "ops/event_encoder/event_encoder_cpu.hpp"
#include "ops/layer_norm/layer_norm.hpp"

namespace longer {
namespace {

// Weight gradients are summed in at most this many fixed runs of chunks, then run by run: their
// number depends on the batch alone, so the bits do not depend on the threads.
constexpr int64_t kMaxLanes = 64;
constexpr int64_t kFloatsPerItem = 8192;

/// visit(pointer, count) for each part of `g`, in a fixed order.
template <class Visit>
void for_parts(const EventEncoderWeights& w, int64_t merge_factor, EventEncoderGradients& g,
               const Visit& visit) {
  const int64_t d = w.fc2.out;
  const auto linear = [&](const LinearWeights& shape, LinearGradients& part) {
    visit(part.weight, shape.out * shape.in);
    visit(part.bias, shape.out);
  };
  const auto norm = [&](NormGradients& part) {
    visit(part.weight, d);
    visit(part.bias, d);
  };
  linear(w.fc1, g.fc1);
  linear(w.fc2, g.fc2);
  if (w.slot != nullptr) visit(g.slot, merge_factor * d);
  for (size_t b = 0; b < w.inner.size(); ++b) {
    norm(g.inner[b].ln1);
    linear(w.inner[b].qkv, g.inner[b].qkv);
    linear(w.inner[b].out, g.inner[b].out);
    norm(g.inner[b].ln2);
    linear(w.inner[b].fc1, g.inner[b].fc1);
    linear(w.inner[b].fc2, g.inner[b].fc2);
  }
}

/// Rows that hold gradients while they pass through the chunk.
struct GradientRows {
  MatrixView d_z, narrow, d_qkv, d_input;  // [R, d], [R, d], [R, 3d], [R, X + T]
  GradientRows(Workspace& workspace, const TokenWidths& widths, int64_t num_tokens)
      : d_z(workspace.matrix(num_tokens, widths.token)),
        narrow(workspace.matrix(num_tokens, widths.token)),
        d_qkv(workspace.matrix(num_tokens, 3 * widths.token)),
        d_input(workspace.matrix(num_tokens, widths.input())) {}
};

/// d_x = gradient through fc2 · gelu(fc1 · x); `hidden` is used up. d_x may be d_out.
void backward_mlp(const LinearWeights& fc1, const LinearWeights& fc2, const LinearGradients& g1,
                  const LinearGradients& g2, ConstMatrixView x, ConstMatrixView slope,
                  MatrixView hidden, ConstMatrixView d_out, MatrixView d_x) {
  linear_backward_weights(nullptr, hidden, d_out, g2.weight, g2.bias);
  const MatrixView d_hidden = hidden;
  linear_backward_input(nullptr, d_out, *fc2.packed, d_hidden, Write::kSet);
  event_encoder_kernels().multiply(d_hidden.data, slope.data, d_hidden.rows * d_hidden.cols);
  linear_backward_weights(nullptr, x, d_hidden, g1.weight, g1.bias);
  linear_backward_input(nullptr, d_hidden, *fc1.packed, d_x, Write::kSet);
}

/// rows.d_z holds the gradient of the block's output on entry, of its input on return.
void backward_block(const EventEncoderBackward& p, const BlockWeights& w, const BlockGradients& g,
                    const Chunk& chunk, const BlockRows& r, const Dropout& dropout,
                    const GradientRows& rows) {
  const MatrixView d_z = rows.d_z;
  const ConstMatrixView d_fc2 =
      dropout_backward(nullptr, dropout, DropoutSite::kFeedForward, d_z, rows.narrow);
  backward_mlp(w.fc1, w.fc2, g.fc1, g.fc2, r.normed2, r.slope, r.hidden, d_fc2, rows.narrow);
  layer_norm_backward(nullptr, r.middle, w.ln2.weight, r.mean2, r.rstd2, rows.narrow, d_z,
                      Write::kAdd, g.ln2.weight, g.ln2.bias);

  const MatrixView scratch = rows.d_qkv.slice_cols(0, d_z.cols);
  const ConstMatrixView d_projected =
      dropout_backward(nullptr, dropout, DropoutSite::kAttention, d_z, scratch);
  linear_backward_weights(nullptr, r.attended, d_projected, g.out.weight, g.out.bias);
  const MatrixView d_attended = rows.narrow;
  linear_backward_input(nullptr, d_projected, *w.out.packed, d_attended, Write::kSet);
  event_encoder_kernels().inner_attention_backward(
      {r.qkv.data, nullptr, p.tokens.group_offsets + chunk.group_begin,
       chunk.group_end - chunk.group_begin, p.tokens.merge_factor, d_z.cols,
       p.weights->inner_heads},
      d_attended.data, rows.d_qkv.data);
  linear_backward_weights(nullptr, r.normed1, rows.d_qkv, g.qkv.weight, g.qkv.bias);
  linear_backward_input(nullptr, rows.d_qkv, *w.qkv.packed, rows.narrow, Write::kSet);
  layer_norm_backward(nullptr, r.input, w.ln1.weight, r.mean1, r.rstd1, rows.narrow, d_z,
                      Write::kAdd, g.ln1.weight, g.ln1.bias);
}

/// The chunk's tokens' shares of d_merged.
void unmerge(const EventEncoderBackward& p, const Chunk& chunk, MatrixView d_z) {
  for (int64_t group = chunk.group_begin; group < chunk.group_end; ++group) {
    for (int64_t t = p.tokens.group_offsets[group]; t < p.tokens.group_offsets[group + 1]; ++t) {
      std::copy_n(p.d_merged.row(group) + p.tokens.slots[t] * d_z.cols, d_z.cols,
                  d_z.row(t - chunk.token_begin));
    }
  }
}

void backward_chunk(const EventEncoderBackward& p, const Chunk& chunk,
                    const EventEncoderGradients& g) {
  const EventEncoderWeights& w = *p.weights;
  const TokenWidths widths(w);
  const EventEncoderKernels& kernels = event_encoder_kernels();
  Workspace& workspace = thread_workspace();
  const WorkspaceScope scope(workspace);
  ChunkRows kept(workspace, w, chunk.num_tokens(), Keep::kActivations);
  const GradientRows rows(workspace, widths, chunk.num_tokens());
  forward_chunk(p.tokens, w, p.dropout, chunk, Keep::kActivations, kept);

  unmerge(p, chunk, rows.d_z);
  for (size_t b = w.inner.size(); b-- > 0;) {
    backward_block(p, w.inner[b], g.inner[b], chunk, kept.block(b),
                   block_dropout(p.dropout, chunk, b), rows);
  }
  for (int64_t i = 0; w.slot != nullptr && i < chunk.num_tokens(); ++i) {
    kernels.add(g.slot + p.tokens.slots[chunk.token_begin + i] * widths.token, rows.d_z.row(i),
                widths.token);
  }
  if (p.d_event_tokens != nullptr) {
    std::copy_n(rows.d_z.data, chunk.num_tokens() * widths.token,
                p.d_event_tokens + chunk.token_begin * widths.token);
  }
  backward_mlp(w.fc1, w.fc2, g.fc1, g.fc2, kept.features, kept.slope, kept.hidden, rows.d_z,
               rows.d_input);
  for (int64_t i = 0; i < chunk.num_tokens(); ++i) {
    const int64_t token = chunk.token_begin + i;
    const float* d_input = rows.d_input.row(i);
    std::copy_n(d_input, widths.features, p.d_features + token * widths.features);
    if (widths.time > 0) {
      std::copy_n(d_input + widths.features, widths.time, p.d_time + token * widths.time);
    }
  }
}

}  // namespace

void event_encoder_backward(CpuStream& stream, const EventEncoderBackward& p) {
  const EventEncoderWeights& w = *p.weights;
  const int64_t merge_factor = p.tokens.merge_factor;
  check_event_encoder(p.tokens, w);
  const Chunks chunks(p.tokens);
  const int64_t lanes = std::min(kMaxLanes, chunks.count());
  if (lanes == 0) return;
  const WorkspaceScope scope(stream.workspace());
  EventEncoderGradients targets = p.gradients;
  int64_t lane_floats = 0;
  for_parts(w, merge_factor, targets, [&](float*, int64_t count) { lane_floats += count; });
  float* memory = stream.workspace().allocate<float>(lanes * lane_floats);

  parallel_for(stream.pool(), lanes, [&](int64_t lane) {
    float* part_begin = memory + lane * lane_floats;
    std::fill_n(part_begin, lane_floats, 0.0F);
    EventEncoderGradients own = targets;
    for_parts(w, merge_factor, own, [&](float*& part, int64_t count) {
      part = part_begin;
      part_begin += count;
    });
    const int64_t end = (lane + 1) * chunks.count() / lanes;
    for (int64_t i = lane * chunks.count() / lanes; i < end; ++i)
      backward_chunk(p, chunks.at(i), own);
  });

  const EventEncoderKernels& kernels = event_encoder_kernels();
  parallel_for(stream.pool(), (lane_floats + kFloatsPerItem - 1) / kFloatsPerItem, [&](int64_t i) {
    const int64_t begin = i * kFloatsPerItem;
    const int64_t count = std::min(kFloatsPerItem, lane_floats - begin);
    for (int64_t lane = 1; lane < lanes; ++lane) {
      kernels.add(memory + begin, memory + lane * lane_floats + begin, count);
    }
  });
  const float* sums = memory;
  for_parts(w, merge_factor, targets, [&](float* part, int64_t count) {
    kernels.add(part, sums, count);
    sums += count;
  });
}

}  // namespace longer
