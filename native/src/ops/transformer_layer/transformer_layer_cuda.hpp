#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/transformer_layer/transformer_layer.hpp"

namespace longer {

/// The contracts of transformer_layer.hpp on device memory; enqueue on the stream.
void transformer_layer_forward_cuda(CudaStream& stream, const TransformerLayerForward& p);
void transformer_layer_backward_cuda(CudaStream& stream, const TransformerLayerBackward& p);
void transformer_layer_probabilities_cuda(CudaStream& stream, const TransformerLayerForward& p,
                                          int64_t span, int64_t query_row, float* probabilities);

}  // namespace longer
