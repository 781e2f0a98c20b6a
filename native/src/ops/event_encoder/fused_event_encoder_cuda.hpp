#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/event_encoder/event_encoder.hpp"

namespace longer {

/// Features, positions and times that the one-kernel encoder takes together.
inline constexpr int kMaxFusedFeatures = 4;
/// Tables of at most so many rows are multiplied by their columns of fc1 before the events are
/// read.
inline constexpr int64_t kMaxProjectedRows = 16384;

/// Whether event_encoder_forward in bf16 has one kernel for a call: widths of 16, 32 or 64 with
/// heads of 16 (of 32 at 64) and one block, groups of 2, 4, 8 or 16, single-valued features, no
/// dropout, no event tokens wanted.
bool event_encoder_is_fused(const EventEncoderForward& p);

/// event_encoder_forward in one kernel, from rows of tables to merged rows, after two small ones
/// that prepare weights and small tables (native/docs/kernels/event_encoder_cuda.md).
void event_encoder_forward_fused(CudaStream& stream, const EventEncoderForward& p);

}  // namespace longer
