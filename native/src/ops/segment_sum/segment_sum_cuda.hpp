#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/segment_sum/segment_sum.hpp"

namespace longer {

/// The contracts of segment_sum.hpp on device memory; enqueue on the stream.
void add_segments_cuda(CudaStream& stream, const Segments& segments, float* sums);
void add_rows_cuda(CudaStream& stream, const RowAddition& p);

}  // namespace longer
