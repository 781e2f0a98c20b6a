#pragma once
// What features feed into the model (native/docs/model.md, "Features"): one row of their columns at
// a time, and the gradients back to the table rows.
#include <cmath>
#include <cstdint>
#include <vector>

#include "longer/batch.hpp"
#include "longer/config.hpp"
#include "reference/model_math.hpp"
#include "reference/model_weights.hpp"

namespace longer::model_reference {

/// The ids that row `row` of a categorical or many-valued feature holds.
inline std::vector<int64_t> ids_of(const FeatureConfig& feature, const Column& column,
                                   int64_t row) {
  if (feature.kind == FeatureKind::kManyValued) {
    return {column.ids + column.offsets[row], column.ids + column.offsets[row + 1]};
  }
  const bool is_missing =
      column.valid != nullptr && ((column.valid[row / 8] >> (row % 8)) & 1) == 0;
  return is_missing ? std::vector<int64_t>{} : std::vector<int64_t>{column.ids[row]};
}

/// The mean of the rows of a feature's ids; zeros without ids.
inline Vector mean_embedding(const Config& c, const Weights& w, const FeatureConfig& feature,
                             const Column& column, int64_t row) {
  const TableConfig& table = table_named(c, feature.table);
  Vector mean(static_cast<size_t>(table.width), 0.0);
  const std::vector<int64_t> ids = ids_of(feature, column, row);
  for (int64_t id : ids) {
    add_to(mean, scaled(embedding(w, table, id), 1.0 / static_cast<double>(ids.size())));
  }
  return mean;
}

/// (v − mean) / scale and 1; zeros where v is missing.
inline Vector number_input(const FeatureConfig& feature, float number) {
  if (std::isnan(number)) return {0.0, 0.0};
  return {(static_cast<double>(number) - feature.mean) / feature.scale, 1.0};
}

/// Inputs of all features of one event, candidate or request (a row of the columns), side by side.
inline Vector embed(const Config& c, const Weights& w, const std::vector<FeatureConfig>& features,
                    const Column* columns, int64_t row) {
  Vector x;
  for (size_t f = 0; f < features.size(); ++f) {
    const bool is_number = features[f].kind == FeatureKind::kNumeric;
    x = concat(x, is_number ? number_input(features[f], columns[f].numbers[row])
                            : mean_embedding(c, w, features[f], columns[f], row));
  }
  return x;
}

inline void embed_backward(const Config& c, const Weights& w,
                           const std::vector<FeatureConfig>& features, const Column* columns,
                           int64_t row, const Vector& d_x, Weights& gradients) {
  size_t begin = 0;
  for (size_t f = 0; f < features.size(); ++f) {
    const auto width = static_cast<size_t>(width_of(c, {features[f]}));
    if (features[f].kind != FeatureKind::kNumeric) {
      const std::vector<int64_t> ids = ids_of(features[f], columns[f], row);
      for (int64_t id : ids) {
        embedding_backward(w, table_named(c, features[f].table), id,
                           scaled(slice(d_x, begin, width), 1.0 / static_cast<double>(ids.size())),
                           gradients);
      }
    }
    begin += width;
  }
}

}  // namespace longer::model_reference
