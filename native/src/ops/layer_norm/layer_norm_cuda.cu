#include "ops/cuda_launch.hpp"
#include "ops/layer_norm/layer_norm_cuda.hpp"
#include "ops/linear/linear_cuda.hpp"

namespace longer {
namespace {

constexpr int kWarp = 32;
constexpr int kRowsPerBlock = 4;
constexpr float kEpsilon = 1e-5F;

__device__ float warp_sum(float value) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2)
    value += __shfl_xor_sync(0xFFFFFFFF, value, offset);
  return value;
}

/// One warp a row.
__global__ void forward_kernel(ConstMatrixView x, const float* weight, const float* bias,
                               MatrixView y, float* mean_out, float* rstd_out) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * kRowsPerBlock + threadIdx.y;
  if (row >= x.rows) return;
  const float* in = x.data + row * x.stride;
  float* out = y.data + row * y.stride;
  float sum = 0.0F;
  for (int64_t i = threadIdx.x; i < x.cols; i += kWarp) sum += in[i];
  const float mean = warp_sum(sum) / static_cast<float>(x.cols);
  float squares = 0.0F;
  for (int64_t i = threadIdx.x; i < x.cols; i += kWarp) squares += (in[i] - mean) * (in[i] - mean);
  const float rstd = 1.0F / sqrtf(warp_sum(squares) / static_cast<float>(x.cols) + kEpsilon);
  for (int64_t i = threadIdx.x; i < x.cols; i += kWarp)
    out[i] = (in[i] - mean) * rstd * weight[i] + bias[i];
  if (threadIdx.x == 0) {
    mean_out[row] = mean;
    rstd_out[row] = rstd;
  }
}

/// One warp a row: dx.
__global__ void backward_input_kernel(ConstMatrixView x, const float* weight, const float* mean,
                                      const float* rstd, ConstMatrixView dy, MatrixView dx,
                                      bool is_accumulating) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * kRowsPerBlock + threadIdx.y;
  if (row >= x.rows) return;
  const float* in = x.data + row * x.stride;
  const float* gradient = dy.data + row * dy.stride;
  float* out = dx.data + row * dx.stride;
  float sum = 0.0F;
  float projected = 0.0F;
  for (int64_t i = threadIdx.x; i < x.cols; i += kWarp) {
    const float scaled = gradient[i] * weight[i];
    sum += scaled;
    projected += scaled * (in[i] - mean[row]) * rstd[row];
  }
  const float mean_scaled = warp_sum(sum) / static_cast<float>(x.cols);
  const float mean_projected = warp_sum(projected) / static_cast<float>(x.cols);
  for (int64_t i = threadIdx.x; i < x.cols; i += kWarp) {
    const float normal = (in[i] - mean[row]) * rstd[row];
    const float value =
        (gradient[i] * weight[i] - mean_scaled - normal * mean_projected) * rstd[row];
    out[i] = is_accumulating ? out[i] + value : value;
  }
}

}  // namespace

void layer_norm_forward_cuda(CudaStream& stream, ConstMatrixView x, const NormWeights& w,
                             MatrixView y, float* mean, float* rstd) {
  if (x.rows == 0) return;
  forward_kernel<<<blocks_for(x.rows, kRowsPerBlock), dim3(kWarp, kRowsPerBlock), 0,
                   stream.get()>>>(x, w.weight, w.bias, y, mean, rstd);
  check_cuda(cudaGetLastError(), "launch layer_norm");
}

void layer_norm_backward_cuda(CudaStream& stream, ConstMatrixView x, const NormWeights& w,
                              const float* mean, const float* rstd, ConstMatrixView dy,
                              MatrixView dx, Write write, const NormGradients& gradients) {
  if (x.rows == 0) return;
  const WorkspaceScope scope(stream.workspace());
  const MatrixView products = stream.workspace().matrix(x.rows, x.cols);
  for_elements(
      stream.get(), "layer_norm weights' gradient", x.rows * x.cols, [=] __device__(int64_t i) {
        const int64_t row = i / x.cols;
        const int64_t col = i % x.cols;
        products.data[i] =
            dy.data[row * dy.stride + col] * (x.data[row * x.stride + col] - mean[row]) * rstd[row];
      });
  add_column_sums_cuda(stream, products, gradients.weight);
  add_column_sums_cuda(stream, dy, gradients.bias);
  backward_input_kernel<<<blocks_for(x.rows, kRowsPerBlock), dim3(kWarp, kRowsPerBlock), 0,
                          stream.get()>>>(x, w.weight, mean, rstd, dy, dx, write == Write::kAdd);
  check_cuda(cudaGetLastError(), "launch layer_norm gradient");
}

}  // namespace longer
