#include <algorithm>

#include "core/workspace.hpp"
#include "longer/error.hpp"
#include "ops/layer_norm/layer_norm.hpp"
#include "ops/layer_norm/layer_norm_kernels.hpp"

namespace longer {
namespace {

constexpr int64_t kRowsPerItem = 64;
// Blocks of rows whose parameter gradients are summed apart and added in order: their number
// depends on the shape alone.
constexpr int64_t kMostBlocks = 32;

template <class Matrix>
void check_shape(const char* where, const char* name, const Matrix& matrix, int64_t rows,
                 int64_t cols) {
  check_argument(matrix.rows == rows && matrix.cols == cols, "[", where, "] ", name, " must be [",
                 rows, ", ", cols, "]; got [", matrix.rows, ", ", matrix.cols, "]");
}

}  // namespace

void layer_norm_forward(ThreadPool* pool, ConstMatrixView x, const float* weight, const float* bias,
                        MatrixView y, float* mean, float* rstd) {
  check_shape("layer_norm_forward", "y", y, x.rows, x.cols);
  check_argument(x.cols > 0, "[layer_norm_forward] x must have columns");
  const auto& kernels = layer_norm_kernels();
  parallel_for(pool, (x.rows + kRowsPerItem - 1) / kRowsPerItem, [&](int64_t item) {
    const int64_t r = item * kRowsPerItem;
    kernels.forward({x.row(r), x.stride, weight, bias, y.row(r), y.stride,
                     mean == nullptr ? nullptr : mean + r, rstd == nullptr ? nullptr : rstd + r,
                     std::min(kRowsPerItem, x.rows - r), x.cols});
  });
}

void layer_norm_backward(ThreadPool* pool, ConstMatrixView x, const float* weight,
                         const float* mean, const float* rstd, ConstMatrixView dy, MatrixView dx,
                         Write write, float* d_weight, float* d_bias) {
  check_shape("layer_norm_backward", "dy", dy, x.rows, x.cols);
  check_shape("layer_norm_backward", "dx", dx, x.rows, x.cols);
  if (x.rows == 0) return;
  const auto& kernels = layer_norm_kernels();
  const int64_t blocks = std::min(kMostBlocks, (x.rows + kRowsPerItem - 1) / kRowsPerItem);
  Workspace& workspace = thread_workspace();
  const WorkspaceScope scope(workspace);
  float* sums = workspace.allocate<float>(blocks * 2 * x.cols);
  parallel_for(pool, blocks, [&](int64_t block) {
    const int64_t r = x.rows * block / blocks;
    float* block_sums = sums + block * 2 * x.cols;
    kernels.backward({x.row(r), x.stride, weight, mean + r, rstd + r, dy.row(r), dy.stride,
                      dx.row(r), dx.stride, write == Write::kAdd, block_sums, block_sums + x.cols,
                      x.rows * (block + 1) / blocks - r, x.cols});
  });
  for (int64_t block = 0; block < blocks; ++block) {
    const float* block_sums = sums + block * 2 * x.cols;
    for (int64_t c = 0; c < x.cols; ++c) d_weight[c] += block_sums[c];
    for (int64_t c = 0; c < x.cols; ++c) d_bias[c] += block_sums[x.cols + c];
  }
}

}  // namespace longer
