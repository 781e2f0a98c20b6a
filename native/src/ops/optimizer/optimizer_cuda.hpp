#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/optimizer/optimizer.hpp"

namespace longer {

/// The contracts of optimizer.hpp on device memory; enqueue on the stream.
void adamw_step_cuda(CudaStream& stream, const AdamwStep& p);
void row_wise_adagrad_step_cuda(CudaStream& stream, const RowWiseAdagradStep& p);
/// Waits for the sum.
double squared_norm_cuda(CudaStream& stream, const float* x, int64_t count);

}  // namespace longer
