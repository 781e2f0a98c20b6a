#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "longer/batch.hpp"
#include "longer/config.hpp"

namespace longer {

/// Whether row i of a categorical column has an id.
inline bool is_valid(const Column& column, int64_t i) {
  return column.valid == nullptr || ((column.valid[i / 8] >> (i % 8)) & 1) != 0;
}

/// What the model reads of a number; NaN stays NaN.
inline double reduced_number(const FeatureConfig& feature, float number) {
  return (static_cast<double>(number) - feature.mean) / feature.scale;
}

/// visit(int64_t) numbers that tell what row i of a column holds, for a hash: missing values differ
/// from any that is there.
template <class Visit>
void visit_values(const FeatureConfig& feature, const Column& column, int64_t i,
                  const Visit& visit) {
  constexpr int64_t kMissing = 0x5851F42D4C957F2D;  // an id by a chance of 2^-64
  switch (feature.kind) {
    case FeatureKind::kCategorical:
      visit(is_valid(column, i) ? column.ids[i] : kMissing);
      break;
    case FeatureKind::kManyValued:
      visit(column.offsets[i + 1] - column.offsets[i]);
      for (int64_t at = column.offsets[i]; at < column.offsets[i + 1]; ++at) visit(column.ids[at]);
      break;
    case FeatureKind::kNumeric: {
      uint32_t bits = 0;
      std::memcpy(&bits, &column.numbers[i], sizeof(bits));
      visit(std::isnan(column.numbers[i]) ? kMissing : static_cast<int64_t>(bits));
      break;
    }
  }
}

}  // namespace longer
