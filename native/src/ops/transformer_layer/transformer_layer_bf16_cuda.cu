#include "ops/attention/attention_bf16_cuda.hpp"
#include "ops/dropout/dropout_bf16_cuda.hpp"
#include "ops/layer_norm/layer_norm_bf16_cuda.hpp"
#include "ops/linear/linear_bf16_cuda.hpp"
#include "ops/transformer_layer/row_copies_cuda.cuh"
#include "ops/transformer_layer/transformer_layer_bf16_cuda.hpp"

namespace longer {
namespace {

/// Rows of keys and values in the memory of a view [R, D].
Bf16View keys_values_in(ConstMatrixView m) {
  return {reinterpret_cast<Bf16*>(const_cast<float*>(m.data)), m.rows, 2 * m.cols, 2 * m.stride};
}

/// SavedRows in bf16: what a forward call keeps, as views into its `saved` floats.
struct SavedBf16 {
  Bf16View q, attended;  // [Q', D]
  Bf16View hidden_pre;   // [Q', 4D]
  MatrixView middle;     // [Q', D]
  float *mean1, *rstd1;  // [R]
  float *mean2, *rstd2;  // [Q']
  float* lse;            // [Q', H]

  SavedBf16(float* memory, const TransformerLayerShape& s) {
    auto take = [&memory](int64_t count) {
      float* begin = memory;
      memory += count;
      return begin;
    };
    auto take_bf16 = [&take](int64_t rows, int64_t cols) {
      return Bf16View(reinterpret_cast<Bf16*>(take(rows * cols / 2)), rows, cols);
    };
    const int64_t queries = s.num_query_rows;
    q = take_bf16(queries, s.width);
    attended = take_bf16(queries, s.width);
    hidden_pre = take_bf16(queries, 4 * s.width);
    middle = {take(queries * s.width), queries, s.width};
    mean1 = take(s.num_rows);
    rstd1 = take(s.num_rows);
    mean2 = take(queries);
    rstd2 = take(queries);
    lse = take(queries * s.heads);
  }

