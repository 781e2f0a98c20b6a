#include "ops/event_encoder/event_encoder_cpu.hpp"

#include <algorithm>
#include <cstring>

#include "core/cpu_tier.hpp"
#include "longer/error.hpp"
#include "ops/event_encoder/chunk.hpp"
#include "ops/event_encoder/kernels/inner_attention_kernels.hpp"
#include "ops/layer_norm/layer_norm.hpp"

namespace longer {
namespace {

// Weight gradients are summed in this many fixed runs of chunks, then run by run: the order does not depend on threads.
constexpr int64_t kMaxLanes = 8;

const InnerAttentionKernels& inner_attention_kernels() {
  switch (cpu_tier()) {
    case CpuTier::kAvx512:
      return avx512::kInnerAttentionKernels;
    case CpuTier::kAvx2:
      return avx2::kInnerAttentionKernels;
    case CpuTier::kPortable:
      break;
  }
  return portable::kInnerAttentionKernels;
}

/// Chunks have a fixed number of groups, so chunk i is found without a table.
struct Chunks {
  const EventTokens& tokens;
  int64_t groups_per_chunk;
  explicit Chunks(const EventTokens& t)
      : tokens(t), groups_per_chunk(std::max<int64_t>(1, kChunkTokens / t.merge_factor)) {}
  int64_t count() const { return (tokens.num_groups + groups_per_chunk - 1) / groups_per_chunk; }
  int64_t max_tokens() const { return groups_per_chunk * tokens.merge_factor; }
  Chunk at(int64_t i) const {
    const int64_t begin = i * groups_per_chunk;
    const int64_t end = std::min(tokens.num_groups, begin + groups_per_chunk);
    return {begin, end, tokens.group_offsets[begin], tokens.group_offsets[end]};
  }
};

struct Dimensions {
  int64_t features, time, d;
  explicit Dimensions(const EventEncoderWeights& w) : features(0), time(w.time_width), d(w.fc2.out) {
    for (const TableView& table : w.tables) features += table.width;
  }
};

void carve(ChunkMemory& memory, const EventEncoderWeights& w, int64_t rows, ChunkActivations& a) {
  const Dimensions size(w);
  a.features = memory.matrix(rows, size.features + size.time);
  a.hidden_pre = memory.matrix(rows, 2 * size.d);
  a.tokens = memory.matrix(rows, size.d);
  a.blocks.resize(w.inner.size());
  for (BlockActivations& b : a.blocks) {
    b.input = memory.matrix(rows, size.d);
    b.qkv = memory.matrix(rows, 3 * size.d);
    b.attended = memory.matrix(rows, size.d);
    b.middle = memory.matrix(rows, size.d);
    b.hidden_pre = memory.matrix(rows, 4 * size.d);
    for (float** statistic : {&b.mean1, &b.rstd1, &b.mean2, &b.rstd2}) *statistic = memory.floats(rows);
  }
  a.output = w.inner.empty() ? a.tokens : memory.matrix(rows, size.d);
}

/// Work rows that no later pass reads.
struct ChunkTemporaries {
  MatrixView wide, wide2, narrow, narrow2, qkv;  // [T, 4d] twice, [T, d] twice, [T, 3d]
  ChunkTemporaries(ChunkMemory& memory, int64_t rows, int64_t d)
      : wide(memory.matrix(rows, 4 * d)),
        wide2(memory.matrix(rows, 4 * d)),
        narrow(memory.matrix(rows, d)),
        narrow2(memory.matrix(rows, d)),
        qkv(memory.matrix(rows, 3 * d)) {}
};

/// One thread's buffers for chunks of up to `rows` tokens.
struct ChunkBuffers {
  ChunkActivations activations;
  MatrixView wide, wide2, narrow, narrow2, qkv, features;

  ChunkBuffers(const EventEncoderWeights& w, int64_t rows) {
    ChunkMemory counting(nullptr);
    lay_out(counting, w, rows);
    ChunkMemory memory(thread_scratch(ScratchUse::kEventEncoder, counting.used()));
    lay_out(memory, w, rows);
  }

