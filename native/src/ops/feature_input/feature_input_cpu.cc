#include <algorithm>
#include <cmath>

#include "ops/feature_input/feature_input.hpp"

namespace longer {
namespace {

const float* row_of(const TableView& table, int32_t row) { return table.rows + row * table.width; }

void gather_row(const TableView& table, int32_t row, float* to) {
  if (row < 0) {
    std::fill_n(to, table.width, 0.0F);
  } else {
    std::copy_n(row_of(table, row), table.width, to);
  }
}

void gather_mean(const TableView& table, const int32_t* rows, int32_t count, float* to) {
  gather_row(table, count == 0 ? -1 : rows[0], to);
  if (count < 2) return;
  for (int32_t i = 1; i < count; ++i) {
    const float* row = row_of(table, rows[i]);
    for (int64_t c = 0; c < table.width; ++c) to[c] += row[c];
  }
  for (int64_t c = 0; c < table.width; ++c) to[c] /= static_cast<float>(count);
}

void gather_number(float number, float* to) {
  const bool is_missing = std::isnan(number);
  to[0] = is_missing ? 0.0F : number;
  to[1] = is_missing ? 0.0F : 1.0F;
}

}  // namespace

void gather_features(const std::vector<TableView>& tables, const FeatureValues* values,
                     int64_t begin, MatrixView target) {
  int64_t column = 0;
  for (size_t f = 0; f < tables.size(); ++f) {
    const TableView& table = tables[f];
    const FeatureValues& v = values[f];
    for (int64_t i = 0; i < target.rows; ++i) {
      const int64_t at = begin + i;
      float* to = target.row(i) + column;
      if (v.numbers != nullptr) {
        gather_number(v.numbers[at], to);
      } else if (v.offsets != nullptr) {
        gather_mean(table, v.rows + v.offsets[at], v.offsets[at + 1] - v.offsets[at], to);
      } else {
        gather_row(table, v.rows[at], to);
      }
    }
    column += table.width;
  }
}

void spread_mean_gradient(const FeatureValues& values, ConstMatrixView d_input, MatrixView d_rows) {
  for (int64_t i = 0; i < d_input.rows; ++i) {
    const int32_t num_values = values.offsets[i + 1] - values.offsets[i];
    if (num_values == 0) continue;
    const auto count = static_cast<float>(num_values);
    const float* from = d_input.row(i);
    for (int64_t c = 0; c < d_input.cols; ++c) d_rows.row(i)[c] = from[c] / count;
  }
}

}  // namespace longer
