#include "ops/event_encoder/chunk.hpp"

#include <algorithm>

#include "ops/dropout/linear_with_dropout.hpp"
#include "ops/event_encoder/event_encoder_kernels.hpp"
#include "ops/layer_norm/layer_norm.hpp"

namespace longer {
namespace {

// A token's rows take about 32·d floats in the backward pass: 128 tokens of d = 32 are 600 KB.
constexpr int64_t kChunkTokens = 128;
// The lanes of the widest tier, each of which holds a group.
constexpr int64_t kGroupMultiple = 16;

int64_t divide_up(int64_t value, int64_t by) { return (value + by - 1) / by; }

void gather_inputs(const EventTokens& tokens, const EventEncoderWeights& w, const Chunk& chunk,
                   MatrixView target) {
  const TokenWidths widths(w);
  const EventEncoderKernels& kernels = event_encoder_kernels();
  gather_features(w.tables, tokens.features, chunk.token_begin, target);
  for (int64_t i = 0; i < chunk.num_tokens(); ++i) {
    const int64_t token = chunk.token_begin + i;
    float* row = target.row(i);
    if (w.position != nullptr) {
      kernels.add(row, w.position + tokens.positions[token] * widths.features, widths.features);
    }
    if (widths.time > 0) {
      std::copy_n(w.time_bucket + tokens.time_buckets[token] * widths.time, widths.time,
                  row + widths.features);
    }
  }
}

/// out = dropout of fc2 · gelu(fc1 · x), + residual; `slope` is set when it is there, `out` may be
/// absent.
void forward_mlp(const LinearWeights& fc1, const LinearWeights& fc2, ConstMatrixView x,
                 MatrixView slope, MatrixView hidden, ConstMatrixView residual, MatrixView out,
                 const Dropout& dropout) {
  if (slope.data == nullptr) {
    linear_forward(nullptr, {x, fc1.packed, hidden, Activation::kGelu, {}, {}});
  } else {
    linear_forward(nullptr, {x, fc1.packed, slope, Activation::kNone, {}, {}});
    event_encoder_kernels().gelu_with_slope(slope.data, hidden.data, hidden.rows * hidden.cols);
  }
  if (out.data == nullptr) return;
  linear_with_dropout(nullptr, {hidden, fc2.packed, out, Activation::kNone, residual, {}}, dropout,
                      DropoutSite::kFeedForward);
}

void forward_block(const EventTokens& tokens, const EventEncoderWeights& w,
                   const BlockWeights& block, const Chunk& chunk, const BlockRows& r,
                   const Dropout& dropout, MatrixView out) {
  layer_norm_forward(nullptr, r.input, block.ln1.weight, block.ln1.bias, r.normed1, r.mean1,
                     r.rstd1);
  linear_forward(nullptr, {r.normed1, block.qkv.packed, r.qkv, Activation::kNone, {}, {}});
  event_encoder_kernels().inner_attention_forward(
      {r.qkv.data, r.attended.data, tokens.group_offsets + chunk.group_begin,
       chunk.group_end - chunk.group_begin, tokens.merge_factor, w.fc2.out, w.inner_heads});
  linear_with_dropout(nullptr,
                      {r.attended, block.out.packed, r.middle, Activation::kNone, r.input, {}},
                      dropout, DropoutSite::kAttention);
  layer_norm_forward(nullptr, r.middle, block.ln2.weight, block.ln2.bias, r.normed2, r.mean2,
                     r.rstd2);
  forward_mlp(block.fc1, block.fc2, r.normed2, r.slope, r.hidden, r.middle, out, dropout);
}

BlockRows allocate_block(Workspace& workspace, int64_t num_tokens, int64_t d, Keep keep) {
  BlockRows r{};
  for (MatrixView* rows : {&r.input, &r.normed1, &r.attended, &r.middle, &r.normed2}) {
    *rows = workspace.matrix(num_tokens, d);
  }
  r.qkv = workspace.matrix(num_tokens, 3 * d);
  r.hidden = workspace.matrix(num_tokens, 4 * d);
  if (keep == Keep::kActivations) r.slope = workspace.matrix(num_tokens, 4 * d);
  for (float** statistic : {&r.mean1, &r.rstd1, &r.mean2, &r.rstd2}) {
    *statistic = workspace.allocate<float>(num_tokens);
  }
  return r;
}

}  // namespace

Chunks::Chunks(const EventTokens& tokens)
    : tokens_(tokens),
      groups_per_chunk_(divide_up(kChunkTokens, kGroupMultiple * tokens.merge_factor) *
                        kGroupMultiple),
      count_(divide_up(tokens.num_groups, groups_per_chunk_)) {}

Chunk Chunks::at(int64_t i) const {
  const int64_t begin = i * groups_per_chunk_;
  const int64_t end = std::min(tokens_.num_groups, begin + groups_per_chunk_);
  return {begin, end, tokens_.group_offsets[begin], tokens_.group_offsets[end]};
}

TokenWidths::TokenWidths(const EventEncoderWeights& weights)
    : features(features_width(weights.tables)), time(weights.time_width), token(weights.fc2.out) {}

ChunkRows::ChunkRows(Workspace& workspace, const EventEncoderWeights& weights, int64_t num_tokens,
                     Keep keep) {
  const TokenWidths widths(weights);
  const int64_t d = widths.token;
  features = workspace.matrix(num_tokens, widths.input());
  hidden = workspace.matrix(num_tokens, 2 * d);
  tokens = workspace.matrix(num_tokens, d);
  if (keep == Keep::kActivations) slope = workspace.matrix(num_tokens, 2 * d);
  num_blocks =
      keep == Keep::kActivations ? weights.inner.size() : std::min<size_t>(weights.inner.size(), 1);
  blocks = workspace.allocate<BlockRows>(static_cast<int64_t>(num_blocks));
  for (size_t b = 0; b < num_blocks; ++b) {
    blocks[b] = allocate_block(workspace, num_tokens, d, keep);
  }
}

Dropout block_dropout(const Dropout& dropout, const Chunk& chunk, size_t block) {
  if (!dropout.is_on()) return {};
  Dropout own = dropout.from_row(chunk.token_begin);
  own.layer = -1 - static_cast<int32_t>(block);
  return own;
}

MatrixView forward_chunk(const EventTokens& tokens, const EventEncoderWeights& weights,
                         const Dropout& dropout, const Chunk& chunk, Keep keep, ChunkRows& rows) {
  const int64_t d = weights.fc2.out;
  const bool is_whole = keep == Keep::kNothing;
  const size_t num_blocks = weights.inner.size();
  gather_inputs(tokens, weights, chunk, rows.features);
  const bool needs_tokens = is_whole || num_blocks > 0;
  forward_mlp(weights.fc1, weights.fc2, rows.features, rows.slope, rows.hidden, {},
              needs_tokens ? rows.tokens : MatrixView(), {});
  if (num_blocks == 0) return is_whole ? rows.tokens : MatrixView();
  const EventEncoderKernels& kernels = event_encoder_kernels();
  for (int64_t i = 0; i < chunk.num_tokens(); ++i) {
    float* z = rows.block(0).input.row(i);
    std::copy_n(rows.tokens.row(i), d, z);
    kernels.add(z, weights.slot + tokens.slots[chunk.token_begin + i] * d, d);
  }
  for (size_t b = 0; b < num_blocks; ++b) {
    const bool needs_output = is_whole || b + 1 < num_blocks;
    forward_block(tokens, weights, weights.inner[b], chunk, rows.block(b),
                  block_dropout(dropout, chunk, b),
                  needs_output ? rows.block(b + 1).input : MatrixView());
  }
  return is_whole ? rows.block(0).input : MatrixView();
}

}  // namespace longer
