#pragma once
// Inputs of features from table rows and numbers, and the gradients of table rows, in double.
#include <cmath>
#include <cstddef>
#include <vector>

#include "reference/linear.hpp"

namespace longer::reference {

/// One feature of n events: `rows` per event (none = missing), or numbers.
struct FeatureCase {
  size_t width = 0;
  Doubles table;                         // [table rows, width]
  std::vector<std::vector<int>> values;  // [n] table rows
  Doubles numbers;                       // [n]; numeric if not empty
};

/// Input of event i.
inline Doubles feature_input(const FeatureCase& f, size_t i) {
  if (!f.numbers.empty()) {
    const bool is_missing = std::isnan(f.numbers[i]);
    return {is_missing ? 0.0 : f.numbers[i], is_missing ? 0.0 : 1.0};
  }
  Doubles mean(f.width, 0.0);
  for (int row : f.values[i]) {
    for (size_t c = 0; c < f.width; ++c) {
      mean[c] +=
          f.table[static_cast<size_t>(row) * f.width + c] / static_cast<double>(f.values[i].size());
    }
  }
  return mean;
}

/// Gradient of the table, given that of every event's input.
inline Doubles feature_table_gradient(const FeatureCase& f, const std::vector<Doubles>& d_input) {
  Doubles d_table(f.table.size(), 0.0);
  for (size_t i = 0; i < f.values.size(); ++i) {
    for (int row : f.values[i]) {
      for (size_t c = 0; c < f.width; ++c) {
        d_table[static_cast<size_t>(row) * f.width + c] +=
            d_input[i][c] / static_cast<double>(f.values[i].size());
      }
    }
  }
  return d_table;
}

}  // namespace longer::reference
