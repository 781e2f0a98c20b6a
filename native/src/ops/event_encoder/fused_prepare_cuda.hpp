#pragma once
#include "ops/event_encoder/fused_layout.cuh"

namespace longer {

/// Weights in fragments and small tables multiplied by fc1, in the stream's workspace.
FusedEvents prepare_fused_events(CudaStream& stream, const EventEncoderForward& p);

}  // namespace longer
