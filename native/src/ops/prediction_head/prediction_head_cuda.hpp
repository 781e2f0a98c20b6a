#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/prediction_head/prediction_head.hpp"

namespace longer {

/// The contracts of prediction_head.hpp on device memory; enqueue on the stream.
void history_head_forward_cuda(CudaStream& stream, const HistoryHeadForward& p);
void history_head_backward_cuda(CudaStream& stream, const HistoryHeadBackward& p);
void prediction_head_forward_cuda(CudaStream& stream, const PredictionHeadForward& p);
void prediction_head_backward_cuda(CudaStream& stream, const PredictionHeadBackward& p);
void binary_cross_entropy_cuda(CudaStream& stream, const BinaryCrossEntropy& p);

}  // namespace longer
