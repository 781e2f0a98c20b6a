#include <vector>

#include "ops/attention/attention_cuda.hpp"
#include "ops/event_encoder/event_encoder_cuda.hpp"
#include "ops/layer_norm/layer_norm_cuda.hpp"
#include "ops/linear/linear_cuda.hpp"

namespace longer {
namespace {

constexpr int kMaxTables = 16;
constexpr int kThreads = 256;

/// The features, by value in the kernel's parameters.
struct Features {
  int count;
  TableView tables[kMaxTables];
  FeatureValues values[kMaxTables];
};

unsigned blocks(int64_t count) { return static_cast<unsigned>((count + kThreads - 1) / kThreads); }

/// One thread a token and column: row of features ++ time bucket, position added to the features.
__global__ void gather_features_kernel(EventTokens tokens, Features features, const float* position,
                                       const float* time_bucket, int64_t width, int64_t time_width,
                                       float* out) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t cols = width + time_width;
  if (i >= tokens.num_events * cols) return;
  const int64_t token = i / cols;
  int64_t col = i % cols;
  if (col >= width) {
    out[i] = time_bucket[tokens.time_buckets[token] * time_width + col - width];
    return;
  }
  const float place = position == nullptr ? 0.0F : position[tokens.positions[token] * width + col];
  for (int f = 0; f < features.count; ++f) {
    const TableView& table = features.tables[f];
    if (col < table.width) {
      const int32_t row = features.values[f].rows[token];
      out[i] = (row < 0 ? 0.0F : table.rows[row * table.width + col]) + place;
      return;
    }
    col -= table.width;
  }
}

/// z = e + slot[slot].
__global__ void add_slots_kernel(const float* events, const float* slot, const int32_t* slots,
                                 int64_t count, int64_t d, float* z) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count * d) z[i] = events[i] + slot[slots[i / d] * d + i % d];
}

/// Attention geometry of the groups: every token sees its whole group. One thread a group.
__global__ void group_spans_kernel(const int32_t* group_offsets, int64_t num_groups,
                                   AttentionSpan* spans, VisibleKeys* visible) {
  const int64_t g = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (g >= num_groups) return;
  const int64_t begin = group_offsets[g];
  const int64_t end = group_offsets[g + 1];
  spans[g] = {begin, end, 0, 0, begin, end};
  for (int64_t t = begin; t < end; ++t) visible[t] = {static_cast<int32_t>(end - begin), 0, 0};
}

/// One block a group: rows into their slots, zeros into pad slots.
__global__ void scatter_groups_kernel(EventTokens tokens, const float* rows, int64_t d,
                                      MatrixView merged) {
  const int64_t g = blockIdx.x;
  float* out = merged.data + g * merged.stride;
  for (int64_t c = threadIdx.x; c < tokens.merge_factor * d; c += blockDim.x) out[c] = 0.0F;
  __syncthreads();
  for (int64_t t = tokens.group_offsets[g]; t < tokens.group_offsets[g + 1]; ++t) {
    for (int64_t c = threadIdx.x; c < d; c += blockDim.x)
      out[tokens.slots[t] * d + c] = rows[t * d + c];
  }
}

/// The reverse of scatter_groups: d_z of each token from its slot.
__global__ void gather_groups_kernel(EventTokens tokens, ConstMatrixView d_merged, int64_t d,
                                     float* d_z) {
  const int64_t g = blockIdx.x;
  for (int64_t t = tokens.group_offsets[g]; t < tokens.group_offsets[g + 1]; ++t) {
    for (int64_t c = threadIdx.x; c < d; c += blockDim.x) {
      d_z[t * d + c] = d_merged.data[g * d_merged.stride + tokens.slots[t] * d + c];
    }
  }
}

/// One thread a slot and column: sums over tokens in order.
__global__ void slot_gradient_kernel(const float* d_z, const int32_t* slots, int64_t count,
                                     int64_t d, int64_t merge_factor, float* d_slot) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= merge_factor * d) return;
  float sum = 0.0F;
  for (int64_t t = 0; t < count; ++t) {
    if (slots[t] == i / d) sum += d_z[t * d + i % d];
  }
  d_slot[i] += sum;
}

