#pragma once
#include "ops/stream.hpp"
#include "ops/transformer_layer/transformer_layer.hpp"

namespace longer {

void transformer_layer_forward_cpu(CpuStream& stream, const TransformerLayerForward& p);
void transformer_layer_backward_cpu(CpuStream& stream, const TransformerLayerBackward& p);
void transformer_layer_probabilities_cpu(const TransformerLayerForward& p, int64_t span,
                                         int64_t query_row, float* probabilities);

}  // namespace longer
