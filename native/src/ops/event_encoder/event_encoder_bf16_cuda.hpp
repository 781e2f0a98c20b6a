#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/event_encoder/event_encoder.hpp"

namespace longer {

/// The event encoder in bf16, map by map on the tensor cores; the residual between a block's halves
/// is f32 (native/docs/kernels/event_encoder_cuda.md).
void event_encoder_forward_bf16(CudaStream& stream, const EventEncoderForward& p);
void event_encoder_backward_bf16(CudaStream& stream, const EventEncoderBackward& p);

/// Whether all maps have widths that are multiples of 8, heads have 8, 16 or 32 columns, and a
/// block of threads holds the heads of a group's rows.
bool event_encoder_takes_bf16(const EventEncoderWeights& weights, int64_t merge_factor);

}  // namespace longer
