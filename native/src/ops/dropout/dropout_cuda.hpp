#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/dropout/dropout.hpp"
#include "ops/linear/linear.hpp"
#include "ops/weights.hpp"

namespace longer {

/// The contracts of dropout.hpp and linear_with_dropout.hpp on device memory; enqueue on the
/// stream.
void apply_dropout_cuda(CudaStream& stream, const Dropout& p, DropoutSite site, ConstMatrixView x,
                        ConstMatrixView residual, MatrixView y);
/// y = residual + dropout(x·Wᵀ + b); `p` may be off.
void linear_with_dropout_cuda(CudaStream& stream, ConstMatrixView x, const LinearWeights& weights,
                              MatrixView y, ConstMatrixView residual, const Dropout& p,
                              DropoutSite site);
ConstMatrixView dropout_backward_cuda(CudaStream& stream, const Dropout& p, DropoutSite site,
                                      ConstMatrixView d_y, MatrixView scratch);

}  // namespace longer
