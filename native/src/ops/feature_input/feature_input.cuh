#pragma once
#include "ops/feature_input/feature_input.hpp"

namespace longer {

/// Column `col` of one feature's input for row i.
__device__ __forceinline__ float feature_input(const TableView& table, const FeatureValues& v,
                                               int64_t i, int64_t col) {
  if (v.numbers != nullptr) {
    const float number = v.numbers[i];
    if (isnan(number)) return 0.0F;
    return col == 0 ? number : 1.0F;
  }
  if (v.offsets == nullptr) {
    const int64_t row = v.rows[i];
    return row < 0 ? 0.0F : table.rows[row * table.width + col];
  }
  const int32_t begin = v.offsets[i];
  const int32_t count = v.offsets[i + 1] - begin;
  float sum = 0.0F;
  for (int32_t n = 0; n < count; ++n) {
    sum += table.rows[static_cast<int64_t>(v.rows[begin + n]) * table.width + col];
  }
  return count < 2 ? sum : sum / static_cast<float>(count);
}

}  // namespace longer
