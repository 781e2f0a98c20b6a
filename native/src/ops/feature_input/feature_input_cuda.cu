#include "ops/cuda_launch.hpp"
#include "ops/feature_input/feature_input.cuh"
#include "ops/feature_input/feature_input_cuda.hpp"

namespace longer {
void gather_features_cuda(CudaStream& stream, const std::vector<TableView>& tables,
                          const FeatureValues* values, MatrixView target) {
  int64_t column = 0;
  for (size_t f = 0; f < tables.size(); ++f) {
    const TableView table = tables[f];
    const FeatureValues v = values[f];
    float* to = target.data + column;
    for_elements(stream.get(), "gather a feature", target.rows * table.width,
                 [=] __device__(int64_t i) {
                   const int64_t row = i / table.width;
                   const int64_t col = i % table.width;
                   to[row * target.stride + col] = feature_input(table, v, row, col);
                 });
    column += table.width;
  }
}

void spread_mean_gradient_cuda(CudaStream& stream, const FeatureValues& values,
                               ConstMatrixView d_input, MatrixView d_rows) {
  const int32_t* offsets = values.offsets;
  for_elements(stream.get(), "spread a mean's gradient", d_input.rows * d_input.cols,
               [=] __device__(int64_t i) {
                 const int64_t row = i / d_input.cols;
                 const int64_t col = i % d_input.cols;
                 const int32_t count = offsets[row + 1] - offsets[row];
                 if (count == 0) return;
                 d_rows.data[row * d_rows.stride + col] =
                     d_input.data[row * d_input.stride + col] / static_cast<float>(count);
               });
}

}  // namespace longer