void copy_columns(cudaStream_t stream, ConstMatrixView from, float* to) {
  const auto bytes = static_cast<size_t>(from.cols) * sizeof(float);
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

Features features_of(const EventTokens& tokens, const EventEncoderWeights& w) {
  if (w.tables.size() > kMaxTables) {
    fail(Status::kUnsupported, "[event_encoder] at most ", kMaxTables,
         " event features on the GPU; got ", w.tables.size());
  }
  Features features{};
  features.count = static_cast<int>(w.tables.size());
  for (size_t f = 0; f < w.tables.size(); ++f) {
    if (tokens.features[f].offsets != nullptr || tokens.features[f].numbers != nullptr) {
      fail(Status::kUnsupported, "[event_encoder] event feature ", f,
           " is many-valued or numeric; the GPU reads categorical features with one value");
    }
    features.tables[f] = w.tables[f];
    features.values[f] = tokens.features[f];
  }
  return features;
}

Encoding encode(CudaStream& stream, const EventTokens& tokens, const EventEncoderWeights& w) {
  DeviceArena& arena = stream.arena();
  const cudaStream_t s = stream.get();
  const int64_t n = tokens.num_events;
  const int64_t d = w.fc2.out;
  const int64_t width = features_width(w.tables);
  Encoding e{};
  e.features = arena.matrix(n, width + w.time_width);
  e.hidden_pre = arena.matrix(n, 2 * d);
  e.events = arena.matrix(n, d);
  const MatrixView hidden = arena.matrix(n, 2 * d);
  gather_features_kernel<<<blocks(n * e.features.cols), kThreads, 0, s>>>(
      tokens, features_of(tokens, w), w.position, w.time_bucket, width, w.time_width,
      e.features.data);
  check_cuda(cudaGetLastError(), "launch gather_features");
  linear_forward_cuda(s, e.features, w.fc1, hidden, Activation::kGelu, {}, e.hidden_pre);
  linear_forward_cuda(s, hidden, w.fc2, e.events, Activation::kNone, {}, {});
  e.output = e.events;
  if (w.inner.empty()) return e;

  e.spans = arena.allocate<AttentionSpan>(tokens.num_groups);
  e.visible = arena.allocate<VisibleKeys>(n);
  group_spans_kernel<<<blocks(tokens.num_groups), kThreads, 0, s>>>(
      tokens.group_offsets, tokens.num_groups, e.spans, e.visible);
  MatrixView z = arena.matrix(n, d);
  add_slots_kernel<<<blocks(n * d), kThreads, 0, s>>>(e.events.data, w.slot, tokens.slots, n, d,
                                                      z.data);
  check_cuda(cudaGetLastError(), "launch add_slots");
  for (const BlockWeights& block : w.inner) {
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
    layer_norm_forward_cuda(s, b.input, block.ln1, normed, b.mean1, b.rstd1);
    linear_forward_cuda(s, normed, block.qkv, b.qkv, Activation::kNone, {}, {});
    attention_forward_cuda(s, attention_of(w, tokens, e, b));
    linear_forward_cuda(s, b.attended, block.out, b.middle, Activation::kNone, b.input, {});
    layer_norm_forward_cuda(s, b.middle, block.ln2, normed, b.mean2, b.rstd2);
    linear_forward_cuda(s, normed, block.fc1, wide, Activation::kGelu, {}, b.hidden_pre);
    z = arena.matrix(n, d);
    linear_forward_cuda(s, wide, block.fc2, z, Activation::kNone, b.middle, {});
    e.blocks.push_back(b);
  }
  e.output = z;
  return e;
}

/// d_z [N, d]: gradient of the block's output on entry, of its input on return.
void backward_block(CudaStream& stream, const EventEncoderBackward& p, const BlockWeights& block,
                    const BlockGradients& g, const Encoding& e, const BlockRows& b,
                    MatrixView d_z) {
  DeviceArenaScope scope(stream.arena());
  DeviceArena& arena = stream.arena();
  const cudaStream_t s = stream.get();
  const int64_t n = d_z.rows;
  const int64_t d = d_z.cols;
  const MatrixView normed = arena.matrix(n, d);
  const MatrixView hidden = arena.matrix(n, 4 * d);
  const MatrixView d_hidden = arena.matrix(n, 4 * d);
  const MatrixView d_qkv = arena.matrix(n, 3 * d);
  float* unused = arena.allocate<float>(2 * n);  // statistics that are known already

  gelu_forward_cuda(s, b.hidden_pre, hidden);
  linear_backward_weights_cuda(s, hidden, d_z, g.fc2);
  linear_backward_input_cuda(s, d_z, block.fc2, d_hidden);
  gelu_backward_cuda(s, b.hidden_pre, d_hidden, d_hidden);
  layer_norm_forward_cuda(s, b.middle, block.ln2, normed, unused, unused + n);
  linear_backward_weights_cuda(s, normed, d_hidden, g.fc1);
  linear_backward_input_cuda(s, d_hidden, block.fc1, normed);
  layer_norm_backward_cuda(s, b.middle, block.ln2, b.mean2, b.rstd2, normed, d_z, Write::kAdd,
                           g.ln2);

  linear_backward_weights_cuda(s, b.attended, d_z, g.out);
  linear_backward_input_cuda(s, d_z, block.out, normed);
  check_cuda(cudaMemsetAsync(d_qkv.data, 0, static_cast<size_t>(n * 3 * d) * sizeof(float), s),
             "clear gradients");
  AttentionBackward attention;
  attention.forward = attention_of(*p.weights, p.tokens, e, b);
  attention.d_out = normed;
  attention.d_q = d_qkv.slice_cols(0, d);
  attention.d_own_keys = d_qkv.slice_cols(d, 2 * d);
  attention.d_own_values = d_qkv.slice_cols(2 * d, 3 * d);
  attention_backward_cuda(s, attention, arena.allocate<float>(n * p.weights->inner_heads));
  layer_norm_forward_cuda(s, b.input, block.ln1, normed, unused, unused + n);
  linear_backward_weights_cuda(s, normed, d_qkv, g.qkv);
  linear_backward_input_cuda(s, d_qkv, block.qkv, normed);
  layer_norm_backward_cuda(s, b.input, block.ln1, b.mean1, b.rstd1, normed, d_z, Write::kAdd,
                           g.ln1);
}

}  // namespace

