#include "ops/attention/attention_cuda.hpp"
#include "ops/layer_norm/layer_norm_cuda.hpp"
#include "ops/linear/linear_cuda.hpp"
#include "ops/transformer_layer/saved_rows.hpp"
#include "ops/transformer_layer/transformer_layer_cuda.hpp"

namespace longer {
namespace {

/// target[i] = source[rows[i]].
__global__ void gather_rows_kernel(ConstMatrixView source, const int32_t* rows, MatrixView target) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= target.rows * target.cols) return;
  const int64_t row = i / target.cols;
  const int64_t col = i % target.cols;
  target.data[row * target.stride + col] = source.data[rows[row] * source.stride + col];
}

/// target[rows[i]] += source[i]; rows are distinct.
__global__ void add_rows_kernel(ConstMatrixView source, const int32_t* rows, MatrixView target) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= source.rows * source.cols) return;
  const int64_t row = i / source.cols;
  const int64_t col = i % source.cols;
  target.data[rows[row] * target.stride + col] += source.data[row * source.stride + col];
}

unsigned blocks(int64_t count) { return static_cast<unsigned>((count + 255) / 256); }

void gather_rows(cudaStream_t stream, ConstMatrixView source, const int32_t* rows,
                 MatrixView target) {
  gather_rows_kernel<<<blocks(target.rows * target.cols), 256, 0, stream>>>(source, rows, target);
  check_cuda(cudaGetLastError(), "launch gather");
}

void add_rows(cudaStream_t stream, ConstMatrixView source, const int32_t* rows, MatrixView target) {
  add_rows_kernel<<<blocks(source.rows * source.cols), 256, 0, stream>>>(source, rows, target);
  check_cuda(cudaGetLastError(), "launch scatter");
}

}  // namespace

void transformer_layer_forward_cuda(CudaStream& stream, const TransformerLayerForward& p) {
  DeviceArenaScope scope(stream.arena());
  DeviceArena& arena = stream.arena();
  const cudaStream_t s = stream.get();
  const TransformerLayerShape& shape = p.shape;
  const TransformerLayerWeights& w = *p.weights;
  float* memory =
      p.saved != nullptr ? p.saved : arena.allocate<float>(transformer_layer_saved_floats(shape));
  const SavedRows saved(memory, shape);

  const MatrixView normed = arena.matrix(shape.num_rows, shape.width);
  layer_norm_forward_cuda(s, p.x, w.ln1, normed, saved.mean1, saved.rstd1);
  linear_forward_cuda(s, normed.slice_rows(shape.num_known_rows, shape.num_rows), w.kv, p.kv_sink,
                      Activation::kNone, {}, {});
  if (shape.num_query_rows == 0) return;

  const MatrixView query_input = arena.matrix(shape.num_query_rows, shape.width);
  gather_rows(s, normed, p.query_rows, query_input);
  linear_forward_cuda(s, query_input, w.q, saved.q, Activation::kNone, {}, {});
  attention_forward_cuda(s, saved.attention(p));
  gather_rows(s, p.x, p.query_rows, query_input);
  linear_forward_cuda(s, saved.attended, w.out, saved.middle, Activation::kNone, query_input, {});
  layer_norm_forward_cuda(s, saved.middle, w.ln2, query_input, saved.mean2, saved.rstd2);
  const MatrixView hidden = arena.matrix(shape.num_query_rows, 4 * shape.width);
  linear_forward_cuda(s, query_input, w.fc1, hidden, Activation::kGelu, {}, saved.hidden_pre);
  linear_forward_cuda(s, hidden, w.fc2, p.rows_out, Activation::kNone, saved.middle, {});
}

void transformer_layer_backward_cuda(CudaStream& stream, const TransformerLayerBackward& p) {
  DeviceArenaScope scope(stream.arena());
  DeviceArena& arena = stream.arena();
  const cudaStream_t s = stream.get();
  const TransformerLayerForward& f = p.forward;
  const TransformerLayerShape& shape = f.shape;
  const TransformerLayerWeights& w = *f.weights;
  const TransformerLayerGradients& g = p.gradients;
  const SavedRows saved(f.saved, shape);
  const int64_t queries = shape.num_query_rows;
  float* unused = arena.allocate<float>(2 * shape.num_rows);  // statistics that are known already

  const MatrixView normed = arena.matrix(shape.num_rows, shape.width);
  layer_norm_forward_cuda(s, f.x, w.ln1, normed, unused, unused + shape.num_rows);
  MatrixView d_middle;
  MatrixView d_query_input;
  if (queries > 0) {
    d_middle = arena.matrix(queries, shape.width);
    d_query_input = arena.matrix(queries, shape.width);
    const MatrixView row = arena.matrix(queries, shape.width);
    const MatrixView hidden = arena.matrix(queries, 4 * shape.width);
    const MatrixView d_hidden = arena.matrix(queries, 4 * shape.width);
    gelu_forward_cuda(s, saved.hidden_pre, hidden);
    linear_backward_weights_cuda(s, hidden, p.d_rows_out, g.fc2);
    linear_backward_input_cuda(s, p.d_rows_out, w.fc2, d_hidden);
    gelu_backward_cuda(s, saved.hidden_pre, d_hidden, d_hidden);
    layer_norm_forward_cuda(s, saved.middle, w.ln2, row, unused, unused + shape.num_rows);
    linear_backward_weights_cuda(s, row, d_hidden, g.fc1);
    linear_backward_input_cuda(s, d_hidden, w.fc1, row);
    check_cuda(cudaMemcpy2DAsync(
                   d_middle.data, static_cast<size_t>(d_middle.stride) * sizeof(float),
                   p.d_rows_out.data, static_cast<size_t>(p.d_rows_out.stride) * sizeof(float),
                   static_cast<size_t>(shape.width) * sizeof(float), static_cast<size_t>(queries),
                   cudaMemcpyDeviceToDevice, s),
               "copy rows");
    layer_norm_backward_cuda(s, saved.middle, w.ln2, saved.mean2, saved.rstd2, row, d_middle,
                             Write::kAdd, g.ln2);

    linear_backward_weights_cuda(s, saved.attended, d_middle, g.out);
    linear_backward_input_cuda(s, d_middle, w.out, row);
    AttentionBackward attention;
    attention.forward = saved.attention(f);
    attention.d_out = row;
    attention.d_q = arena.matrix(queries, shape.width);
    if (p.d_prefix_kv.data != nullptr) {
      attention.d_prefix_keys = p.d_prefix_kv.slice_cols(0, shape.width);
      attention.d_prefix_values = p.d_prefix_kv.slice_cols(shape.width, 2 * shape.width);
    }
    attention.d_own_keys = p.d_kv.slice_cols(0, shape.width);
    attention.d_own_values = p.d_kv.slice_cols(shape.width, 2 * shape.width);
    attention_backward_cuda(s, attention, arena.allocate<float>(queries * shape.heads));
    gather_rows(s, normed, f.query_rows, row);
    linear_backward_weights_cuda(s, row, attention.d_q, g.q);
    linear_backward_input_cuda(s, attention.d_q, w.q, d_query_input);
  }
  linear_backward_weights_cuda(s, normed, p.d_kv, g.kv);
  linear_backward_input_cuda(s, p.d_kv, w.kv, normed);
  if (queries > 0) add_rows(s, d_query_input, f.query_rows, normed);
  layer_norm_backward_cuda(s, f.x, w.ln1, saved.mean1, saved.rstd1, normed, p.d_x, Write::kSet,
                           g.ln1);
  if (queries > 0) add_rows(s, d_middle, f.query_rows, p.d_x);
}

}  // namespace longer
