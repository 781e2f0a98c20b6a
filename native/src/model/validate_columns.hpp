#pragma once
#include <cstdint>
#include <vector>

#include "longer/batch.hpp"
#include "longer/config.hpp"

namespace longer {

/// Throws InvalidArgument, naming feature, row and value, unless each of `features` has a column of
/// `rows` rows of its kind: fields set and null as they must be, offsets that run from 0 and do not
/// descend, numbers finite or NaN. what: "event", "user", …; `columns` is not read without rows.
void validate_columns(const char* what, const std::vector<FeatureConfig>& features,
                      const Column* columns, int64_t rows);

}  // namespace longer
