#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/transformer_layer/transformer_layer.hpp"

namespace longer {

/// A layer whose shape says bf16 (native/docs/kernels/transformer_layer_cuda.md). Rows between
/// layers and their gradients stay f32; keys, values and their gradients are bf16 in the memory
/// that the views of the call name, side by side, 2D of them in a row of D floats.
void transformer_layer_forward_bf16(CudaStream& stream, const TransformerLayerForward& p);
void transformer_layer_backward_bf16(CudaStream& stream, const TransformerLayerBackward& p);

}  // namespace longer
