#pragma once
#include "ops/global_tokens/global_tokens.hpp"
#include "ops/stream.hpp"

namespace longer {

void global_tokens_forward_cpu(CpuStream& stream, const GlobalTokensForward& p);
void global_tokens_backward_cpu(CpuStream& stream, const GlobalTokensBackward& p);

}  // namespace longer
