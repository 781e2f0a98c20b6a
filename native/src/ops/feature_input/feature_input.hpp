#pragma once
#include <cstdint>
#include <vector>

#include "core/matrix.hpp"
#include "ops/weights.hpp"

namespace longer {

/// What one feature's values of n events, requests or candidates read. Borrowed; host memory on the
/// CPU.
struct FeatureValues {
  const int32_t* rows = nullptr;  // [n] table rows
};

/// Columns that features reading `tables` fill.
inline int64_t features_width(const std::vector<TableView>& tables) {
  int64_t width = 0;
  for (const TableView& table : tables) width += table.width;
  return width;
}

/// Writes the inputs of rows [begin, begin + target.rows) of every feature side by side into the
/// first features_width columns of `target`. values: one per table.
void gather_features(const std::vector<TableView>& tables, const FeatureValues* values,
                     int64_t begin, MatrixView target);

}  // namespace longer
