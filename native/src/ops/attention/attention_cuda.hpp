#pragma once
#include <cuda_runtime.h>

#include "ops/attention/attention.hpp"

namespace longer {

/// The contracts of attention.hpp on device memory (spans and visible too); enqueue on `stream`.
/// `delta` [Rq, heads] is scratch of the backward pass.
void attention_forward_cuda(cudaStream_t stream, const AttentionForward& p);
void attention_backward_cuda(cudaStream_t stream, const AttentionBackward& p, float* delta);

/// From what a forward call with an lse left.
void attention_probabilities_cuda(cudaStream_t stream, const AttentionForward& p, int64_t span,
                                  int64_t query_row, float* probabilities);

}  // namespace longer
