#pragma once
#include "core/matrix.hpp"
#include "ops/cuda_stream.hpp"
#include "ops/linear/linear.hpp"
#include "ops/weights.hpp"

namespace longer {

/// The contracts of linear.hpp on device memory, in plain fp32 kernels; enqueue on the stream.
void linear_forward_cuda(CudaStream& stream, ConstMatrixView x, const LinearWeights& weights,
                         MatrixView y, Activation activation, ConstMatrixView residual,
                         MatrixView pre_activation);
void linear_backward_input_cuda(CudaStream& stream, ConstMatrixView dy,
                                const LinearWeights& weights, MatrixView dx);
void linear_backward_weights_cuda(CudaStream& stream, ConstMatrixView x, ConstMatrixView dy,
                                  const LinearGradients& gradients);
void gelu_forward_cuda(CudaStream& stream, ConstMatrixView x, MatrixView y);
void gelu_backward_cuda(CudaStream& stream, ConstMatrixView pre_activation, ConstMatrixView dy,
                        MatrixView dx);

/// sums[c] += Σ over rows of x[r][c]: in parts of fixed length, then part by part.
void add_column_sums_cuda(CudaStream& stream, ConstMatrixView x, float* sums);

}  // namespace longer
