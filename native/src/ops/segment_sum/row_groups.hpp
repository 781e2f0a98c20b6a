#pragma once
#include <cstdint>

namespace longer {

/// The table rows that the gradient rows of one stage go to: gradient row i to rows[i], or, with
/// offsets, to each of rows[offsets[i]] … rows[offsets[i + 1] − 1]. Negative rows (missing values)
/// take none. Arrays of the backend; a source without gradient rows may have none.
struct RowSource {
  const int32_t* rows = nullptr;
  int64_t count = 0;                 // gradient rows
  const int32_t* offsets = nullptr;  // [count + 1]
  int64_t num_values = 0;            // = count without offsets
};

/// The gradient rows themselves: row i at values + i · stride.
struct GradientRows {
  const float* values = nullptr;
  int64_t stride = 0;
};

/// Which gradient rows of a batch go to which row of a table, in the form that the backend which
/// made it sums them in. Borrows the sources' arrays.
class RowGroups {
 public:
  virtual ~RowGroups() = default;
  virtual int64_t bytes() const = 0;
};

}  // namespace longer
