#include "ops/prediction_head/prediction_head_cpu.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/layer_norm/layer_norm.hpp"

namespace longer {

void prediction_head_forward_cpu(CpuStream& stream, const PredictionHeadForward& p) {
  WorkspaceScope scope(stream.workspace());
  ThreadPool* pool = stream.pool();
  const PredictionHeadWeights& w = *p.weights;
  const int64_t width = p.side.cols;
  layer_norm_forward(pool, p.side, w.ln.weight, w.ln.bias, p.normed, p.mean, p.rstd);

  const size_t globals_bytes = static_cast<size_t>(p.num_globals * width) * sizeof(float);
  const size_t row_bytes = static_cast<size_t>(width) * sizeof(float);
  int64_t candidate = 0;
  for (int64_t b = 0; b < p.num_requests; ++b) {
    const int64_t first = p.side_offsets[b];
    for (int64_t row = first + p.num_globals; row < p.side_offsets[b + 1]; ++row, ++candidate) {
      std::memcpy(p.input.row(candidate), p.normed.row(first), globals_bytes);
      std::memcpy(p.input.row(candidate) + p.num_globals * width, p.normed.row(row), row_bytes);
    }
  }

  const MatrixView hidden = stream.workspace().matrix(p.input.rows, width);
  linear_forward(pool, {p.input, w.fc1.packed, hidden, Activation::kGelu, {}, p.hidden_pre});
  if (p.dropout.is_on()) apply_dropout(pool, p.dropout, DropoutSite::kHead, hidden, {}, hidden);
  linear_forward(pool, {hidden, w.fc2.packed, p.logits, Activation::kNone, {}, {}});
}

void prediction_head_backward_cpu(CpuStream& stream, const PredictionHeadBackward& p) {
  Workspace& workspace = stream.workspace();
  WorkspaceScope scope(workspace);
  ThreadPool* pool = stream.pool();
  const PredictionHeadForward& f = p.forward;
  const PredictionHeadWeights& w = *f.weights;
  const int64_t width = f.side.cols;
  const int64_t candidates = f.input.rows;

  const MatrixView hidden = workspace.matrix(candidates, width);
  const MatrixView d_hidden = workspace.matrix(candidates, width);
  const MatrixView d_input = workspace.matrix(candidates, f.input.cols);
  const MatrixView d_normed = workspace.matrix(f.side.rows, width);
  gelu_forward(pool, f.hidden_pre, hidden);
  if (f.dropout.is_on()) apply_dropout(pool, f.dropout, DropoutSite::kHead, hidden, {}, hidden);
  linear_backward_weights(pool, hidden, p.d_logits, p.gradients.fc2.weight, p.gradients.fc2.bias);
  linear_backward_input(pool, p.d_logits, *w.fc2.packed, d_hidden, Write::kSet);
  if (f.dropout.is_on()) apply_dropout(pool, f.dropout, DropoutSite::kHead, d_hidden, {}, d_hidden);
  gelu_backward(pool, f.hidden_pre, d_hidden, d_hidden);
  linear_backward_weights(pool, f.input, d_hidden, p.gradients.fc1.weight, p.gradients.fc1.bias);
  linear_backward_input(pool, d_hidden, *w.fc1.packed, d_input, Write::kSet);

  int64_t candidate = 0;
  for (int64_t b = 0; b < f.num_requests; ++b) {
    const int64_t first = f.side_offsets[b];
    float* d_globals = d_normed.row(first);
    std::fill_n(d_globals, f.num_globals * width, 0.0F);
    for (int64_t row = first + f.num_globals; row < f.side_offsets[b + 1]; ++row, ++candidate) {
      const float* from = d_input.row(candidate);
      for (int64_t i = 0; i < f.num_globals * width; ++i) d_globals[i] += from[i];
      std::memcpy(d_normed.row(row), from + f.num_globals * width,
                  static_cast<size_t>(width) * sizeof(float));
    }
  }
  layer_norm_backward(pool, f.side, w.ln.weight, f.mean, f.rstd, d_normed, p.d_side, Write::kSet,
                      p.gradients.ln.weight, p.gradients.ln.bias);
}

LossSum binary_cross_entropy_cpu(const BinaryCrossEntropy& p) {
  const int64_t candidates = p.logits.rows;
  const int64_t tasks = p.logits.cols;
  auto weight_of = [&p](int64_t c, int64_t t) {
    return (p.weights != nullptr ? static_cast<double>(p.weights[c]) : 1.0) * p.task_weights[t];
  };
  LossSum sum;
  for (int64_t c = 0; c < candidates; ++c) {
    for (int64_t t = 0; t < tasks; ++t) {
      const float label = p.labels[t * candidates + c];
      if (std::isnan(label)) continue;
      const double logit = static_cast<double>(p.logits.row(c)[t]);
      // log(1 + e^z) − y·z, without overflow on either side
      const double bce = std::max(logit, 0.0) - logit * static_cast<double>(label) +
                         std::log1p(std::exp(-std::abs(logit)));
      sum.loss += weight_of(c, t) * bce;
      sum.weight += weight_of(c, t);
    }
  }
  const double unit = p.unit > 0 ? p.unit : sum.weight;
  const double scale = unit > 0 ? 1.0 / unit : 0.0;
  for (int64_t c = 0; c < candidates; ++c) {
    for (int64_t t = 0; t < tasks; ++t) {
      const float label = p.labels[t * candidates + c];
      const double probability = 1.0 / (1.0 + std::exp(-static_cast<double>(p.logits.row(c)[t])));
      p.d_logits.row(c)[t] = std::isnan(label)
                                 ? 0.0F
                                 : static_cast<float>(weight_of(c, t) * scale *
                                                      (probability - static_cast<double>(label)));
    }
  }
  return sum;
}

}  // namespace longer