 private:
  void lay_out(ChunkMemory& memory, const EventEncoderWeights& w, int64_t rows) {
    const Dimensions size(w);
    carve(memory, w, rows, activations);
    const ChunkTemporaries t(memory, rows, size.d);
    wide = t.wide;
    wide2 = t.wide2;
    narrow = t.narrow;
    narrow2 = t.narrow2;
    qkv = t.qkv;
    features = memory.matrix(rows, size.features + size.time);
  }
};

MatrixView first_rows(const MatrixView& m, int64_t rows) { return m.slice_rows(0, rows); }
MatrixView first_cols(const MatrixView& m, int64_t rows, int64_t cols) { return {m.data, rows, cols}; }

void add_into(float* to, const float* from, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] += from[i];
}

void gather_features(const EventTokens& tokens, const EventEncoderWeights& w, const Chunk& chunk, MatrixView target) {
  const int64_t width = Dimensions(w).features;
  for (int64_t i = 0; i < chunk.num_tokens(); ++i) {
    const int64_t token = chunk.token_begin + i;
    float* row = target.row(i);
    float* to = row;
    for (size_t f = 0; f < w.tables.size(); ++f) {
      const TableView& table = w.tables[f];
      const int32_t source = tokens.feature_rows[static_cast<int64_t>(f) * tokens.num_events + token];
      std::memcpy(to, table.rows + source * table.width, static_cast<size_t>(table.width) * sizeof(float));
      to += table.width;
    }
    add_into(row, w.position + tokens.positions[token] * width, width);
    if (w.time_width > 0) {
      std::memcpy(row + width, w.time_bucket + tokens.time_buckets[token] * w.time_width,
                  static_cast<size_t>(w.time_width) * sizeof(float));
    }
  }
}

/// Calls body(qkv of the group, attended rows of the group, first row, n) for every group of the chunk.
template <class Body>
void for_groups(const EventTokens& tokens, const Chunk& chunk, const Body& body) {
  for (int64_t g = chunk.group_begin; g < chunk.group_end; ++g) {
    const int64_t first = tokens.group_offsets[g] - chunk.token_begin;
    body(first, tokens.group_offsets[g + 1] - tokens.group_offsets[g]);
  }
}

void forward_block(const EventTokens& tokens, const EventEncoderWeights& w, const BlockWeights& block,
                   const Chunk& chunk, const BlockActivations& a, ChunkBuffers& buffers, MatrixView out) {
  const int64_t rows = chunk.num_tokens();
  const int64_t d = w.fc2.out;
  const MatrixView normed = first_rows(buffers.narrow, rows);
  const MatrixView hidden = first_rows(buffers.wide, rows);
  const MatrixView input = first_rows(a.input, rows);
  const MatrixView middle = first_rows(a.middle, rows);
  layer_norm_forward(nullptr, input, block.ln1.weight, block.ln1.bias, normed, a.mean1, a.rstd1);
  linear_forward(nullptr, {normed, block.qkv.packed, first_rows(a.qkv, rows), Activation::kNone, {}, {}});
  const InnerAttentionKernels& kernels = inner_attention_kernels();
  for_groups(tokens, chunk, [&](int64_t first, int64_t n) {
    kernels.forward({a.qkv.row(first), n, d, w.inner_heads, a.attended.row(first)});
  });
  linear_forward(nullptr, {first_rows(a.attended, rows), block.out.packed, middle, Activation::kNone, input, {}});
  layer_norm_forward(nullptr, middle, block.ln2.weight, block.ln2.bias, normed, a.mean2, a.rstd2);
  linear_forward(nullptr,
                 {normed, block.fc1.packed, hidden, Activation::kGelu, {}, first_rows(a.hidden_pre, rows)});
  linear_forward(nullptr, {hidden, block.fc2.packed, out, Activation::kNone, middle, {}});
}

/// Everything up to the rows that are concatenated.
void forward_chunk(const EventTokens& tokens, const EventEncoderWeights& w, const Chunk& chunk,
                   ChunkBuffers& buffers) {
  ChunkActivations& a = buffers.activations;
  const int64_t rows = chunk.num_tokens();
  const int64_t d = w.fc2.out;
  const MatrixView hidden = first_cols(buffers.wide, rows, 2 * d);
  gather_features(tokens, w, chunk, a.features);
  linear_forward(nullptr, {first_rows(a.features, rows), w.fc1.packed, hidden, Activation::kGelu, {},
                           first_rows(a.hidden_pre, rows)});
  linear_forward(nullptr, {hidden, w.fc2.packed, first_rows(a.tokens, rows), Activation::kNone, {}, {}});
  if (w.inner.empty()) return;
  for (int64_t i = 0; i < rows; ++i) {
    float* z = a.blocks[0].input.row(i);
    std::memcpy(z, a.tokens.row(i), static_cast<size_t>(d) * sizeof(float));
    add_into(z, w.slot + tokens.slots[chunk.token_begin + i] * d, d);
  }
  for (size_t b = 0; b < w.inner.size(); ++b) {
    const MatrixView out = b + 1 < w.inner.size() ? a.blocks[b + 1].input : a.output;
    forward_block(tokens, w, w.inner[b], chunk, a.blocks[b], buffers, first_rows(out, rows));
  }
}

/// One lane's gradients: the same parameters as EventEncoderGradients, in one buffer.
struct LaneGradients {
  EventEncoderGradients views;
  std::vector<std::pair<float*, int64_t>> parts;  // in layout order

