#pragma once
#include "core/matrix.hpp"
#include "ops/cuda_launch.hpp"

namespace longer {

/// target[i] = source[rows[i]].
inline void gather_rows(cudaStream_t stream, ConstMatrixView source, const int32_t* rows,
                        MatrixView target) {
  for_elements(stream, "gather rows", target.rows * target.cols, [=] __device__(int64_t i) {
    const int64_t row = i / target.cols;
    const int64_t col = i % target.cols;
    target.data[row * target.stride + col] = source.data[rows[row] * source.stride + col];
  });
}

/// target[rows[i]] += source[i]; rows are distinct.
inline void add_rows(cudaStream_t stream, ConstMatrixView source, const int32_t* rows,
                     MatrixView target) {
  for_elements(stream, "add rows", source.rows * source.cols, [=] __device__(int64_t i) {
    const int64_t row = i / source.cols;
    const int64_t col = i % source.cols;
    target.data[rows[row] * target.stride + col] += source.data[row * source.stride + col];
  });
}

}  // namespace longer
