#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "support/tolerances.hpp"

namespace longer::testing {

/// Element by element within `allowed`; undefined and infinite values must stand in the same
/// places. On failure: where the worst element is, and the largest absolute and relative
/// differences of all.
template <class Got, class Expected>
::testing::AssertionResult are_near(const Got* got, const Expected* expected, int64_t count,
                                    Tolerance allowed) {
  double max_absolute = 0.0;
  double max_relative = 0.0;
  double worst_excess = -1.0;
  int64_t worst = -1;
  for (int64_t i = 0; i < count; ++i) {
    const double g = static_cast<double>(got[i]);
    const double e = static_cast<double>(expected[i]);
    if (!std::isfinite(g) || !std::isfinite(e)) {
      if ((std::isnan(g) && std::isnan(e)) || g == e) continue;
      return ::testing::AssertionFailure()
             << "element " << i << ": got " << g << ", expected " << e;
    }
    const double difference = std::abs(g - e);
    max_absolute = std::max(max_absolute, difference);
    if (e != 0.0) max_relative = std::max(max_relative, difference / std::abs(e));
    const double excess = difference - (allowed.absolute + allowed.relative * std::abs(e));
    if (excess > 0.0 && excess > worst_excess) {
      worst_excess = excess;
      worst = i;
    }
  }
  if (worst < 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "element " << worst << " of " << count << ": got " << got[worst] << ", expected "
         << expected[worst] << "; largest absolute difference " << max_absolute << ", relative "
         << max_relative;
}

template <class Got, class Expected>
::testing::AssertionResult are_near(const Got& got, const Expected& expected, Tolerance allowed) {
  if (got.size() != expected.size()) {
    return ::testing::AssertionFailure()
           << "sizes differ: got " << got.size() << ", expected " << expected.size();
  }
  return are_near(got.data(), expected.data(), static_cast<int64_t>(got.size()), allowed);
}

/// The same bits, element by element.
inline ::testing::AssertionResult are_same_bits(const float* got, const float* expected,
                                                int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    if (std::memcmp(got + i, expected + i, sizeof(float)) == 0) continue;
    return ::testing::AssertionFailure()
           << "element " << i << " of " << count << " has other bits: got " << got[i]
           << ", expected " << expected[i];
  }
  return ::testing::AssertionSuccess();
}

template <class Values>
::testing::AssertionResult are_same_bits(const Values& got, const Values& expected) {
  if (got.size() != expected.size()) {
    return ::testing::AssertionFailure()
           << "sizes differ: got " << got.size() << ", expected " << expected.size();
  }
  return are_same_bits(got.data(), expected.data(), static_cast<int64_t>(got.size()));
}

}  // namespace longer::testing
