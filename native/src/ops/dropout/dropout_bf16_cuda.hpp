#pragma once
#include "core/bf16.hpp"
#include "ops/cuda_stream.hpp"
#include "ops/dropout/dropout.hpp"
#include "ops/weights.hpp"

namespace longer {

/// y = residual[rows] + dropout(x·Wᵀ + b); `rows` null = row by row; `p` may be off.
void linear_with_dropout_bf16(CudaStream& stream, const Bf16View& x, const LinearWeights& weights,
                              MatrixView y, ConstMatrixView residual, const int32_t* rows,
                              const Dropout& p, DropoutSite site);
/// The gradient of what linear_with_dropout_bf16 dropped from, in the stream's workspace:
/// `rounded`, if it is there and `p` is off, else m ⊙ d_y rounded.
Bf16View dropout_backward_bf16(CudaStream& stream, const Dropout& p, DropoutSite site,
                               ConstMatrixView d_y, const Bf16View& rounded);

/// A matrix in a workspace.
inline Bf16View bf16_matrix(Workspace& memory, int64_t rows, int64_t cols) {
  return {memory.allocate<Bf16>(rows * cols), rows, cols};
}

}  // namespace longer
