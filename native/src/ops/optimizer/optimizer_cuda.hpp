#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/optimizer/optimizer.hpp"

namespace longer {

/// The contracts of optimizer.hpp on device memory; enqueue on the stream.
void adamw_step_cuda(CudaStream& stream, const AdamwStep& p);
/// As row_wise_adagrad_step over p.rows[0 … *num_rows), where num_rows is device memory;
/// p.num_rows bounds it.
void row_wise_adagrad_step_cuda(CudaStream& stream, const RowWiseAdagradStep& p,
                                const int32_t* num_rows);
/// *sum += Σ x² over count elements or, where num_rows is not null, over the first *num_rows rows
/// of `width` elements, of which there are at most `count`.
void add_squares_cuda(CudaStream& stream, const float* x, int64_t count, double* sum,
                      const int32_t* num_rows = nullptr, int64_t width = 1);
void decide_update_cuda(CudaStream& stream, StepNumbers* numbers);

}  // namespace longer
