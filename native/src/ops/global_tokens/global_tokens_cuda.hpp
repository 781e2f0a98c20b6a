#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/global_tokens/global_tokens.hpp"

namespace longer {

/// The contracts of global_tokens.hpp on device memory; enqueue on the stream.
void global_tokens_forward_cuda(CudaStream& stream, const GlobalTokensForward& p);
void global_tokens_backward_cuda(CudaStream& stream, const GlobalTokensBackward& p);

}  // namespace longer
