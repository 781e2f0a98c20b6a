#pragma once
#include "ops/cuda_stream.hpp"
#include "ops/feature_input/feature_input.hpp"

namespace longer {

/// The contracts of feature_input.hpp on device memory (the array of values and the tables' list
/// are the host's), from row 0 on; enqueue on the stream.
void gather_features_cuda(CudaStream& stream, const std::vector<TableView>& tables,
                          const FeatureValues* values, MatrixView target);
void spread_mean_gradient_cuda(CudaStream& stream, const FeatureValues& values,
                               ConstMatrixView d_input, MatrixView d_rows);

}  // namespace longer
