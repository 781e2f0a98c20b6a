#include "ops/cuda_launch.hpp"
#include "ops/dropout/dropout_cuda.hpp"
#include "ops/layer_norm/layer_norm_cuda.hpp"
#include "ops/linear/linear_cuda.hpp"
#include "ops/prediction_head/prediction_head_cuda.hpp"

namespace longer {
namespace {

/// A candidate's input: its user rows, then its other rows; a block holds them the other way round.
struct BlockOrder {
  int64_t own_rows, user_rows;
  explicit BlockOrder(const PredictionHeadForward& p)
      : own_rows(p.layout.block_rows - p.user_rows), user_rows(p.user_rows) {}
  /// Row of the block that the input's row i is.
  constexpr int64_t row(int64_t i) const { return i < user_rows ? own_rows + i : i - user_rows; }
};

/// body(row, its column, request, column of its input) over request_input.
template <class Body>
void for_request_rows(CudaStream& stream, const SideLayout& layout, int64_t width,
                      const Body& body) {
  const int64_t cols = layout.request_rows * width;
  for_elements(stream.get(), "request rows", layout.num_requests * cols, [=] __device__(int64_t i) {
    const int64_t b = i / cols;
    body(layout.offsets[b] + i % cols / width, i % width, b, i % cols);
  });
}

/// body(row, its column, candidate of the batch, column of its input) over candidate_input.
template <class Body>
void for_block_rows(CudaStream& stream, const SideLayout& layout, const BlockOrder& order,
                    int64_t width, const Body& body) {
  const int64_t cols = layout.block_rows * width;
  for_request_elements(
      stream.get(), "candidate rows", layout.num_requests,
      [=] __device__(int64_t b) { return layout.num_candidates(b) * cols; },
      [=] __device__(int64_t b, int64_t i) {
        const int64_t c = i / cols;
        const int64_t col = i % cols;
        body(layout.block(b, c) + order.row(col / width), col % width,
             layout.first_candidate(b) + c, col);
      });
}

/// rows[candidate] = shared[its request].
void repeat_for_candidates(CudaStream& stream, const SideLayout& layout, ConstMatrixView shared,
                           MatrixView rows) {
  const int64_t width = rows.cols;
  for_request_elements(
      stream.get(), "repeat for candidates", layout.num_requests,
      [=] __device__(int64_t b) { return layout.num_candidates(b) * width; },
      [=] __device__(int64_t b, int64_t i) {
        rows.data[(layout.first_candidate(b) + i / width) * rows.stride + i % width] =
            shared.data[b * shared.stride + i % width];
      });
}

/// d_shared[request] = Σ of its candidates' rows, in order.
void sum_candidates(CudaStream& stream, const SideLayout& layout, ConstMatrixView d_rows,
                    MatrixView d_shared) {
  for_elements(stream.get(), "sum candidates", d_shared.rows * d_shared.cols,
               [=] __device__(int64_t i) {
                 const int64_t b = i / d_shared.cols;
                 const int64_t col = i % d_shared.cols;
                 float sum = 0.0F;
                 for (int64_t c = 0; c < layout.num_candidates(b); ++c) {
                   sum += d_rows.data[(layout.first_candidate(b) + c) * d_rows.stride + col];
                 }
                 d_shared.data[b * d_shared.stride + col] = sum;
               });
}

/// The part of hidden that all candidates of a request share [B, D]; empty where there is none.
ConstMatrixView shared_hidden(CudaStream& stream, const PredictionHeadForward& p) {
  const LinearWeights& w = p.weights->fc1_request;
  if (w.in == 0) return p.history_share;
  const MatrixView shared = stream.workspace().matrix(p.layout.num_requests, w.out);
  linear_forward_cuda(stream, p.request_input, w, shared, Activation::kNone, p.history_share, {});
  return shared;
}

/// gelu of hidden_pre with dropout.
MatrixView activated(CudaStream& stream, const PredictionHeadForward& p) {
  const MatrixView hidden = stream.workspace().matrix(p.hidden_pre.rows, p.hidden_pre.cols);
  gelu_forward_cuda(stream, p.hidden_pre, hidden);
  if (p.dropout.is_on()) {
    apply_dropout_cuda(stream, p.dropout, DropoutSite::kHead, hidden, {}, hidden);
  }
  return hidden;
}

LinearGradients without_bias(LinearGradients gradients) {
  gradients.bias = nullptr;
  return gradients;
}

}  // namespace

void prediction_head_forward_cuda(CudaStream& stream, const PredictionHeadForward& p) {
  const WorkspaceScope scope(stream.workspace());
  const PredictionHeadWeights& w = *p.weights;
  const int64_t width = p.side.cols;
  const MatrixView normed = p.normed;
  const MatrixView request_input = p.request_input;
  const MatrixView candidate_input = p.candidate_input;
  layer_norm_forward_cuda(stream, p.side, w.ln, normed, p.mean, p.rstd);
  for_request_rows(
      stream, p.layout, width, [=] __device__(int64_t row, int64_t col, int64_t b, int64_t at) {
        request_input.data[b * request_input.stride + at] = normed.data[row * normed.stride + col];
      });
  for_block_rows(stream, p.layout, BlockOrder(p), width,
                 [=] __device__(int64_t row, int64_t col, int64_t candidate, int64_t at) {
                   candidate_input.data[candidate * candidate_input.stride + at] =
                       normed.data[row * normed.stride + col];
                 });
  const ConstMatrixView shared = shared_hidden(stream, p);
  ConstMatrixView residual;
  if (shared.data != nullptr) {
    repeat_for_candidates(stream, p.layout, shared, p.hidden_pre);
    residual = p.hidden_pre;
  }
  linear_forward_cuda(stream, candidate_input, w.fc1_candidate, p.hidden_pre, Activation::kNone,
                      residual, {});
  linear_forward_cuda(stream, activated(stream, p), w.fc2, p.logits, Activation::kNone, {}, {});
}

void prediction_head_backward_cuda(CudaStream& stream, const PredictionHeadBackward& p) {
  Workspace& workspace = stream.workspace();
  const WorkspaceScope scope(workspace);
  const PredictionHeadForward& f = p.forward;
  const PredictionHeadWeights& w = *f.weights;
  const PredictionHeadGradients& g = p.gradients;
  const SideLayout& layout = f.layout;
  const int64_t width = f.side.cols;

  const MatrixView d_hidden = workspace.matrix(f.candidate_input.rows, width);
  linear_backward_weights_cuda(stream, activated(stream, f), p.d_logits, g.fc2);
  linear_backward_input_cuda(stream, p.d_logits, w.fc2, d_hidden);
  if (f.dropout.is_on()) {
    apply_dropout_cuda(stream, f.dropout, DropoutSite::kHead, d_hidden, {}, d_hidden);
  }
  gelu_backward_cuda(stream, f.hidden_pre, d_hidden, d_hidden);

  const MatrixView d_input = workspace.matrix(f.candidate_input.rows, f.candidate_input.cols);
  linear_backward_weights_cuda(stream, f.candidate_input, d_hidden, g.fc1_candidate);
  linear_backward_input_cuda(stream, d_hidden, w.fc1_candidate, d_input);
  const MatrixView d_normed = workspace.matrix(f.side.rows, width);
  for_block_rows(stream, layout, BlockOrder(f), width,
                 [=] __device__(int64_t row, int64_t col, int64_t candidate, int64_t at) {
                   d_normed.data[row * d_normed.stride + col] =
                       d_input.data[candidate * d_input.stride + at];
                 });
  const MatrixView d_shared = p.d_history_share.data != nullptr
                                  ? p.d_history_share
                                  : workspace.matrix(layout.num_requests, width);
  sum_candidates(stream, layout, d_hidden, d_shared);
  if (w.fc1_request.in > 0) {
    const MatrixView d_request = workspace.matrix(layout.num_requests, f.request_input.cols);
    linear_backward_weights_cuda(stream, f.request_input, d_shared, without_bias(g.fc1_request));
    linear_backward_input_cuda(stream, d_shared, w.fc1_request, d_request);
    for_request_rows(
        stream, layout, width, [=] __device__(int64_t row, int64_t col, int64_t b, int64_t at) {
          d_normed.data[row * d_normed.stride + col] = d_request.data[b * d_request.stride + at];
        });
  }
  layer_norm_backward_cuda(stream, f.side, w.ln, f.mean, f.rstd, d_normed, p.d_side, Write::kSet,
                           g.ln);
}

}  // namespace longer
