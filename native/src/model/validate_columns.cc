#include "model/validate_columns.hpp"

#include <cmath>
#include <limits>

#include "longer/error.hpp"
#include "model/column_values.hpp"

namespace longer {
namespace {

constexpr int64_t kMaxValues = std::numeric_limits<int32_t>::max() / 2;
// What a reduced number may be: its square summed over a row stays finite in floats.
constexpr double kLargestReduced = 1e9;

/// Checks of one column; errors start with its name.
struct ColumnCheck {
  const char* what;
  const FeatureConfig& feature;
  const Column& column;
  int64_t rows;

  template <class... Parts>
  void require(bool holds, const Parts&... parts) const {
    check_argument(holds, "[batch] ", what, " feature \"", feature.name, "\"", parts...);
  }
  void require_absent(const char* field, const void* pointer) const {
    require(pointer == nullptr, " is ", kind_name(), ": ", field, " must be null");
  }
  void require_present(const char* field, const void* pointer, int64_t needed) const {
    require(pointer != nullptr || needed == 0, ": ", field, " is null; ", needed,
            " values are needed");
  }

  void check() const {
    const bool is_many = feature.kind == FeatureKind::kManyValued;
    const bool is_numeric = feature.kind == FeatureKind::kNumeric;
    if (is_numeric) require_absent("ids", column.ids);
    if (!is_numeric) require_absent("numbers", column.numbers);
    if (!is_many) require_absent("offsets", column.offsets);
    if (is_many || is_numeric) require_absent("valid", column.valid);
    if (is_many) {
      check_offsets();
    } else if (is_numeric) {
      check_numbers();
    } else {
      require_present("ids", column.ids, rows);
    }
  }

 private:
  const char* kind_name() const {
    switch (feature.kind) {
      case FeatureKind::kCategorical:
        return "categorical with one value";
      case FeatureKind::kManyValued:
        return "many-valued";
      case FeatureKind::kNumeric:
        return "numeric";
    }
    return "";
  }
  void check_offsets() const {
    require_present("offsets", column.offsets, rows + 1);
    require(column.offsets[0] == 0, ": offsets[0] must be 0; got ", column.offsets[0]);
    for (int64_t i = 0; i < rows; ++i) {
      require(column.offsets[i + 1] >= column.offsets[i], ": offsets[", i + 1,
              "] must not descend; got ", column.offsets[i + 1], " after ", column.offsets[i]);
    }
    require(column.offsets[rows] <= kMaxValues, ": at most 2^30 values; got ",
            column.offsets[rows]);
    require_present("ids", column.ids, column.offsets[rows]);
  }
  void check_numbers() const {
    require_present("numbers", column.numbers, rows);
    for (int64_t i = 0; i < rows; ++i) {
      const float number = column.numbers[i];
      require(!std::isinf(number), ": row ", i, " must be finite, or NaN where it is missing; got ",
              number);
      const double reduced = reduced_number(feature, number);
      require(!(std::abs(reduced) > kLargestReduced), ": row ", i, " must lie within ",
              kLargestReduced, " scales of the mean; got ", number, ", which is ", reduced);
    }
  }
};

}  // namespace

void validate_columns(const char* what, const std::vector<FeatureConfig>& features,
                      const Column* columns, int64_t rows) {
  for (size_t f = 0; rows > 0 && f < features.size(); ++f) {
    ColumnCheck{what, features[f], columns[f], rows}.check();
  }
}

}  // namespace longer
