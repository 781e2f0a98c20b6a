#include <algorithm>

#include "ops/cuda_launch.hpp"
#include "ops/linear/linear_cuda.hpp"

namespace longer {
namespace {

constexpr int kTile = 64;      // rows and columns of a block
constexpr int kDepth = 16;     // of a step
constexpr int kPerThread = 4;  // rows and columns of a thread
constexpr int kThreads = (kTile / kPerThread) * (kTile / kPerThread);
constexpr int64_t kRowsPerPart = 2048;  // of a weight gradient's sum

__device__ float gelu(float u) {
  const float z2 = u * (u * u * 0.0713548163F + 1.59576912F);
  return u / (1.0F + expf(-z2));
}

__device__ float gelu_gradient(float u) {
  const float square = u * u;
  const float s = 1.0F / (1.0F + expf(-u * (square * 0.0713548163F + 1.59576912F)));
  return s + u * s * (1.0F - s) * (square * 0.214064449F + 1.59576912F);
}

/// A factor of a product: element (i, k), i a row or column of the product, at data[i · stride + k
/// · depth_stride]; one of the strides is 1.
struct Factor {
  const float* data;
  int64_t count;  // of i
  int64_t stride, depth_stride;
};

/// What becomes of element (row, col) of a product.
struct Epilogue {
  const float* bias = nullptr;
  const float* residual = nullptr;
  int64_t residual_stride = 0;
  float* pre_activation = nullptr;
  int64_t pre_activation_stride = 0;
  bool is_gelu = false;
  bool is_accumulating = false;
};

/// tile[k][i] = the factor's element (first + i, begin + k), 0 beyond its ends. Neighbouring
/// threads read neighbouring addresses.
__device__ void load_tile(const Factor& f, int64_t first, int64_t begin, int64_t end,
                          float (*tile)[kTile + kPerThread]) {
  for (int at = static_cast<int>(threadIdx.x); at < kTile * kDepth; at += kThreads) {
    const int k = f.depth_stride == 1 ? at % kDepth : at / kTile;
    const int i = f.depth_stride == 1 ? at / kDepth : at % kTile;
    const bool is_inside = first + i < f.count && begin + k < end;
    tile[k][i] = is_inside ? f.data[(first + i) * f.stride + (begin + k) * f.depth_stride] : 0.0F;
  }
}

/// y [a.count, b.count] = epilogue(Σ_k a(row, k) · b(col, k)). Grid: (tiles of rows, tiles of
/// columns, parts of the depth). A thread owns its elements and sums over k in order, so that
/// results repeat and no row depends on others. With several parts each writes its own y.
__global__ void __launch_bounds__(kThreads)
    product_kernel(Factor a, Factor b, int64_t depth, int64_t depth_per_part, float* y,
                   int64_t y_stride, Epilogue e) {
  __shared__ __align__(16) float a_tile[kDepth][kTile + kPerThread];
  __shared__ __align__(16) float b_tile[kDepth][kTile + kPerThread];
  const int64_t first_row = static_cast<int64_t>(blockIdx.x) * kTile;
  const int64_t first_col = static_cast<int64_t>(blockIdx.y) * kTile;
  const int64_t part_begin = static_cast<int64_t>(blockIdx.z) * depth_per_part;
  const int64_t part_end = min(depth, part_begin + depth_per_part);
  const int row_in_tile = static_cast<int>(threadIdx.x) / (kTile / kPerThread) * kPerThread;
  const int col_in_tile = static_cast<int>(threadIdx.x) % (kTile / kPerThread) * kPerThread;
  float sum[kPerThread][kPerThread] = {};
  for (int64_t begin = part_begin; begin < part_end; begin += kDepth) {
    load_tile(a, first_row, begin, part_end, a_tile);
    load_tile(b, first_col, begin, part_end, b_tile);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kDepth; ++k) {
      const float4 left = *reinterpret_cast<const float4*>(&a_tile[k][row_in_tile]);
      const float4 right = *reinterpret_cast<const float4*>(&b_tile[k][col_in_tile]);
      const float rows[kPerThread] = {left.x, left.y, left.z, left.w};
      const float cols[kPerThread] = {right.x, right.y, right.z, right.w};
#pragma unroll
      for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
        for (int j = 0; j < kPerThread; ++j) sum[i][j] = fmaf(rows[i], cols[j], sum[i][j]);
      }
    }
    __syncthreads();
  }
  float* out = y + static_cast<int64_t>(blockIdx.z) * a.count * y_stride;
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
    for (int j = 0; j < kPerThread; ++j) {
      const int64_t row = first_row + row_in_tile + i;
      const int64_t col = first_col + col_in_tile + j;
      if (row >= a.count || col >= b.count) continue;
      float value = sum[i][j];
      if (e.bias != nullptr) value += e.bias[col];
      if (e.pre_activation != nullptr) {
        e.pre_activation[row * e.pre_activation_stride + col] = value;
      }
      if (e.is_gelu) value = gelu(value);
      if (e.residual != nullptr) value += e.residual[row * e.residual_stride + col];
      if (e.is_accumulating) value += out[row * y_stride + col];
      out[row * y_stride + col] = value;
    }
  }
}

