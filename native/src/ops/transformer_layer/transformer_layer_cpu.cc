#include "ops/transformer_layer/transformer_layer_cpu.hpp"

#include <algorithm>
#include <cstring>

#include "ops/attention/attention.hpp"
#include "ops/dropout/linear_with_dropout.hpp"
#include "ops/layer_norm/layer_norm.hpp"
#include "ops/transformer_layer/saved_rows.hpp"

namespace longer {
namespace {

constexpr int64_t kRowsPerItem = 64;

/// body(row) for every row, in blocks that threads share.
template <class Body>
void for_rows(ThreadPool* pool, int64_t num_rows, const Body& body) {
  parallel_for(pool, (num_rows + kRowsPerItem - 1) / kRowsPerItem, [&](int64_t block) {
    const int64_t end = std::min(num_rows, (block + 1) * kRowsPerItem);
    for (int64_t row = block * kRowsPerItem; row < end; ++row) body(row);
  });
}

void gather_rows(ThreadPool* pool, ConstMatrixView source, const int32_t* rows, MatrixView target) {
  for_rows(pool, target.rows, [&](int64_t row) {
    std::memcpy(target.row(row), source.row(rows[row]),
                static_cast<size_t>(target.cols) * sizeof(float));
  });
}

/// target[rows[i]] += source[i]; rows are distinct.
void add_rows(ThreadPool* pool, ConstMatrixView source, const int32_t* rows, MatrixView target) {
  for_rows(pool, source.rows, [&](int64_t row) {
    const float* from = source.row(row);
    float* to = target.row(rows[row]);
    for (int64_t c = 0; c < source.cols; ++c) to[c] += from[c];
  });
}

}  // namespace

int64_t transformer_layer_saved_floats(const TransformerLayerShape& s) {
  const int64_t columns = (s.precision == Precision::kBf16 ? 4 : 7) * s.width;
  return 2 * s.num_rows + s.num_query_rows * (columns + 2 + s.heads);
}

void transformer_layer_forward_cpu(CpuStream& stream, const TransformerLayerForward& p) {
  ThreadPool* pool = stream.pool();
  Workspace& workspace = stream.workspace();
  WorkspaceScope scope(workspace);
  const TransformerLayerShape& s = p.shape;
  const TransformerLayerWeights& w = *p.weights;
  float* memory =
      p.saved != nullptr ? p.saved : workspace.allocate<float>(transformer_layer_saved_floats(s));
  const SavedRows saved(memory, s);

  const MatrixView normed = workspace.matrix(s.num_rows, s.width);
  layer_norm_forward(pool, p.x, w.ln1.weight, w.ln1.bias, normed, saved.mean1, saved.rstd1);
  linear_forward(pool, {normed.slice_rows(s.num_known_rows, s.num_rows),
                        w.kv.packed,
                        p.kv_sink,
                        Activation::kNone,
                        {},
                        {}});
  if (s.num_query_rows == 0) return;

  const MatrixView query_input = workspace.matrix(s.num_query_rows, s.width);
  gather_rows(pool, normed, p.query_rows, query_input);
  linear_forward(pool, {query_input, w.q.packed, saved.q, Activation::kNone, {}, {}});
  attention_forward(pool, workspace, saved.attention(p));

  const MatrixView residual = query_input;  // the norm's rows are not needed any more
  gather_rows(pool, p.x, p.query_rows, residual);
  linear_with_dropout(pool,
                      {saved.attended, w.out.packed, saved.middle, Activation::kNone, residual, {}},
                      p.dropout, DropoutSite::kAttention);

  const MatrixView normed2 = workspace.matrix(s.num_query_rows, s.width);
  layer_norm_forward(pool, saved.middle, w.ln2.weight, w.ln2.bias, normed2, saved.mean2,
                     saved.rstd2);
  const MatrixView hidden = workspace.matrix(s.num_query_rows, 4 * s.width);
  const MatrixView keep = p.saved != nullptr ? saved.hidden_pre : MatrixView{};
  linear_forward(pool, {normed2, w.fc1.packed, hidden, Activation::kGelu, {}, keep});
  linear_with_dropout(pool, {hidden, w.fc2.packed, p.rows_out, Activation::kNone, saved.middle, {}},
                      p.dropout, DropoutSite::kFeedForward);
}

void transformer_layer_probabilities_cpu(const TransformerLayerForward& p, int64_t span,
                                         int64_t query_row, float* probabilities) {
  attention_probabilities(SavedRows(p.saved, p.shape).attention(p), span, query_row, probabilities);
}

void transformer_layer_backward_cpu(CpuStream& stream, const TransformerLayerBackward& p) {
  ThreadPool* pool = stream.pool();
  Workspace& workspace = stream.workspace();
  WorkspaceScope scope(workspace);
  const TransformerLayerForward& f = p.forward;
  const TransformerLayerShape& s = f.shape;
  const TransformerLayerWeights& w = *f.weights;
  const TransformerLayerGradients& g = p.gradients;
  const SavedRows saved(f.saved, s);
  const int64_t queries = s.num_query_rows;

  const MatrixView normed = workspace.matrix(s.num_rows, s.width);
  layer_norm_forward(pool, f.x, w.ln1.weight, w.ln1.bias, normed, nullptr, nullptr);

  MatrixView d_middle;
  MatrixView d_query_input;
  if (queries > 0) {
    d_middle = workspace.matrix(queries, s.width);
    d_query_input = workspace.matrix(queries, s.width);
    const MatrixView row = workspace.matrix(queries, s.width);
    {
      WorkspaceScope feed_forward(workspace);
      const MatrixView hidden = workspace.matrix(queries, 4 * s.width);
      const MatrixView d_hidden = workspace.matrix(queries, 4 * s.width);
      gelu_forward(pool, saved.hidden_pre, hidden);
      const ConstMatrixView d_fc2 =
          dropout_backward(pool, f.dropout, DropoutSite::kFeedForward, p.d_rows_out, row);
      linear_backward_weights(pool, hidden, d_fc2, g.fc2.weight, g.fc2.bias);
      linear_backward_input(pool, d_fc2, *w.fc2.packed, d_hidden, Write::kSet);
      gelu_backward(pool, saved.hidden_pre, d_hidden, d_hidden);
      layer_norm_forward(pool, saved.middle, w.ln2.weight, w.ln2.bias, row, nullptr, nullptr);
      linear_backward_weights(pool, row, d_hidden, g.fc1.weight, g.fc1.bias);
      linear_backward_input(pool, d_hidden, *w.fc1.packed, row, Write::kSet);
    }
    for_rows(pool, queries, [&](int64_t r) {
      std::memcpy(d_middle.row(r), p.d_rows_out.row(r),
                  static_cast<size_t>(s.width) * sizeof(float));
    });
    layer_norm_backward(pool, saved.middle, w.ln2.weight, saved.mean2, saved.rstd2, row, d_middle,
                        Write::kAdd, g.ln2.weight, g.ln2.bias);

    const MatrixView d_q = workspace.matrix(queries, s.width);
    const ConstMatrixView d_projected =
        dropout_backward(pool, f.dropout, DropoutSite::kAttention, d_middle, d_q);
    linear_backward_weights(pool, saved.attended, d_projected, g.out.weight, g.out.bias);
    const MatrixView d_attended = row;
    linear_backward_input(pool, d_projected, *w.out.packed, d_attended, Write::kSet);
    AttentionBackward attention;
    attention.forward = saved.attention(f);
    attention.d_out = d_attended;
    attention.d_q = d_q;
    if (p.d_prefix_kv.data != nullptr) {
      attention.d_prefix_keys = p.d_prefix_kv.slice_cols(0, s.width);
      attention.d_prefix_values = p.d_prefix_kv.slice_cols(s.width, 2 * s.width);
    }
    attention.d_own_keys = p.d_kv.slice_cols(0, s.width);
    attention.d_own_values = p.d_kv.slice_cols(s.width, 2 * s.width);
    attention_backward(pool, workspace, attention);

    const MatrixView query_input = row;
    gather_rows(pool, normed, f.query_rows, query_input);
    linear_backward_weights(pool, query_input, d_q, g.q.weight, g.q.bias);
    linear_backward_input(pool, d_q, *w.q.packed, d_query_input, Write::kSet);
  }

  linear_backward_weights(pool, normed, p.d_kv, g.kv.weight, g.kv.bias);
  const MatrixView d_normed = normed;  // read for the last time above
  linear_backward_input(pool, p.d_kv, *w.kv.packed, d_normed, Write::kSet);
  if (queries > 0) add_rows(pool, d_query_input, f.query_rows, d_normed);
  layer_norm_backward(pool, f.x, w.ln1.weight, saved.mean1, saved.rstd1, d_normed, p.d_x,
                      Write::kSet, g.ln1.weight, g.ln1.bias);
  if (queries > 0) add_rows(pool, d_middle, f.query_rows, p.d_x);
}

}  // namespace longer
