#pragma once
#include "ops/prediction_head/prediction_head.hpp"
#include "ops/stream.hpp"

namespace longer {

void history_head_forward_cpu(CpuStream& stream, const HistoryHeadForward& p);
void history_head_backward_cpu(CpuStream& stream, const HistoryHeadBackward& p);
void prediction_head_forward_cpu(CpuStream& stream, const PredictionHeadForward& p);
void prediction_head_backward_cpu(CpuStream& stream, const PredictionHeadBackward& p);
void binary_cross_entropy_cpu(const BinaryCrossEntropy& p);

}  // namespace longer
