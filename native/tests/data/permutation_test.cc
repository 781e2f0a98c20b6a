#include "data/permutation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/thrown_error.hpp"

namespace longer {
namespace {

using testing::expect_error;

std::vector<int64_t> all_of(const Permutation& permutation) {
  std::vector<int64_t> order;
  for (int64_t i = 0; i < permutation.size(); ++i) order.push_back(permutation(i));
  return order;
}

TEST(Permutation, EveryNumberComesOnce) {
  for (const int64_t size : {0, 1, 2, 3, 4, 5, 15, 16, 17, 1000, 4096, 4097, 65535, 100000}) {
    SCOPED_TRACE(size);
    std::vector<int> seen(static_cast<size_t>(size));
    for (const int64_t value : all_of(Permutation(size, 3, 1))) {
      ASSERT_GE(value, 0);
      ASSERT_LT(value, size);
      ++seen[static_cast<size_t>(value)];
    }
    for (const int count : seen) ASSERT_EQ(count, 1);
  }
}

TEST(Permutation, SeedAndEpochChooseIt) {
  const auto order = all_of(Permutation(1000, 1, 1));
  EXPECT_EQ(order, all_of(Permutation(1000, 1, 1)));
  EXPECT_NE(order, all_of(Permutation(1000, 2, 1)));
  EXPECT_NE(order, all_of(Permutation(1000, 1, 2)));
  EXPECT_NE(order, all_of(Permutation(1000, 1, uint64_t{1} << 32 | 1)));
}

/// Over many seeds each position takes each value about equally often, and neighbours are
/// independent of each other.
TEST(Permutation, IsUniform) {
  constexpr int64_t kSize = 12;
  constexpr int kSeeds = 6000;
  std::vector<double> places(kSize * kSize);
  std::vector<double> steps(kSize);
  for (int seed = 0; seed < kSeeds; ++seed) {
    const auto order = all_of(Permutation(kSize, static_cast<uint64_t>(seed), 1));
    for (size_t i = 0; i < order.size(); ++i) ++places[i * kSize + static_cast<size_t>(order[i])];
    ++steps[static_cast<size_t>((order[1] - order[0] + kSize) % kSize)];
  }
  const double expected = double{kSeeds} / kSize;
  double chi_square = 0;
  for (const double count : places)
    chi_square += (count - expected) * (count - expected) / expected;
  // 121 degrees of freedom: mean 121, deviation 15.6; five deviations.
  EXPECT_LT(chi_square, 121 + 5 * 15.6);
  const double expected_step = double{kSeeds} / (kSize - 1);
  chi_square = 0;
  for (size_t d = 1; d < steps.size(); ++d)
    chi_square += (steps[d] - expected_step) * (steps[d] - expected_step) / expected_step;
  EXPECT_EQ(steps[0], 0);
  EXPECT_LT(chi_square, 10 + 5 * std::sqrt(20.0));
}

TEST(Permutation, LargeSizesStayInside) {
  for (const int64_t size : {(int64_t{1} << 62) - 1, int64_t{1} << 62, (int64_t{1} << 40) + 1}) {
    const Permutation permutation(size, 5, 7);
    for (const int64_t i : {int64_t{0}, int64_t{1}, size / 2, size - 1}) {
      const int64_t value = permutation(i);
      EXPECT_GE(value, 0);
      EXPECT_LT(value, size);
    }
  }
}

TEST(Permutation, RejectsWhatIsOutside) {
  expect_error(Status::kInvalidArgument, "[permutation] size", [] { Permutation(-1, 0, 0); });
  expect_error(Status::kInvalidArgument, "[permutation] position",
               [] { static_cast<void>(Permutation(3, 0, 0)(3)); });
}

}  // namespace
}  // namespace longer