  LaneGradients(const EventEncoderWeights& w, int64_t merge_factor, float* memory) {
    auto take = [&](int64_t count) {
      float* begin = memory;
      memory += count;
      parts.emplace_back(begin, count);
      return begin;
    };
    auto linear = [&](const LinearWeights& l) {
      LinearGradients g;
      g.weight = take(l.out * l.in);
      g.bias = take(l.out);
      return g;
    };
    auto norm = [&](int64_t width) {
      NormGradients g;
      g.weight = take(width);
      g.bias = take(width);
      return g;
    };
    const int64_t d = w.fc2.out;
    views.fc1 = linear(w.fc1);
    views.fc2 = linear(w.fc2);
    if (w.slot != nullptr) views.slot = take(merge_factor * d);
    for (const BlockWeights& b : w.inner) {
      BlockGradients g;
      g.ln1 = norm(d);
      g.ln2 = norm(d);
      g.qkv = linear(b.qkv);
      g.out = linear(b.out);
      g.fc1 = linear(b.fc1);
      g.fc2 = linear(b.fc2);
      views.inner.push_back(g);
    }
  }

  static int64_t floats(const EventEncoderWeights& w, int64_t merge_factor) {
    const int64_t d = w.fc2.out;
    auto linear = [](const LinearWeights& l) { return l.out * l.in + l.out; };
    int64_t count = linear(w.fc1) + linear(w.fc2) + merge_factor * d;
    for (const BlockWeights& b : w.inner) {
      count += 4 * d + linear(b.qkv) + linear(b.out) + linear(b.fc1) + linear(b.fc2);
    }
    return count;
  }
};

/// Where each part of a LaneGradients goes, in the same order.
std::vector<float*> destinations(const EventEncoderGradients& g, bool has_slot) {
  std::vector<float*> list = {g.fc1.weight, g.fc1.bias, g.fc2.weight, g.fc2.bias};
  if (has_slot) list.push_back(g.slot);
  for (const BlockGradients& b : g.inner) {
    list.insert(list.end(), {b.ln1.weight, b.ln1.bias, b.ln2.weight, b.ln2.bias, b.qkv.weight, b.qkv.bias,
                             b.out.weight, b.out.bias, b.fc1.weight, b.fc1.bias, b.fc2.weight, b.fc2.bias});
  }
  return list;
}

/// d_z [T, d] holds the gradient of the block's output on entry, of its input on return.
void backward_block(const EventTokens& tokens, const EventEncoderWeights& w, const BlockWeights& block,
                    const BlockGradients& g, const Chunk& chunk, const BlockActivations& a, ChunkBuffers& buffers,
                    MatrixView d_z) {
  const int64_t rows = chunk.num_tokens();
  const int64_t d = w.fc2.out;
  const MatrixView normed = first_rows(buffers.narrow, rows);
  const MatrixView hidden = first_rows(buffers.wide, rows);
  const MatrixView d_hidden = first_rows(buffers.wide2, rows);
  const MatrixView hidden_pre = first_rows(a.hidden_pre, rows);
  const MatrixView middle = first_rows(a.middle, rows);
  const MatrixView input = first_rows(a.input, rows);

  gelu_forward(nullptr, hidden_pre, hidden);
  linear_backward_weights(nullptr, hidden, d_z, g.fc2.weight, g.fc2.bias);
  linear_backward_input(nullptr, d_z, *block.fc2.packed, d_hidden, Write::kSet);
  gelu_backward(nullptr, hidden_pre, d_hidden, d_hidden);
  layer_norm_forward(nullptr, middle, block.ln2.weight, block.ln2.bias, normed, nullptr, nullptr);
  linear_backward_weights(nullptr, normed, d_hidden, g.fc1.weight, g.fc1.bias);
  const MatrixView d_normed = normed;
  linear_backward_input(nullptr, d_hidden, *block.fc1.packed, d_normed, Write::kSet);
  layer_norm_backward(nullptr, middle, block.ln2.weight, a.mean2, a.rstd2, d_normed, d_z, Write::kAdd, g.ln2.weight,
                      g.ln2.bias);

  linear_backward_weights(nullptr, first_rows(a.attended, rows), d_z, g.out.weight, g.out.bias);
  const MatrixView d_attended = normed;
  linear_backward_input(nullptr, d_z, *block.out.packed, d_attended, Write::kSet);
  const MatrixView d_qkv = first_rows(buffers.qkv, rows);
  const InnerAttentionKernels& kernels = inner_attention_kernels();
  for_groups(tokens, chunk, [&](int64_t first, int64_t n) {
    kernels.backward({a.qkv.row(first), n, d, w.inner_heads, nullptr}, d_attended.row(first), d_qkv.row(first));
  });
  layer_norm_forward(nullptr, input, block.ln1.weight, block.ln1.bias, normed, nullptr, nullptr);
  linear_backward_weights(nullptr, normed, d_qkv, g.qkv.weight, g.qkv.bias);
  linear_backward_input(nullptr, d_qkv, *block.qkv.packed, d_normed, Write::kSet);
  layer_norm_backward(nullptr, input, block.ln1.weight, a.mean1, a.rstd1, d_normed, d_z, Write::kAdd, g.ln1.weight,
                      g.ln1.bias);
}

void backward_chunk(const EventEncoderBackward& p, const Chunk& chunk, const EventEncoderGradients& g,
                    ChunkBuffers& buffers) {
  const EventTokens& tokens = p.tokens;
  const EventEncoderWeights& w = *p.weights;
  const Dimensions size(w);
  const int64_t rows = chunk.num_tokens();
  ChunkActivations& a = buffers.activations;
  forward_chunk(tokens, w, chunk, buffers);

  const MatrixView d_z = first_rows(buffers.narrow2, rows);
  for (int64_t group = chunk.group_begin; group < chunk.group_end; ++group) {
    for (int64_t t = tokens.group_offsets[group]; t < tokens.group_offsets[group + 1]; ++t) {
      std::memcpy(d_z.row(t - chunk.token_begin), p.d_merged.row(group) + tokens.slots[t] * size.d,
                  static_cast<size_t>(size.d) * sizeof(float));
    }
  }
  for (size_t b = w.inner.size(); b-- > 0;) {
    backward_block(tokens, w, w.inner[b], g.inner[b], chunk, a.blocks[b], buffers, d_z);
  }
  for (int64_t i = 0; i < rows; ++i) {
    if (w.slot != nullptr) add_into(g.slot + tokens.slots[chunk.token_begin + i] * size.d, d_z.row(i), size.d);
    if (p.d_event_tokens != nullptr) {
      std::memcpy(p.d_event_tokens + (chunk.token_begin + i) * size.d, d_z.row(i),
                  static_cast<size_t>(size.d) * sizeof(float));
    }
  }

  const MatrixView hidden_pre = first_rows(a.hidden_pre, rows);
  const MatrixView hidden = first_cols(buffers.wide, rows, 2 * size.d);
  const MatrixView d_hidden = first_cols(buffers.wide2, rows, 2 * size.d);
  gelu_forward(nullptr, hidden_pre, hidden);
  linear_backward_weights(nullptr, hidden, d_z, g.fc2.weight, g.fc2.bias);
  linear_backward_input(nullptr, d_z, *w.fc2.packed, d_hidden, Write::kSet);
  gelu_backward(nullptr, hidden_pre, d_hidden, d_hidden);
  linear_backward_weights(nullptr, first_rows(a.features, rows), d_hidden, g.fc1.weight, g.fc1.bias);
  const MatrixView d_input = first_rows(buffers.features, rows);
  linear_backward_input(nullptr, d_hidden, *w.fc1.packed, d_input, Write::kSet);
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t token = chunk.token_begin + i;
    std::memcpy(p.d_features + token * size.features, d_input.row(i),
                static_cast<size_t>(size.features) * sizeof(float));
    if (size.time > 0) {
      std::memcpy(p.d_time + token * size.time, d_input.row(i) + size.features,
                  static_cast<size_t>(size.time) * sizeof(float));
    }
  }
}

