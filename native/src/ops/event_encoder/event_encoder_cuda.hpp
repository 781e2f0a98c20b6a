#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/event_encoder/event_encoder.hpp"

namespace longer {

/// The contracts of event_encoder.hpp on device memory; enqueue on the stream.
void event_encoder_forward_cuda(CudaStream& stream, const EventEncoderForward& p);
void event_encoder_backward_cuda(CudaStream& stream, const EventEncoderBackward& p);

}  // namespace longer
