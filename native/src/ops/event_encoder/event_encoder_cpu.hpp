#pragma once
#include "ops/event_encoder/event_encoder.hpp"
#include "ops/stream.hpp"

namespace longer {

void event_encoder_forward(CpuStream& stream, const EventEncoderForward& p);
void event_encoder_backward(CpuStream& stream, const EventEncoderBackward& p);

}  // namespace longer
