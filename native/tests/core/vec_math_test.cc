// The CPU kernels' mathematics, compiled here for the build's base instruction set; tests/ops runs
// it on every tier.
#define LONGER_TIER vec_math_test
#include "core/vec_math.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace longer::LONGER_TIER {
namespace {

float exp_of(float x) { return vec_exp(vec_splat(x))[0]; }

TEST(VecExp, IsWithinTwoUnitsInTheLastPlace) {
  double worst = 0.0;
  for (float x = -87.3F; x < 88.7F; x += 0.00137F) {
    const double expected = std::exp(static_cast<double>(x));
    const float rounded = static_cast<float>(expected);
    const double unit =
        static_cast<double>(std::nextafter(rounded, INFINITY)) - static_cast<double>(rounded);
    worst = std::max(worst, std::abs(static_cast<double>(exp_of(x)) - expected) / unit);
  }
  EXPECT_LE(worst, 2.0);
}

TEST(VecExp, IsRightAtTheEnds) {
  EXPECT_EQ(exp_of(0.0F), 1.0F);
  EXPECT_EQ(exp_of(-0.0F), 1.0F);
  EXPECT_EQ(exp_of(INFINITY), INFINITY);
  EXPECT_EQ(exp_of(-INFINITY), 0.0F);
  EXPECT_EQ(exp_of(1e30F), INFINITY);
  EXPECT_EQ(exp_of(-1e30F), 0.0F);
  EXPECT_EQ(exp_of(88.8F), INFINITY);
  EXPECT_TRUE(std::isfinite(exp_of(88.72F)));
  EXPECT_TRUE(std::isnan(exp_of(std::numeric_limits<float>::quiet_NaN())));
  // Gradual underflow.
  EXPECT_NEAR(exp_of(-100.0F), std::exp(-100.0), 1.5e-45);
  EXPECT_GT(exp_of(-95.0F), 0.0F);
}

TEST(VecExp, LanesAndGroupsDoNotMix) {
  Vecs<4> x;
  for (unsigned i = 0; i < 4; ++i) {
    for (int64_t lane = 0; lane < kVecLanes; ++lane) {
      x.part[i][lane] =
          -3.0F + 0.7F * static_cast<float>(static_cast<int64_t>(i) * kVecLanes + lane);
    }
  }
  const Vecs<4> y = vec_exp(x);
  for (unsigned i = 0; i < 4; ++i) {
    for (int64_t lane = 0; lane < kVecLanes; ++lane)
      EXPECT_EQ(y.part[i][lane], exp_of(x.part[i][lane]));
  }
}

TEST(VecReduce, AddsAndComparesAllLanes) {
  vec v{};
  for (int64_t lane = 0; lane < kVecLanes; ++lane) v[lane] = static_cast<float>(1 << lane);
  EXPECT_EQ(vec_reduce_add(v), static_cast<float>((1 << kVecLanes) - 1));
  EXPECT_EQ(vec_reduce_max(v), static_cast<float>(1 << (kVecLanes - 1)));
}

TEST(VecTranspose, SwapsRowsAndColumns) {
  vec rows[kVecLanes];
  for (int64_t r = 0; r < kVecLanes; ++r) {
    for (int64_t c = 0; c < kVecLanes; ++c) rows[r][c] = static_cast<float>(10 * r + c);
  }
  vec_transpose(rows);
  for (int64_t r = 0; r < kVecLanes; ++r) {
    for (int64_t c = 0; c < kVecLanes; ++c) EXPECT_EQ(rows[r][c], static_cast<float>(10 * c + r));
  }
}

TEST(VecPartial, TouchesOnlyTheLanesThatExist) {
  for (int64_t count = 0; count <= kVecLanes; ++count) {
    float memory[2 * kVecLanes];
    for (float& value : memory) value = 7.0F;
    vec_store(memory, vec_splat(1.0F), count);
    for (int64_t i = 0; i < 2 * kVecLanes; ++i) EXPECT_EQ(memory[i], i < count ? 1.0F : 7.0F);
    const vec back = vec_load(memory, count);
    for (int64_t i = 0; i < kVecLanes; ++i) EXPECT_EQ(back[i], i < count ? 1.0F : 0.0F);
  }
}

}  // namespace
}  // namespace longer::LONGER_TIER
