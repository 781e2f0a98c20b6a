#include <algorithm>

#include "ops/feature_input/feature_input.hpp"

namespace longer {

void gather_features(const std::vector<TableView>& tables, const FeatureValues* values,
                     int64_t begin, MatrixView target) {
  int64_t column = 0;
  for (size_t f = 0; f < tables.size(); ++f) {
    const TableView& table = tables[f];
    const int32_t* rows = values[f].rows + begin;
    for (int64_t i = 0; i < target.rows; ++i) {
      std::copy_n(table.rows + rows[i] * table.width, table.width, target.row(i) + column);
    }
    column += table.width;
  }
}

}  // namespace longer