void check_tokens(const EventTokens& t, const EventEncoderWeights& w) {
  check_argument(t.merge_factor >= 1 && t.merge_factor <= kMaxGroup, "[event_encoder] merge_factor must be in 1 … ",
                 kMaxGroup, "; got ", t.merge_factor);
  const Dimensions size(w);
  check_argument(w.fc1.in == size.features + size.time, "[event_encoder] fc1 must take ", size.features + size.time,
                 " inputs; got ", w.fc1.in);
}

}  // namespace

void event_encoder_forward(CpuStream& stream, const EventEncoderForward& p) {
  check_tokens(p.tokens, *p.weights);
  const Chunks chunks(p.tokens);
  const int64_t d = p.weights->fc2.out;
  const auto token_bytes = static_cast<size_t>(d) * sizeof(float);
  parallel_for(stream.pool(), chunks.count(), [&](int64_t i) {
    const Chunk chunk = chunks.at(i);
    ChunkBuffers buffers(*p.weights, chunks.max_tokens());
    forward_chunk(p.tokens, *p.weights, chunk, buffers);
    const ChunkActivations& a = buffers.activations;
    for (int64_t group = chunk.group_begin; group < chunk.group_end; ++group) {
      float* merged = p.merged.row(group);
      const int64_t begin = p.tokens.group_offsets[group];
      const int64_t end = p.tokens.group_offsets[group + 1];
      if (end - begin < p.tokens.merge_factor) std::fill_n(merged, p.tokens.merge_factor * d, 0.0F);
      for (int64_t t = begin; t < end; ++t) {
        std::memcpy(merged + p.tokens.slots[t] * d, a.output.row(t - chunk.token_begin), token_bytes);
      }
    }
    if (p.event_tokens != nullptr) {
      std::memcpy(p.event_tokens + chunk.token_begin * d, a.tokens.data,
                  static_cast<size_t>(chunk.num_tokens()) * token_bytes);
    }
  });
}

