#pragma once
#include <cstdint>
#include <random>
#include <vector>

namespace longer::testing {

/// Normal numbers of deviation `deviation`, the same on every run.
inline std::vector<float> random_floats(int64_t count, uint64_t seed, float deviation = 1.0F) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal(0.0F, deviation);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(generator);
  return values;
}

inline std::vector<double> to_double(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

}  // namespace longer::testing
