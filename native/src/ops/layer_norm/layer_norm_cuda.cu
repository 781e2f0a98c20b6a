#include "core/cuda_check.hpp"
#include "ops/layer_norm/layer_norm_cuda.hpp"

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

/// One thread a column: d_weight and d_bias over rows in order.
__global__ void backward_weights_kernel(ConstMatrixView x, const float* mean, const float* rstd,
                                        ConstMatrixView dy, float* d_weight, float* d_bias) {
  const int64_t col = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (col >= x.cols) return;
  float weight_sum = 0.0F;
  float bias_sum = 0.0F;
  for (int64_t row = 0; row < x.rows; ++row) {
    const float gradient = dy.data[row * dy.stride + col];
    weight_sum += gradient * (x.data[row * x.stride + col] - mean[row]) * rstd[row];
    bias_sum += gradient;
  }
  d_weight[col] += weight_sum;
  d_bias[col] += bias_sum;
}

unsigned blocks(int64_t count, int64_t per_block) {
  return static_cast<unsigned>((count + per_block - 1) / per_block);
}

}  // namespace

void layer_norm_forward_cuda(cudaStream_t stream, ConstMatrixView x, const NormWeights& w,
                             MatrixView y, float* mean, float* rstd) {
  if (x.rows == 0) return;
  forward_kernel<<<blocks(x.rows, kRowsPerBlock), dim3(kWarp, kRowsPerBlock), 0, stream>>>(
      x, w.weight, w.bias, y, mean, rstd);
  check_cuda(cudaGetLastError(), "launch layer_norm");
}

void layer_norm_backward_cuda(cudaStream_t stream, ConstMatrixView x, const NormWeights& w,
                              const float* mean, const float* rstd, ConstMatrixView dy,
                              MatrixView dx, Write write, const NormGradients& gradients) {
  if (x.rows == 0) return;
  backward_weights_kernel<<<blocks(x.cols, 128), 128, 0, stream>>>(
      x, mean, rstd, dy, gradients.weight, gradients.bias);
  backward_input_kernel<<<blocks(x.rows, kRowsPerBlock), dim3(kWarp, kRowsPerBlock), 0, stream>>>(
      x, w.weight, mean, rstd, dy, dx, write == Write::kAdd);
  check_cuda(cudaGetLastError(), "launch layer_norm gradient");
}

}  // namespace longer
