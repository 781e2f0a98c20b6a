#pragma once
#include <cuda_runtime.h>

#include "core/matrix.hpp"
#include "ops/weights.hpp"

namespace longer {

/// The contracts of layer_norm.hpp on device memory; enqueue on `stream`. mean and rstd [R] are
/// always written.
void layer_norm_forward_cuda(cudaStream_t stream, ConstMatrixView x, const NormWeights& weights,
                             MatrixView y, float* mean, float* rstd);
void layer_norm_backward_cuda(cudaStream_t stream, ConstMatrixView x, const NormWeights& weights,
                              const float* mean, const float* rstd, ConstMatrixView dy,
                              MatrixView dx, Write write, const NormGradients& gradients);

}  // namespace longer
