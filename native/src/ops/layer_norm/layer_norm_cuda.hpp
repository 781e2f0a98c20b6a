#pragma once
#include "core/matrix.hpp"
#include "ops/cuda_stream.hpp"
#include "ops/weights.hpp"

namespace longer {

/// The contracts of layer_norm.hpp on device memory; enqueue on the stream. mean and rstd [R] are
/// always written.
void layer_norm_forward_cuda(CudaStream& stream, ConstMatrixView x, const NormWeights& weights,
                             MatrixView y, float* mean, float* rstd);
void layer_norm_backward_cuda(CudaStream& stream, ConstMatrixView x, const NormWeights& weights,
                              const float* mean, const float* rstd, ConstMatrixView dy,
                              MatrixView dx, Write write, const NormGradients& gradients);

}  // namespace longer
