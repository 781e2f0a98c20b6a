#pragma once
#include <cstdint>
#include <vector>

#include "core/matrix.hpp"
#include "ops/weights.hpp"

namespace longer {

/// What one feature reads for n events, requests or candidates. Borrowed.
struct FeatureValues {
  const int32_t* rows = nullptr;  // categorical: [n], or [offsets[n]]; table rows, −1 = missing
  const int32_t* offsets = nullptr;  // many-valued: [n + 1] first value of each; null otherwise
  const float* numbers = nullptr;    // numeric: [n] reduced, NaN = missing; null otherwise
};

/// Columns that features reading `tables` fill. A numeric feature has an entry without rows.
inline int64_t features_width(const std::vector<TableView>& tables) {
  int64_t width = 0;
  for (const TableView& table : tables) width += table.width;
  return width;
}

/// Writes the inputs of rows [begin, begin + target.rows) of every feature side by side into the
/// first features_width columns of `target`: a table row (zeros where missing), the mean of table
/// rows (zeros where there is none), or a number and 1 (zeros where missing). values: one per
/// table. A row's bits depend on its own values alone.
void gather_features(const std::vector<TableView>& tables, const FeatureValues* values,
                     int64_t begin, MatrixView target);

/// Gradients of what a many-valued feature's rows read: d_rows [n, width] = d_input [n, width] /
/// number of values, for each of them; undefined where there is none.
void spread_mean_gradient(const FeatureValues& values, ConstMatrixView d_input, MatrixView d_rows);

}  // namespace longer
