#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/learned_queries/learned_queries.hpp"

namespace longer {

/// The contracts of learned_queries.hpp on device memory; enqueue on the stream.
void learned_queries_forward_cuda(CudaStream& stream, const LearnedQueriesForward& p);
void learned_queries_backward_cuda(CudaStream& stream, const LearnedQueriesBackward& p);

}  // namespace longer
