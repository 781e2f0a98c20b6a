#pragma once
#include "ops/event_encoder/event_encoder.hpp"
#include "ops/stream.hpp"

namespace longer {

/// The contracts of event_encoder.hpp on the CPU; every LinearWeights is packed, for training in
/// the backward pass. Throw InvalidArgument on a merge factor out of 1 … kMaxGroup, on heads that
/// do not divide d, and on an fc1 of another width than the features and the time.
void event_encoder_forward(CpuStream& stream, const EventEncoderForward& p);
void event_encoder_backward(CpuStream& stream, const EventEncoderBackward& p);

}  // namespace longer
