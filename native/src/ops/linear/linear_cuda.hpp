#pragma once
#include <cuda_runtime.h>

#include "core/matrix.hpp"
#include "ops/linear/linear.hpp"
#include "ops/weights.hpp"

namespace longer {

/// The contracts of linear.hpp on device memory, in plain fp32 kernels; enqueue on `stream`.
void linear_forward_cuda(cudaStream_t stream, ConstMatrixView x, const LinearWeights& weights,
                         MatrixView y, Activation activation, ConstMatrixView residual,
                         MatrixView pre_activation);
void linear_backward_input_cuda(cudaStream_t stream, ConstMatrixView dy,
                                const LinearWeights& weights, MatrixView dx);
void linear_backward_weights_cuda(cudaStream_t stream, ConstMatrixView x, ConstMatrixView dy,
                                  const LinearGradients& gradients);
void gelu_forward_cuda(cudaStream_t stream, ConstMatrixView x, MatrixView y);
void gelu_backward_cuda(cudaStream_t stream, ConstMatrixView pre_activation, ConstMatrixView dy,
                        MatrixView dx);

}  // namespace longer