void event_encoder_backward(CpuStream& stream, const EventEncoderBackward& p) {
  check_tokens(p.tokens, *p.weights);
  const EventEncoderWeights& w = *p.weights;
  const Chunks chunks(p.tokens);
  const int64_t lanes = std::min(kMaxLanes, chunks.count());
  if (lanes == 0) return;
  WorkspaceScope scope(stream.workspace());
  const int64_t lane_floats = LaneGradients::floats(w, p.tokens.merge_factor);
  float* memory = stream.workspace().allocate<float>(lanes * lane_floats);
  parallel_for(stream.pool(), lanes, [&](int64_t lane) {
    float* own = memory + lane * lane_floats;
    std::fill_n(own, lane_floats, 0.0F);
    const LaneGradients gradients(w, p.tokens.merge_factor, own);
    ChunkBuffers buffers(w, chunks.max_tokens());
    for (int64_t i = lane * chunks.count() / lanes; i < (lane + 1) * chunks.count() / lanes; ++i) {
      backward_chunk(p, chunks.at(i), gradients.views, buffers);
    }
  });
  const std::vector<float*> targets = destinations(p.gradients, w.slot != nullptr);
  for (int64_t lane = 0; lane < lanes; ++lane) {
    const LaneGradients gradients(w, p.tokens.merge_factor, memory + lane * lane_floats);
    for (size_t part = 0; part < targets.size(); ++part) {
      add_into(targets[part], gradients.parts[part].first, gradients.parts[part].second);
    }
  }
}

}  // namespace longer
