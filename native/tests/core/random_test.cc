#include "core/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace longer {
namespace {

using Words = std::array<uint32_t, 4>;

TEST(Philox, GivesThePublishedValues) {
  // Known answers of Random123 (Salmon et al., SC'11), philox4x32 with 10 rounds.
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(StreamOf, IsFnv1a) {
  EXPECT_EQ(stream_of(""), 0xcbf29ce484222325U);
  EXPECT_EQ(stream_of("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_NE(stream_of("layers.0.q"), stream_of("layers.1.q"));
}

std::vector<float> normals(uint64_t seed, uint64_t stream, uint64_t item, int64_t count,
                           float deviation = 1.0F) {
  std::vector<float> values(static_cast<size_t>(count));
  fill_normal(seed, stream, item, deviation, values.data(), count);
  return values;
}

TEST(FillNormal, ValueDependsOnItsPlaceOnly) {
  const auto all = normals(1, 2, 3, 101);
  for (int64_t count : {1, 2, 3, 4, 5, 100}) {
    const auto some = normals(1, 2, 3, count);
    EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin())) << count;
  }
  EXPECT_NE(normals(0, 2, 3, 4), normals(1, 2, 3, 4));
  EXPECT_NE(normals(1, 0, 3, 4), normals(1, 2, 3, 4));
  EXPECT_NE(normals(1, 2, 0, 4), normals(1, 2, 3, 4));
  EXPECT_NE(normals(2, 1, 3, 4), normals(1, 2, 3, 4));
  EXPECT_NE(normals(1, 2, uint64_t{3} << 32, 4), normals(1, 2, 3, 4));
}

TEST(FillNormal, HasTheMomentsOfANormal) {
  const int64_t count = 200000;
  const auto values = normals(7, 11, 0, count, 2.0F);
  double sum = 0.0, squares = 0.0, fourths = 0.0, neighbours = 0.0;
  int64_t beyond = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double v = static_cast<double>(values[i]) / 2.0;
    sum += v;
    squares += v * v;
    fourths += v * v * v * v;
    if (i > 0) neighbours += v * static_cast<double>(values[i - 1]) / 2.0;
    beyond += std::abs(v) > 1.96 ? 1 : 0;
  }
  // Five standard errors of each.
  EXPECT_NEAR(sum / count, 0.0, 0.012);
  EXPECT_NEAR(squares / count, 1.0, 0.016);
  EXPECT_NEAR(fourths / count, 3.0, 0.11);
  EXPECT_NEAR(neighbours / count, 0.0, 0.012);
  EXPECT_NEAR(static_cast<double>(beyond) / count, 0.05, 0.0025);
}

}  // namespace
}  // namespace longer
