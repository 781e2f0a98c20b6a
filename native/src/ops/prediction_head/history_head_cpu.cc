#include <algorithm>

#include "ops/layer_norm/layer_norm.hpp"
#include "ops/prediction_head/prediction_head_cpu.hpp"

namespace longer {
namespace {

/// body(row, column of the request's input where it goes, scale) for the query rows of request b.
template <class Body>
void for_query_rows(const HistoryHeadForward& p, int64_t b, const Body& body) {
  const int64_t begin = p.query_offsets[b];
  const int64_t end = p.query_offsets[b + 1];
  for (int64_t row = begin; row < end; ++row) {
    if (p.num_slots > 0) {
      body(row, (p.num_slots - (end - row)) * p.rows.cols, 1.0F);
    } else {
      body(row, 0, 1.0F / static_cast<float>(end - begin));
    }
  }
}

}  // namespace

void history_head_forward_cpu(CpuStream& stream, const HistoryHeadForward& p) {
  const PredictionHeadWeights& w = *p.weights;
  layer_norm_forward(stream.pool(), p.rows, w.ln.weight, w.ln.bias, p.normed, p.mean, p.rstd);
  for (int64_t b = 0; b < p.num_requests; ++b) {
    float* input = p.input.row(b);
    std::fill_n(input, p.input.cols, 0.0F);
    for_query_rows(p, b, [&](int64_t row, int64_t column, float scale) {
      const float* from = p.normed.row(row);
      for (int64_t i = 0; i < p.rows.cols; ++i) input[column + i] += from[i] * scale;
    });
  }
  linear_forward(stream.pool(),
                 {p.input, w.fc1_history.packed, p.share, Activation::kNone, {}, {}});
}

void history_head_backward_cpu(CpuStream& stream, const HistoryHeadBackward& p) {
  Workspace& workspace = stream.workspace();
  WorkspaceScope scope(workspace);
  ThreadPool* pool = stream.pool();
  const HistoryHeadForward& f = p.forward;
  const PredictionHeadWeights& w = *f.weights;
  const PredictionHeadGradients& g = p.gradients;
  const MatrixView d_input = workspace.matrix(f.num_requests, f.input.cols);
  linear_backward_weights(pool, f.input, p.d_share, g.fc1_history.weight, nullptr,
                          g.fc1_history.stride);
  linear_backward_input(pool, p.d_share, *w.fc1_history.packed, d_input, Write::kSet);

  const MatrixView d_normed = workspace.matrix(f.rows.rows, f.rows.cols);
  for (int64_t b = 0; b < f.num_requests; ++b) {
    for_query_rows(f, b, [&](int64_t row, int64_t column, float scale) {
      const float* from = d_input.row(b) + column;
      for (int64_t i = 0; i < f.rows.cols; ++i) d_normed.row(row)[i] = from[i] * scale;
    });
  }
  layer_norm_backward(pool, f.rows, w.ln.weight, f.mean, f.rstd, d_normed, p.d_rows, Write::kSet,
                      g.ln.weight, g.ln.bias);
}

}  // namespace longer
