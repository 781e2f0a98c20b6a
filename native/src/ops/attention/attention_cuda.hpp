#pragma once
#include <cuda_runtime.h>

#include "ops/attention/attention.hpp"

namespace longer {

/// The contracts of attention.hpp on device memory (spans and visible too); head width at most 128.
/// Enqueue on `stream`. `delta` [Rq, heads] is scratch of the backward pass.
void attention_forward_cuda(cudaStream_t stream, const AttentionForward& p);
void attention_backward_cuda(cudaStream_t stream, const AttentionBackward& p, float* delta);

}  // namespace longer