void event_encoder_forward_cuda(CudaStream& stream, const EventEncoderForward& p) {
  if (p.tokens.num_events == 0) return;
  DeviceArenaScope scope(stream.arena());
  const Encoding e = encode(stream, p.tokens, *p.weights);
  const auto groups = static_cast<unsigned>(p.tokens.num_groups);
  scatter_groups_kernel<<<groups, 128, 0, stream.get()>>>(p.tokens, e.output.data, e.output.cols,
                                                          p.merged);
  check_cuda(cudaGetLastError(), "launch scatter_groups");
  if (p.event_tokens != nullptr) copy_columns(stream.get(), e.events, p.event_tokens);
}

void event_encoder_backward_cuda(CudaStream& stream, const EventEncoderBackward& p) {
  const EventTokens& tokens = p.tokens;
  if (tokens.num_events == 0) return;
  DeviceArenaScope scope(stream.arena());
  DeviceArena& arena = stream.arena();
  const cudaStream_t s = stream.get();
  const EventEncoderWeights& w = *p.weights;
  const int64_t n = tokens.num_events;
  const int64_t d = w.fc2.out;
  const Encoding e = encode(stream, tokens, w);

  const MatrixView d_z = arena.matrix(n, d);
  gather_groups_kernel<<<static_cast<unsigned>(tokens.num_groups), 128, 0, s>>>(tokens, p.d_merged,
                                                                                d, d_z.data);
  check_cuda(cudaGetLastError(), "launch gather_groups");
  for (size_t b = w.inner.size(); b-- > 0;) {
    backward_block(stream, p, w.inner[b], p.gradients.inner[b], e, e.blocks[b], d_z);
  }
  if (w.slot != nullptr) {
    slot_gradient_kernel<<<blocks(tokens.merge_factor * d), kThreads, 0, s>>>(
        d_z.data, tokens.slots, n, d, tokens.merge_factor, p.gradients.slot);
    check_cuda(cudaGetLastError(), "launch slot_gradient");
  }
  if (p.d_event_tokens != nullptr) copy_columns(s, d_z, p.d_event_tokens);

  const MatrixView hidden = arena.matrix(n, 2 * d);
  const MatrixView d_hidden = arena.matrix(n, 2 * d);
  const MatrixView d_input = arena.matrix(n, e.features.cols);
  gelu_forward_cuda(s, e.hidden_pre, hidden);
  linear_backward_weights_cuda(s, hidden, d_z, p.gradients.fc2);
  linear_backward_input_cuda(s, d_z, w.fc2, d_hidden);
  gelu_backward_cuda(s, e.hidden_pre, d_hidden, d_hidden);
  linear_backward_weights_cuda(s, e.features, d_hidden, p.gradients.fc1);
  linear_backward_input_cuda(s, d_hidden, w.fc1, d_input);
  const int64_t width = features_width(w.tables);
  copy_columns(s, d_input.slice_cols(0, width), p.d_features);
  if (w.time_width > 0) copy_columns(s, d_input.slice_cols(width, width + w.time_width), p.d_time);
}

}  // namespace longer
