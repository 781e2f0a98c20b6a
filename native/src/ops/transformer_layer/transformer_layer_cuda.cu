#include "ops/attention/attention_cuda.hpp"
#include "ops/dropout/dropout_cuda.hpp"
#include "ops/layer_norm/layer_norm_cuda.hpp"
#include "ops/linear/linear_cuda.hpp"
#include "ops/transformer_layer/row_copies_cuda.cuh"
#include "ops/transformer_layer/saved_rows.hpp"
#include "ops/transformer_layer/transformer_layer_bf16_cuda.hpp"
#include "ops/transformer_layer/transformer_layer_cuda.hpp"

namespace longer {
void transformer_layer_forward_cuda(CudaStream& stream, const TransformerLayerForward& p) {
  if (p.shape.precision == Precision::kBf16) return transformer_layer_forward_bf16(stream, p);
  const WorkspaceScope scope(stream.workspace());
  Workspace& arena = stream.workspace();
  const cudaStream_t s = stream.get();
  const TransformerLayerShape& shape = p.shape;
  const TransformerLayerWeights& w = *p.weights;
  float* memory =
      p.saved != nullptr ? p.saved : arena.allocate<float>(transformer_layer_saved_floats(shape));
  const SavedRows saved(memory, shape);

  const MatrixView normed = arena.matrix(shape.num_rows, shape.width);
  layer_norm_forward_cuda(stream, p.x, w.ln1, normed, saved.mean1, saved.rstd1);
  linear_forward_cuda(stream, normed.slice_rows(shape.num_known_rows, shape.num_rows), w.kv,
                      p.kv_sink, Activation::kNone, {}, {});
  if (shape.num_query_rows == 0) return;

  const MatrixView query_input = arena.matrix(shape.num_query_rows, shape.width);
  gather_rows(s, normed, p.query_rows, query_input);
  linear_forward_cuda(stream, query_input, w.q, saved.q, Activation::kNone, {}, {});
  attention_forward_cuda(s, saved.attention(p));
  gather_rows(s, p.x, p.query_rows, query_input);
  linear_with_dropout_cuda(stream, saved.attended, w.out, saved.middle, query_input, p.dropout,
                           DropoutSite::kAttention);
  layer_norm_forward_cuda(stream, saved.middle, w.ln2, query_input, saved.mean2, saved.rstd2);
  const MatrixView hidden = arena.matrix(shape.num_query_rows, 4 * shape.width);
  linear_forward_cuda(stream, query_input, w.fc1, hidden, Activation::kGelu, {}, saved.hidden_pre);
  linear_with_dropout_cuda(stream, hidden, w.fc2, p.rows_out, saved.middle, p.dropout,
                           DropoutSite::kFeedForward);
}

void transformer_layer_backward_cuda(CudaStream& stream, const TransformerLayerBackward& p) {
  if (p.forward.shape.precision == Precision::kBf16) {
    return transformer_layer_backward_bf16(stream, p);
  }
  const WorkspaceScope scope(stream.workspace());
  Workspace& arena = stream.workspace();
  const cudaStream_t s = stream.get();
  const TransformerLayerForward& f = p.forward;
  const TransformerLayerShape& shape = f.shape;
  const TransformerLayerWeights& w = *f.weights;
  const TransformerLayerGradients& g = p.gradients;
  const SavedRows saved(f.saved, shape);
  const int64_t queries = shape.num_query_rows;
  float* unused = arena.allocate<float>(2 * shape.num_rows);  // statistics that are known already

  const MatrixView normed = arena.matrix(shape.num_rows, shape.width);
  layer_norm_forward_cuda(stream, f.x, w.ln1, normed, unused, unused + shape.num_rows);
  MatrixView d_middle;
  MatrixView d_query_input;
  if (queries > 0) {
    d_middle = arena.matrix(queries, shape.width);
    d_query_input = arena.matrix(queries, shape.width);
    const MatrixView row = arena.matrix(queries, shape.width);
    const MatrixView hidden = arena.matrix(queries, 4 * shape.width);
    const MatrixView d_hidden = arena.matrix(queries, 4 * shape.width);
    gelu_forward_cuda(stream, saved.hidden_pre, hidden);
    const ConstMatrixView d_fc2 =
        dropout_backward_cuda(stream, f.dropout, DropoutSite::kFeedForward, p.d_rows_out, row);
    linear_backward_weights_cuda(stream, hidden, d_fc2, g.fc2);
    linear_backward_input_cuda(stream, d_fc2, w.fc2, d_hidden);
    gelu_backward_cuda(stream, saved.hidden_pre, d_hidden, d_hidden);
    layer_norm_forward_cuda(stream, saved.middle, w.ln2, row, unused, unused + shape.num_rows);
    linear_backward_weights_cuda(stream, row, d_hidden, g.fc1);
    linear_backward_input_cuda(stream, d_hidden, w.fc1, row);
    check_cuda(cudaMemcpy2DAsync(
                   d_middle.data, static_cast<size_t>(d_middle.stride) * sizeof(float),
                   p.d_rows_out.data, static_cast<size_t>(p.d_rows_out.stride) * sizeof(float),
                   static_cast<size_t>(shape.width) * sizeof(float), static_cast<size_t>(queries),
                   cudaMemcpyDeviceToDevice, s),
               "copy rows");
    layer_norm_backward_cuda(stream, saved.middle, w.ln2, saved.mean2, saved.rstd2, row, d_middle,
                             Write::kAdd, g.ln2);

    const MatrixView d_q = arena.matrix(queries, shape.width);
    const ConstMatrixView d_projected =
        dropout_backward_cuda(stream, f.dropout, DropoutSite::kAttention, d_middle, d_q);
    linear_backward_weights_cuda(stream, saved.attended, d_projected, g.out);
    linear_backward_input_cuda(stream, d_projected, w.out, row);
    AttentionBackward attention;
    attention.forward = saved.attention(f);
    attention.d_out = row;
    attention.d_q = d_q;
    if (p.d_prefix_kv.data != nullptr) {
      attention.d_prefix_keys = p.d_prefix_kv.slice_cols(0, shape.width);
      attention.d_prefix_values = p.d_prefix_kv.slice_cols(shape.width, 2 * shape.width);
    }
    attention.d_own_keys = p.d_kv.slice_cols(0, shape.width);
    attention.d_own_values = p.d_kv.slice_cols(shape.width, 2 * shape.width);
    attention_backward_cuda(s, attention, arena.allocate<float>(queries * shape.heads));
    gather_rows(s, normed, f.query_rows, row);
    linear_backward_weights_cuda(stream, row, d_q, g.q);
    linear_backward_input_cuda(stream, d_q, w.q, d_query_input);
  }
  linear_backward_weights_cuda(stream, normed, p.d_kv, g.kv);
  linear_backward_input_cuda(stream, p.d_kv, w.kv, normed);
  if (queries > 0) add_rows(s, d_query_input, f.query_rows, normed);
  layer_norm_backward_cuda(stream, f.x, w.ln1, saved.mean1, saved.rstd1, normed, p.d_x, Write::kSet,
                           g.ln1);
  if (queries > 0) add_rows(s, d_middle, f.query_rows, p.d_x);
}

void transformer_layer_probabilities_cuda(CudaStream& stream, const TransformerLayerForward& p,
                                          int64_t span, int64_t query_row, float* probabilities) {
  attention_probabilities_cuda(stream.get(), SavedRows(p.saved, p.shape).attention(p), span,
                               query_row, probabilities);
}

}  // namespace longer
