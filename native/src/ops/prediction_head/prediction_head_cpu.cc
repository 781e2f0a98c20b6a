#include "ops/prediction_head/prediction_head_cpu.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/layer_norm/layer_norm.hpp"

namespace longer {
namespace {

void copy_row(float* to, const float* from, int64_t width) {
  std::memcpy(to, from, static_cast<size_t>(width) * sizeof(float));
}

/// Rows [first, first + count) side by side.
void flatten(ConstMatrixView rows, int64_t first, int64_t count, float* to) {
  for (int64_t i = 0; i < count; ++i) copy_row(to + i * rows.cols, rows.row(first + i), rows.cols);
}

/// The reverse.
void unflatten(const float* from, int64_t first, int64_t count, MatrixView rows) {
  for (int64_t i = 0; i < count; ++i)
    copy_row(rows.row(first + i), from + i * rows.cols, rows.cols);
}

void add_row(float* to, const float* from, int64_t width) {
  for (int64_t i = 0; i < width; ++i) to[i] += from[i];
}

/// body(request, candidate of the batch, its block's first row) for every candidate.
template <class Body>
void for_candidates(const SideLayout& layout, const Body& body) {
  int64_t candidate = 0;
  for (int64_t b = 0; b < layout.num_requests; ++b) {
    for (int64_t c = 0; c < layout.num_candidates(b); ++c) body(b, candidate++, layout.block(b, c));
  }
}

/// A candidate's input: its user rows, then its other rows; a block holds them the other way round.
struct BlockOrder {
  int64_t own_rows, user_rows;
  void to_input(ConstMatrixView rows, int64_t block, float* input) const {
    flatten(rows, block + own_rows, user_rows, input);
    flatten(rows, block, own_rows, input + user_rows * rows.cols);
  }
  void to_rows(const float* input, int64_t block, MatrixView rows) const {
    unflatten(input, block + own_rows, user_rows, rows);
    unflatten(input + user_rows * rows.cols, block, own_rows, rows);
  }
};

BlockOrder block_order(const PredictionHeadForward& p) {
  return {p.layout.block_rows - p.user_rows, p.user_rows};
}

/// The part of hidden that all candidates of a request share [B, D]; empty where there is none.
ConstMatrixView shared_hidden(CpuStream& stream, const PredictionHeadForward& p) {
  const LinearWeights& w = p.weights->fc1_request;
  if (w.in == 0) return p.history_share;
  const MatrixView shared = stream.workspace().matrix(p.layout.num_requests, w.out);
  linear_forward(stream.pool(),
                 {p.request_input, w.packed, shared, Activation::kNone, p.history_share, {}});
  return shared;
}

}  // namespace

void prediction_head_forward_cpu(CpuStream& stream, const PredictionHeadForward& p) {
  Workspace& workspace = stream.workspace();
  WorkspaceScope scope(workspace);
  ThreadPool* pool = stream.pool();
  const PredictionHeadWeights& w = *p.weights;
  const int64_t width = p.side.cols;
  layer_norm_forward(pool, p.side, w.ln.weight, w.ln.bias, p.normed, p.mean, p.rstd);

  for (int64_t b = 0; b < p.layout.num_requests; ++b) {
    flatten(p.normed, p.layout.offsets[b], p.layout.request_rows, p.request_input.row(b));
  }
  const BlockOrder order = block_order(p);
  const ConstMatrixView shared = shared_hidden(stream, p);
  for_candidates(p.layout, [&](int64_t b, int64_t candidate, int64_t row) {
    order.to_input(p.normed, row, p.candidate_input.row(candidate));
    if (shared.data != nullptr) copy_row(p.hidden_pre.row(candidate), shared.row(b), width);
  });
  const ConstMatrixView residual = shared.data != nullptr ? p.hidden_pre : ConstMatrixView{};
  linear_forward(
      pool,
      {p.candidate_input, w.fc1_candidate.packed, p.hidden_pre, Activation::kNone, residual, {}});
  const MatrixView hidden = workspace.matrix(p.hidden_pre.rows, width);
  gelu_forward(pool, p.hidden_pre, hidden);
  if (p.dropout.is_on()) apply_dropout(pool, p.dropout, DropoutSite::kHead, hidden, {}, hidden);
  linear_forward(pool, {hidden, w.fc2.packed, p.logits, Activation::kNone, {}, {}});
}

void prediction_head_backward_cpu(CpuStream& stream, const PredictionHeadBackward& p) {
  Workspace& workspace = stream.workspace();
  WorkspaceScope scope(workspace);
  ThreadPool* pool = stream.pool();
  const PredictionHeadForward& f = p.forward;
  const PredictionHeadWeights& w = *f.weights;
  const PredictionHeadGradients& g = p.gradients;
  const SideLayout& layout = f.layout;
  const int64_t width = f.side.cols;
  const int64_t candidates = f.candidate_input.rows;

  const MatrixView hidden = workspace.matrix(candidates, width);
  const MatrixView d_hidden = workspace.matrix(candidates, width);
  gelu_forward(pool, f.hidden_pre, hidden);
  if (f.dropout.is_on()) apply_dropout(pool, f.dropout, DropoutSite::kHead, hidden, {}, hidden);
  linear_backward_weights(pool, hidden, p.d_logits, g.fc2.weight, g.fc2.bias);
  linear_backward_input(pool, p.d_logits, *w.fc2.packed, d_hidden, Write::kSet);
  if (f.dropout.is_on()) apply_dropout(pool, f.dropout, DropoutSite::kHead, d_hidden, {}, d_hidden);
  gelu_backward(pool, f.hidden_pre, d_hidden, d_hidden);

  const MatrixView d_input = workspace.matrix(candidates, f.candidate_input.cols);
  linear_backward_weights(pool, f.candidate_input, d_hidden, g.fc1_candidate.weight,
                          g.fc1_candidate.bias, g.fc1_candidate.stride);
  linear_backward_input(pool, d_hidden, *w.fc1_candidate.packed, d_input, Write::kSet);

  const MatrixView d_normed = workspace.matrix(f.side.rows, width);
  const MatrixView d_shared = p.d_history_share.data != nullptr
                                  ? p.d_history_share
                                  : workspace.matrix(layout.num_requests, width);
  for (int64_t b = 0; b < layout.num_requests; ++b) std::fill_n(d_shared.row(b), width, 0.0F);
  const BlockOrder order = block_order(f);
  for_candidates(layout, [&](int64_t b, int64_t candidate, int64_t row) {
    order.to_rows(d_input.row(candidate), row, d_normed);
    add_row(d_shared.row(b), d_hidden.row(candidate), width);
  });
  if (w.fc1_request.in > 0) {
    const MatrixView d_request = workspace.matrix(layout.num_requests, f.request_input.cols);
    linear_backward_weights(pool, f.request_input, d_shared, g.fc1_request.weight, nullptr,
                            g.fc1_request.stride);
    linear_backward_input(pool, d_shared, *w.fc1_request.packed, d_request, Write::kSet);
    for (int64_t b = 0; b < layout.num_requests; ++b) {
      unflatten(d_request.row(b), layout.offsets[b], layout.request_rows, d_normed);
    }
  }
  layer_norm_backward(pool, f.side, w.ln.weight, f.mean, f.rstd, d_normed, p.d_side, Write::kSet,
                      g.ln.weight, g.ln.bias);
}

void binary_cross_entropy_cpu(const BinaryCrossEntropy& p) {
  const int64_t candidates = p.logits.rows;
  const int64_t tasks = p.logits.cols;
  auto weight_of = [&p](int64_t c, int64_t t) {
    return (p.weights != nullptr ? static_cast<double>(p.weights[c]) : 1.0) * p.task_weights[t];
  };
  double loss = 0;
  double weight = 0;
  for (int64_t c = 0; c < candidates; ++c) {
    for (int64_t t = 0; t < tasks; ++t) {
      const float label = p.labels[t * candidates + c];
      if (std::isnan(label)) continue;
      const double logit = static_cast<double>(p.logits.row(c)[t]);
      // log(1 + e^z) − y·z, without overflow on either side
      const double bce = std::max(logit, 0.0) - logit * static_cast<double>(label) +
                         std::log1p(std::exp(-std::abs(logit)));
      loss += weight_of(c, t) * bce;
      weight += weight_of(c, t);
    }
  }
  StepNumbers& n = *p.numbers;
  n.loss += loss;
  n.weight += weight;
  if (!(n.unit > 0)) n.unit = weight;
  const double scale = n.unit > 0 ? 1.0 / n.unit : 0.0;
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
}

}  // namespace longer
