#include "ops/cuda_launch.hpp"
#include "ops/layer_norm/layer_norm_cuda.hpp"
#include "ops/linear/linear_cuda.hpp"
#include "ops/prediction_head/prediction_head_cuda.hpp"

namespace longer {
namespace {

/// input [B, slots · D]: the newest rows in the last slots, zeros before them; or [B, D]: their
/// mean.
void gather_input(CudaStream& stream, const HistoryHeadForward& p) {
  const int64_t width = p.rows.cols;
  const int64_t slots = p.num_slots;
  const int32_t* offsets = p.query_offsets;
  const MatrixView normed = p.normed;
  const MatrixView input = p.input;
  for_elements(stream.get(), "gather query rows", input.rows * input.cols,
               [=] __device__(int64_t i) {
                 const int64_t b = i / input.cols;
                 const int64_t col = i % input.cols;
                 const int64_t begin = offsets[b];
                 const int64_t end = offsets[b + 1];
                 float value = 0.0F;
                 if (slots > 0) {
                   const int64_t row = end - slots + col / width;
                   if (row >= begin) value = normed.data[row * normed.stride + col % width];
                 } else {
                   const float scale = 1.0F / static_cast<float>(end - begin);
                   for (int64_t row = begin; row < end; ++row)
                     value += normed.data[row * normed.stride + col] * scale;
                 }
                 input.data[b * input.stride + col] = value;
               });
}

void spread_input(CudaStream& stream, const HistoryHeadForward& p, ConstMatrixView d_input,
                  MatrixView d_normed) {
  const int64_t width = d_normed.cols;
  const int64_t slots = p.num_slots;
  const int32_t* offsets = p.query_offsets;
  for_request_elements(
      stream.get(), "query rows' gradient", p.num_requests,
      [=] __device__(int64_t b) { return (offsets[b + 1] - offsets[b]) * width; },
      [=] __device__(int64_t b, int64_t i) {
        const int64_t row = offsets[b] + i / width;
        const int64_t count = offsets[b + 1] - offsets[b];
        const int64_t column = slots > 0 ? (slots - (offsets[b + 1] - row)) * width : 0;
        const float scale = slots > 0 ? 1.0F : 1.0F / static_cast<float>(count);
        d_normed.data[row * d_normed.stride + i % width] =
            d_input.data[b * d_input.stride + column + i % width] * scale;
      });
}

}  // namespace

void history_head_forward_cuda(CudaStream& stream, const HistoryHeadForward& p) {
  const PredictionHeadWeights& w = *p.weights;
  layer_norm_forward_cuda(stream, p.rows, w.ln, p.normed, p.mean, p.rstd);
  gather_input(stream, p);
  linear_forward_cuda(stream, p.input, w.fc1_history, p.share, Activation::kNone, {}, {});
}

void history_head_backward_cuda(CudaStream& stream, const HistoryHeadBackward& p) {
  const WorkspaceScope scope(stream.workspace());
  const HistoryHeadForward& f = p.forward;
  const PredictionHeadWeights& w = *f.weights;
  const MatrixView d_input = stream.workspace().matrix(f.num_requests, f.input.cols);
  const MatrixView d_normed = stream.workspace().matrix(f.rows.rows, f.rows.cols);
  LinearGradients d_history = p.gradients.fc1_history;
  d_history.bias = nullptr;  // it is the candidates' map's
  linear_backward_weights_cuda(stream, f.input, p.d_share, d_history);
  linear_backward_input_cuda(stream, p.d_share, w.fc1_history, d_input);
  spread_input(stream, f, d_input, d_normed);
  layer_norm_backward_cuda(stream, f.rows, w.ln, f.mean, f.rstd, d_normed, p.d_rows, Write::kSet,
                           p.gradients.ln);
}

}  // namespace longer
