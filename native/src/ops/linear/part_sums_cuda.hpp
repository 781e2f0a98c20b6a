#pragma once
#include "ops/cuda_stream.hpp"

namespace longer {

/// to[r · stride + c] += Σ over parts of parts[part · part_stride + r · cols + c]: every eighth
/// part in order, then the eight sums in order.
void add_part_sums(CudaStream& stream, const float* parts, int64_t num_parts, int64_t part_stride,
                   int64_t rows, int64_t cols, float* to, int64_t stride);

}  // namespace longer
