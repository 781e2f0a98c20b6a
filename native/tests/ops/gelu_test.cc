#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "longer/error.hpp"
#include "ops/linear/linear.hpp"
#include "reference/linear.hpp"
#include "support/compare.hpp"
#include "support/cpu_tiers.hpp"
#include "support/poison.hpp"
#include "support/random_data.hpp"

namespace longer {
namespace {

using testing::are_near;
using testing::are_same_bits;
using testing::available_tiers;
using testing::Pass;
using testing::PoisonedMatrix;
using testing::random_floats;
using testing::tolerance;

class Gelu : public testing::OnEachTier {};
INSTANTIATE_TEST_SUITE_P(Tiers, Gelu, ::testing::ValuesIn(available_tiers()), testing::tier_name);

/// Every size of number, both signs.
std::vector<float> sweep() {
  std::vector<float> values = {0.0F, -0.0F};
  for (float magnitude = 1e-30F; magnitude < 1e12F; magnitude *= 1.07F) {
    values.push_back(magnitude);
    values.push_back(-magnitude);
  }
  for (float x = -12.0F; x < 12.0F; x += 0.01F) values.push_back(x);
  return values;
}

TEST_P(Gelu, MatchesReferenceOverAllMagnitudes) {
  const auto x = sweep();
  const auto count = static_cast<int64_t>(x.size());
  PoisonedMatrix y(1, count, x);
  PoisonedMatrix dx(1, count, std::vector<float>(x.size(), 1.5F));
  PoisonedMatrix in(1, count, x);
  gelu_forward(nullptr, y.view(), y.view());
  gelu_backward(nullptr, in.view(), dx.view(), dx.view());
  std::vector<double> expected(x.size());
  std::vector<double> gradient(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    expected[i] = reference::gelu(static_cast<double>(x[i]));
    gradient[i] = 1.5 * reference::gelu_gradient(static_cast<double>(x[i]));
  }
  EXPECT_TRUE(are_near(y.values(), expected, tolerance("gelu", Pass::kForward)));
  EXPECT_TRUE(are_near(dx.values(), gradient, tolerance("gelu", Pass::kForward)));
  EXPECT_TRUE(y.is_intact() && dx.is_intact());
}

TEST_P(Gelu, KeepsUndefinedAndInfiniteValues) {
  const float infinity = std::numeric_limits<float>::infinity();
  PoisonedMatrix y(1, 3, {std::nanf(""), infinity, 3.0F});
  gelu_forward(nullptr, y.view(), y.view());
  EXPECT_TRUE(std::isnan(y.row(0)[0]));
  EXPECT_EQ(y.row(0)[1], infinity);
  EXPECT_NEAR(y.row(0)[2], 2.99636, 1e-5);
}

TEST_P(Gelu, BitsDependNeitherOnPlaceNorThreads) {
  const auto x = random_floats(300 * 129, 7, 3.0F);
  PoisonedMatrix in(300, 129, x);
  PoisonedMatrix once(300, 129);
  gelu_forward(nullptr, in.view(), once.view());
  for (int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    PoisonedMatrix y(300, 129);
    gelu_forward(&pool, in.view(), y.view());
    EXPECT_TRUE(are_same_bits(y.values(), once.values()));
  }
  for (int64_t c = 0; c < 129; ++c) {
    PoisonedMatrix one(300, 1);
    gelu_forward(nullptr, in.view().slice_cols(c, c + 1), one.view());
    ASSERT_TRUE(are_same_bits(one.row(17), once.row(17) + c, 1)) << "column " << c;
  }
}

TEST(GeluReference, GradientMatchesCentralDifferences) {
  for (double u = -6.0; u < 6.0; u += 0.37) {
    const double difference = (reference::gelu(u + 1e-5) - reference::gelu(u - 1e-5)) / 2e-5;
    EXPECT_NEAR(difference, reference::gelu_gradient(u), 1e-8);
  }
}

TEST(GeluErrors, NameBothShapes) {
  PoisonedMatrix x(2, 3);
  PoisonedMatrix y(2, 4);
  try {
    gelu_forward(nullptr, x.view(), y.view());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "[gelu_forward] y must be [2, 3]; got [2, 4]");
  }
}

}  // namespace
}  // namespace longer
