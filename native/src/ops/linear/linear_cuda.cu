#include "core/cuda_check.hpp"
#include "ops/linear/linear_cuda.hpp"

namespace longer {
namespace {

constexpr int kTile = 16;

__device__ float gelu(float u) {
  const float z2 = u * (u * u * 0.0713548163F + 1.59576912F);
  return u / (1.0F + expf(-z2));
}

__device__ float gelu_gradient(float u) {
  const float square = u * u;
  const float s = 1.0F / (1.0F + expf(-u * (square * 0.0713548163F + 1.59576912F)));
  return s + u * s * (1.0F - s) * (square * 0.214064449F + 1.59576912F);
}

/// What becomes of element (row, col) of a product.
struct Epilogue {
  const float* bias;
  const float* residual;
  int64_t residual_stride;
  float* pre_activation;
  int64_t pre_activation_stride;
  bool is_gelu;
  bool is_accumulating;
};

/// y [rows, cols] = epilogue(Σ_k a(row, k) · b(k, col)). Grid: tiles of 16 × 16 elements; one
/// thread owns one element and sums over k in order, so that results repeat.
__global__ void product_kernel(const float* a, int64_t a_row_stride, int64_t a_depth_stride,
                               const float* b, int64_t b_depth_stride, int64_t b_col_stride,
                               int64_t rows, int64_t cols, int64_t depth, float* y,
                               int64_t y_stride, Epilogue e) {
  __shared__ float a_tile[kTile][kTile + 1];
  __shared__ float b_tile[kTile][kTile + 1];
  const int64_t row = static_cast<int64_t>(blockIdx.x) * kTile + threadIdx.y;
  const int64_t col = static_cast<int64_t>(blockIdx.y) * kTile + threadIdx.x;
  float sum = 0.0F;
  for (int64_t begin = 0; begin < depth; begin += kTile) {
    const int64_t a_k = begin + threadIdx.x;
    const int64_t b_k = begin + threadIdx.y;
    a_tile[threadIdx.y][threadIdx.x] =
        row < rows && a_k < depth ? a[row * a_row_stride + a_k * a_depth_stride] : 0.0F;
    b_tile[threadIdx.y][threadIdx.x] =
        col < cols && b_k < depth ? b[b_k * b_depth_stride + col * b_col_stride] : 0.0F;
    __syncthreads();
    for (int k = 0; k < kTile; ++k) sum = fmaf(a_tile[threadIdx.y][k], b_tile[k][threadIdx.x], sum);
    __syncthreads();
  }
  if (row >= rows || col >= cols) return;
  if (e.bias != nullptr) sum += e.bias[col];
  if (e.pre_activation != nullptr) e.pre_activation[row * e.pre_activation_stride + col] = sum;
  if (e.is_gelu) sum = gelu(sum);
  if (e.residual != nullptr) sum += e.residual[row * e.residual_stride + col];
  if (e.is_accumulating) sum += y[row * y_stride + col];
  y[row * y_stride + col] = sum;
}

__global__ void add_column_sums_kernel(const float* x, int64_t rows, int64_t cols, int64_t stride,
                                       float* sums) {
  const int64_t col = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (col >= cols) return;
  float sum = 0.0F;
  for (int64_t row = 0; row < rows; ++row) sum += x[row * stride + col];
  sums[col] += sum;
}

__global__ void gelu_forward_kernel(const float* x, int64_t x_stride, float* y, int64_t y_stride,
                                    int64_t rows, int64_t cols) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= rows * cols) return;
  y[i / cols * y_stride + i % cols] = gelu(x[i / cols * x_stride + i % cols]);
}

__global__ void gelu_backward_kernel(const float* pre, int64_t pre_stride, const float* dy,
                                     int64_t dy_stride, float* dx, int64_t dx_stride, int64_t rows,
                                     int64_t cols) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= rows * cols) return;
  const int64_t row = i / cols;
  const int64_t col = i % cols;
  dx[row * dx_stride + col] =
      dy[row * dy_stride + col] * gelu_gradient(pre[row * pre_stride + col]);
}

unsigned blocks(int64_t count, int64_t per_block) {
  return static_cast<unsigned>((count + per_block - 1) / per_block);
}

void launch_product(cudaStream_t stream, const float* a, int64_t a_row_stride,
                    int64_t a_depth_stride, const float* b, int64_t b_depth_stride,
                    int64_t b_col_stride, int64_t rows, int64_t cols, int64_t depth, float* y,
                    int64_t y_stride, const Epilogue& epilogue) {
  if (rows == 0 || cols == 0) return;
  const dim3 grid(blocks(rows, kTile), blocks(cols, kTile));
  product_kernel<<<grid, dim3(kTile, kTile), 0, stream>>>(a, a_row_stride, a_depth_stride, b,
                                                          b_depth_stride, b_col_stride, rows, cols,
                                                          depth, y, y_stride, epilogue);
  check_cuda(cudaGetLastError(), "launch linear");
}

}  // namespace

void linear_forward_cuda(cudaStream_t stream, ConstMatrixView x, const LinearWeights& w,
                         MatrixView y, Activation activation, ConstMatrixView residual,
                         MatrixView pre) {
  launch_product(stream, x.data, x.stride, 1, w.weight, 1, w.row_stride(), x.rows, w.out, w.in,
                 y.data, y.stride,
                 {w.bias, residual.data, residual.stride, pre.data, pre.stride,
                  activation == Activation::kGelu, false});
}

void linear_backward_input_cuda(cudaStream_t stream, ConstMatrixView dy, const LinearWeights& w,
                                MatrixView dx) {
  launch_product(stream, dy.data, dy.stride, 1, w.weight, w.row_stride(), 1, dy.rows, w.in, w.out,
                 dx.data, dx.stride, {nullptr, nullptr, 0, nullptr, 0, false, false});
}

void linear_backward_weights_cuda(cudaStream_t stream, ConstMatrixView x, ConstMatrixView dy,
                                  const LinearGradients& gradients) {
  launch_product(stream, dy.data, 1, dy.stride, x.data, x.stride, 1, dy.cols, x.cols, x.rows,
                 gradients.weight, gradients.stride == 0 ? x.cols : gradients.stride,
                 {nullptr, nullptr, 0, nullptr, 0, false, true});
  if (dy.cols == 0 || gradients.bias == nullptr) return;
  add_column_sums_kernel<<<blocks(dy.cols, 128), 128, 0, stream>>>(dy.data, dy.rows, dy.cols,
                                                                   dy.stride, gradients.bias);
  check_cuda(cudaGetLastError(), "launch bias gradient");
}

void gelu_forward_cuda(cudaStream_t stream, ConstMatrixView x, MatrixView y) {
  if (x.rows * x.cols == 0) return;
  gelu_forward_kernel<<<blocks(x.rows * x.cols, 256), 256, 0, stream>>>(x.data, x.stride, y.data,
                                                                        y.stride, x.rows, x.cols);
  check_cuda(cudaGetLastError(), "launch gelu");
}

void gelu_backward_cuda(cudaStream_t stream, ConstMatrixView pre, ConstMatrixView dy,
                        MatrixView dx) {
  if (pre.rows * pre.cols == 0) return;
  gelu_backward_kernel<<<blocks(pre.rows * pre.cols, 256), 256, 0, stream>>>(
      pre.data, pre.stride, dy.data, dy.stride, dx.data, dx.stride, pre.rows, pre.cols);
  check_cuda(cudaGetLastError(), "launch gelu gradient");
}

}  // namespace longer
