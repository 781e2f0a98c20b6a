#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "reference/model_math.hpp"

namespace longer::testing {

inline double largest_magnitude(const model_reference::Vector& values) {
  double largest = 0.0;
  for (double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

/// Every element of a tensor within `relative` of the tensor's largest magnitude, or within
/// `floor`.
inline void expect_tensor_near(const std::string& name, const model_reference::Vector& got,
                               const model_reference::Vector& expected, double relative,
                               double floor) {
  ASSERT_EQ(got.size(), expected.size()) << name;
  const double allowed = std::max(floor, relative * largest_magnitude(expected));
  double worst = 0.0;
  size_t at = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double difference = std::isfinite(got[i]) ? std::abs(got[i] - expected[i]) : INFINITY;
    if (difference > worst) {
      worst = difference;
      at = i;
    }
  }
  EXPECT_LE(worst, allowed) << name << "[" << at << "] of " << got.size() << ": got "
                            << (got.empty() ? 0.0 : got[at]) << ", expected "
                            << (got.empty() ? 0.0 : expected[at]) << "; largest magnitude "
                            << largest_magnitude(expected);
}

/// All tensors and table rows of two sets of weights or gradients; both must name the same tensors
/// and rows.
inline void expect_weights_near(const model_reference::Weights& got,
                                const model_reference::Weights& expected, double relative,
                                double floor) {
  ASSERT_EQ(got.dense.size(), expected.dense.size());
  for (const auto& [name, values] : expected.dense) {
    ASSERT_EQ(got.dense.count(name), 1U) << name;
    expect_tensor_near(name, got.at(name), values, relative, floor);
  }
  ASSERT_EQ(got.tables.size(), expected.tables.size());
  for (const auto& [name, table] : expected.tables) {
    ASSERT_EQ(got.tables.count(name), 1U) << name;
    const model_reference::Table& got_table = got.tables.at(name);
    ASSERT_EQ(got_table.rows.size(), table.rows.size()) << name;
    // A table is one tensor: its rows are measured by the largest of them.
    model_reference::Vector got_rows = got_table.out_of_vocabulary;
    model_reference::Vector expected_rows = table.out_of_vocabulary;
    for (const auto& [id, row] : table.rows) {
      ASSERT_EQ(got_table.rows.count(id), 1U) << name << " id " << id;
      got_rows = model_reference::concat(got_rows, got_table.rows.at(id));
      expected_rows = model_reference::concat(expected_rows, row);
    }
    expect_tensor_near(name, got_rows, expected_rows, relative, floor);
  }
}

}  // namespace longer::testing
