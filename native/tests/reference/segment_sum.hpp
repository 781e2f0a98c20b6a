#pragma once
// Sums of gradient rows by table row, in double.
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace longer::reference {

using RowSums = std::map<int32_t, std::vector<double>>;

/// Adds one row of `width` values to the sum of the row it belongs to; a negative one takes none.
inline void add_segment(RowSums& sums, int32_t row, const float* values, size_t width) {
  if (row < 0) return;
  std::vector<double>& sum = sums[row];
  sum.resize(width);
  for (size_t c = 0; c < width; ++c) sum[c] += static_cast<double>(values[c]);
}

/// Adds `count` rows of `width` values, `stride` apart, to the sums of the rows they belong to.
inline void add_segments(RowSums& sums, const int32_t* rows, const float* values, size_t stride,
                         size_t count, size_t width) {
  for (size_t i = 0; i < count; ++i) add_segment(sums, rows[i], values + i * stride, width);
}

}  // namespace longer::reference