  AttentionBf16Forward attention(const TransformerLayerForward& p) const {
    const int64_t width = p.shape.width;
    AttentionBf16Forward a;
    a.num_spans = p.num_spans;
    a.spans = p.spans;
    a.visible = p.visible;
    a.heads = p.shape.heads;
    a.q = q;
    if (p.prefix_kv.data != nullptr) {
      const Bf16View prefix = keys_values_in(p.prefix_kv);
      a.prefix_keys = prefix.slice_cols(0, width);
      a.prefix_values = prefix.slice_cols(width, 2 * width);
    }
    const Bf16View own = keys_values_in(p.kv_sink);
    a.own_keys = own.slice_cols(0, width);
    a.own_values = own.slice_cols(width, 2 * width);
    a.out = attended;
    a.lse = lse;
    return a;
  }
};

/// From d_rows_out to the gradient of `middle`, rounded as well.
void backward_feed_forward(CudaStream& stream, const TransformerLayerBackward& p,
                           const SavedBf16& saved, MatrixView d_middle,
                           const Bf16View& d_middle_rounded) {
  const TransformerLayerForward& f = p.forward;
  const TransformerLayerWeights& w = *f.weights;
  const int64_t queries = f.shape.num_query_rows;
  const int64_t width = f.shape.width;
  const WorkspaceScope scope(stream.workspace());
  Workspace& arena = stream.workspace();
  const Bf16View d_out =
      dropout_backward_bf16(stream, f.dropout, DropoutSite::kFeedForward, p.d_rows_out, {});
  const Bf16View hidden = bf16_matrix(arena, queries, 4 * width);
  const Bf16View d_hidden = bf16_matrix(arena, queries, 4 * width);
  const Bf16View normed = bf16_matrix(arena, queries, width);
  const Bf16View d_normed = bf16_matrix(arena, queries, width);
  Bf16Epilogue through_gelu;
  through_gelu.gelu_input = saved.hidden_pre;
  through_gelu.gelu_output = hidden;
  through_gelu.out = d_hidden;
  linear_backward_input_bf16(stream, d_out, w.fc2, through_gelu);
  linear_backward_weights_bf16(stream, hidden, d_out, p.gradients.fc2);
  Bf16Epilogue plain;
  plain.out = d_normed;
  linear_backward_input_bf16(stream, d_hidden, w.fc1, plain);
  layer_norm_backward_bf16(
      stream, {saved.middle, w.ln2, saved.mean2, saved.rstd2, d_normed, p.d_rows_out, d_middle,
               d_middle_rounded, normed, p.gradients.ln2});
  linear_backward_weights_bf16(stream, normed, d_hidden, p.gradients.fc1);
}

/// From the gradient of `middle` to d_q, d_kv and d_prefix_kv.
void backward_attention(CudaStream& stream, const TransformerLayerBackward& p,
                        const SavedBf16& saved, ConstMatrixView d_middle,
                        const Bf16View& d_middle_rounded, const Bf16View& d_q) {
  const TransformerLayerForward& f = p.forward;
  const int64_t width = f.shape.width;
  const WorkspaceScope scope(stream.workspace());
  const Bf16View d_projected =
      dropout_backward_bf16(stream, f.dropout, DropoutSite::kAttention, d_middle, d_middle_rounded);
  const Bf16View d_attended = bf16_matrix(stream.workspace(), d_q.rows, width);
  linear_backward_weights_bf16(stream, saved.attended, d_projected, p.gradients.out);
  Bf16Epilogue plain;
  plain.out = d_attended;
  linear_backward_input_bf16(stream, d_projected, f.weights->out, plain);
  AttentionBf16Backward attention;
  attention.forward = saved.attention(f);
  attention.d_out = d_attended;
  attention.d_q = d_q;
  if (p.d_prefix_kv.data != nullptr) {
    const Bf16View d_prefix = keys_values_in(p.d_prefix_kv);
    attention.d_prefix_keys = d_prefix.slice_cols(0, width);
    attention.d_prefix_values = d_prefix.slice_cols(width, 2 * width);
  }
  const Bf16View d_own = keys_values_in(p.d_kv);
  attention.d_own_keys = d_own.slice_cols(0, width);
  attention.d_own_values = d_own.slice_cols(width, 2 * width);
  attention_backward_bf16(stream.get(), attention);
}

}  // namespace

void transformer_layer_forward_bf16(CudaStream& stream, const TransformerLayerForward& p) {
  const WorkspaceScope scope(stream.workspace());
  Workspace& arena = stream.workspace();
  const TransformerLayerShape& shape = p.shape;
  const TransformerLayerWeights& w = *p.weights;
  const int64_t queries = shape.num_query_rows;
  float* memory =
      p.saved != nullptr ? p.saved : arena.allocate<float>(transformer_layer_saved_floats(shape));
  const SavedBf16 saved(memory, shape);

  const Bf16View normed = bf16_matrix(arena, shape.num_rows, shape.width);
  layer_norm_forward_bf16(stream, p.x, w.ln1, normed, saved.mean1, saved.rstd1);
  Bf16Epilogue keys_values;
  keys_values.bias = w.kv.bias;
  keys_values.out = keys_values_in(p.kv_sink);
  linear_forward_bf16(stream, normed, w.kv, keys_values);
  if (queries == 0) return;

  Bf16Epilogue query;
  query.bias = w.q.bias;
  query.out = saved.q;
  linear_forward_bf16(stream, {normed, p.query_rows, queries}, w.q, query);
  attention_forward_bf16(stream.get(), saved.attention(p));
  linear_with_dropout_bf16(stream, saved.attended, w.out, saved.middle, p.x, p.query_rows,
                           p.dropout, DropoutSite::kAttention);
  const Bf16View normed2 = bf16_matrix(arena, queries, shape.width);
  layer_norm_forward_bf16(stream, saved.middle, w.ln2, normed2, saved.mean2, saved.rstd2);
  const Bf16View hidden = bf16_matrix(arena, queries, 4 * shape.width);
  Bf16Epilogue gelu;
  gelu.bias = w.fc1.bias;
  gelu.pre_activation = p.saved != nullptr ? saved.hidden_pre : Bf16View();
  gelu.is_gelu = true;
  gelu.out = hidden;
  linear_forward_bf16(stream, normed2, w.fc1, gelu);
  linear_with_dropout_bf16(stream, hidden, w.fc2, p.rows_out, saved.middle, nullptr, p.dropout,
                           DropoutSite::kFeedForward);
}

void transformer_layer_backward_bf16(CudaStream& stream, const TransformerLayerBackward& p) {
  const WorkspaceScope scope(stream.workspace());
  Workspace& arena = stream.workspace();
  const TransformerLayerForward& f = p.forward;
  const TransformerLayerShape& shape = f.shape;
  const TransformerLayerWeights& w = *f.weights;
  const SavedBf16 saved(f.saved, shape);
  const int64_t queries = shape.num_query_rows;
  const Bf16View d_kv = keys_values_in(p.d_kv);
  const Bf16View normed = bf16_matrix(arena, shape.num_rows, shape.width);
  const Bf16View d_normed = bf16_matrix(arena, shape.num_rows, shape.width);
  MatrixView d_middle;
  Bf16View d_q;
  if (queries > 0) {
    d_middle = arena.matrix(queries, shape.width);
    d_q = bf16_matrix(arena, queries, shape.width);
    const WorkspaceScope inside(arena);
    const Bf16View d_middle_rounded = bf16_matrix(arena, queries, shape.width);
    backward_feed_forward(stream, p, saved, d_middle, d_middle_rounded);
    backward_attention(stream, p, saved, d_middle, d_middle_rounded, d_q);
  }
  Bf16Epilogue sent;
  sent.out = d_normed;
  linear_backward_input_bf16(stream, d_kv, w.kv, sent);
  if (queries > 0) {
    sent.out_rows = f.query_rows;
    sent.is_accumulating = true;
    linear_backward_input_bf16(stream, d_q, w.q, sent);
  }
  // Every row is a query: the residual's gradient is there, row by row.
  const bool is_residual_whole = queries == shape.num_rows;
  layer_norm_backward_bf16(stream,
                           {f.x,
                            w.ln1,
                            saved.mean1,
                            saved.rstd1,
                            d_normed,
                            is_residual_whole ? ConstMatrixView(d_middle) : ConstMatrixView(),
                            p.d_x,
                            {},
                            normed,
                            p.gradients.ln1});
  if (queries > 0 && !is_residual_whole) add_rows(stream.get(), d_middle, f.query_rows, p.d_x);
  linear_backward_weights_bf16(stream, normed, d_kv, p.gradients.kv);
  if (queries > 0) {
    linear_backward_weights_bf16(stream, {normed, f.query_rows, queries}, d_q, p.gradients.q);
  }
}

}  // namespace longer