void launch_product(cudaStream_t stream, const Factor& a, const Factor& b, int64_t depth,
                    int64_t depth_per_part, int64_t num_parts, float* y, int64_t y_stride,
                    const Epilogue& epilogue) {
  if (a.count == 0 || b.count == 0) return;
  const dim3 grid(blocks_for(a.count, kTile), blocks_for(b.count, kTile),
                  static_cast<unsigned>(num_parts));
  product_kernel<<<grid, kThreads, 0, stream>>>(a, b, depth, depth_per_part, y, y_stride, epilogue);
  check_cuda(cudaGetLastError(), "launch linear");
}

/// to[r][c] += Σ over parts of `parts` [num_parts, rows, cols], in order.
void add_parts(cudaStream_t stream, const float* parts, int64_t num_parts, int64_t rows,
               int64_t cols, float* to, int64_t stride) {
  for_elements(stream, "add parts", rows * cols, [=] __device__(int64_t i) {
    float sum = 0.0F;
    for (int64_t part = 0; part < num_parts; ++part) sum += parts[part * rows * cols + i];
    to[i / cols * stride + i % cols] += sum;
  });
}

}  // namespace

void linear_forward_cuda(CudaStream& stream, ConstMatrixView x, const LinearWeights& w,
                         MatrixView y, Activation activation, ConstMatrixView residual,
                         MatrixView pre) {
  launch_product(stream.get(), {x.data, x.rows, x.stride, 1}, {w.weight, w.out, w.row_stride(), 1},
                 w.in, w.in, 1, y.data, y.stride,
                 {w.bias, residual.data, residual.stride, pre.data, pre.stride,
                  activation == Activation::kGelu, false});
}

void linear_backward_input_cuda(CudaStream& stream, ConstMatrixView dy, const LinearWeights& w,
                                MatrixView dx) {
  launch_product(stream.get(), {dy.data, dy.rows, dy.stride, 1},
                 {w.weight, w.in, 1, w.row_stride()}, w.out, w.out, 1, dx.data, dx.stride, {});
}

void linear_backward_weights_cuda(CudaStream& stream, ConstMatrixView x, ConstMatrixView dy,
                                  const LinearGradients& gradients) {
  const Factor a = {dy.data, dy.cols, 1, dy.stride};
  const Factor b = {x.data, x.cols, 1, x.stride};
  const int64_t stride = gradients.stride == 0 ? x.cols : gradients.stride;
  const int64_t num_parts = (x.rows + kRowsPerPart - 1) / kRowsPerPart;
  if (num_parts <= 1) {
    Epilogue add;
    add.is_accumulating = true;
    launch_product(stream.get(), a, b, x.rows, kRowsPerPart, 1, gradients.weight, stride, add);
  } else {
    const WorkspaceScope scope(stream.workspace());
    float* parts = stream.workspace().allocate<float>(num_parts * dy.cols * x.cols);
    launch_product(stream.get(), a, b, x.rows, kRowsPerPart, num_parts, parts, x.cols, {});
    add_parts(stream.get(), parts, num_parts, dy.cols, x.cols, gradients.weight, stride);
  }
  if (gradients.bias != nullptr) add_column_sums_cuda(stream, dy, gradients.bias);
}

void add_column_sums_cuda(CudaStream& stream, ConstMatrixView x, float* sums) {
  constexpr int64_t kRows = 512;
  const int64_t num_parts = (x.rows + kRows - 1) / kRows;
  const WorkspaceScope scope(stream.workspace());
  float* parts = stream.workspace().allocate<float>(num_parts * x.cols);
  for_elements(stream.get(), "sum columns", num_parts * x.cols, [=] __device__(int64_t i) {
    const int64_t begin = i / x.cols * kRows;
    const int64_t end = min(x.rows, begin + kRows);
    float sum = 0.0F;
    for (int64_t row = begin; row < end; ++row) sum += x.data[row * x.stride + i % x.cols];
    parts[i] = sum;
  });
  add_parts(stream.get(), parts, num_parts, 1, x.cols, sums, x.cols);
}

void gelu_forward_cuda(CudaStream& stream, ConstMatrixView x, MatrixView y) {
  for_elements(stream.get(), "gelu", x.rows * x.cols, [=] __device__(int64_t i) {
    const int64_t row = i / x.cols;
    const int64_t col = i % x.cols;
    y.data[row * y.stride + col] = gelu(x.data[row * x.stride + col]);
  });
}

void gelu_backward_cuda(CudaStream& stream, ConstMatrixView pre, ConstMatrixView dy,
                        MatrixView dx) {
  for_elements(stream.get(), "gelu gradient", pre.rows * pre.cols, [=] __device__(int64_t i) {
    const int64_t row = i / pre.cols;
    const int64_t col = i % pre.cols;
    dx.data[row * dx.stride + col] =
        dy.data[row * dy.stride + col] * gelu_gradient(pre.data[row * pre.stride + col]);
  });
}

}  // namespace longer
