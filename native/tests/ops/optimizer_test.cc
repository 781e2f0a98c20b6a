#include "ops/optimizer/optimizer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "reference/optimizer.hpp"
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
using testing::to_double;
using testing::tolerance;

class AdamwStepTest : public testing::OnEachTier {};
class RowWiseAdagrad : public testing::OnEachTier {};
class SquaredNorm : public testing::OnEachTier {};
INSTANTIATE_TEST_SUITE_P(Tiers, AdamwStepTest, ::testing::ValuesIn(available_tiers()),
                         testing::tier_name);
INSTANTIATE_TEST_SUITE_P(Tiers, RowWiseAdagrad, ::testing::ValuesIn(available_tiers()),
                         testing::tier_name);
INSTANTIATE_TEST_SUITE_P(Tiers, SquaredNorm, ::testing::ValuesIn(available_tiers()),
                         testing::tier_name);

// Around the registers and past one item; with weight decay, without, with, and a part no range
// covers.
constexpr int64_t kCount = 40077;
const std::vector<DecayRange> kRanges = {{0, 7, true}, {7, 20011, false}, {20011, 40070, true}};

StepNumbers numbers_of(int64_t step) {
  const AdamwRates rates = {0.01, 0.9, 0.999, 1e-6, 0.1};
  StepNumbers n;
  n.rates.decayed = adamw_coefficients(rates, step, true);
  n.rates.plain = adamw_coefficients(rates, step, false);
  n.rates.decayed.gradient_scale = n.rates.plain.gradient_scale = 0.25F;
  n.rates.table_learning_rate = 0.05F;
  n.rates.table_epsilon = 1e-8F;
  n.rates.table_gradient_scale = 0.5F;
  return n;
}

AdamwStep adamw_of(PoisonedMatrix& weights, PoisonedMatrix& first, PoisonedMatrix& second,
                   const std::vector<float>& gradients, const StepNumbers& numbers) {
  AdamwStep p;
  p.weights = weights.row(0);
  p.gradients = gradients.data();
  p.first_moment = first.row(0);
  p.second_moment = second.row(0);
  p.ranges = kRanges.data();
  p.num_ranges = static_cast<int64_t>(kRanges.size());
  p.numbers = &numbers;
  return p;
}

TEST_P(AdamwStepTest, MatchesReferenceOverFiveStepsAndLeavesOtherRangesAlone) {
  const std::vector<float> start = random_floats(kCount, 1);
  PoisonedMatrix weights(1, kCount, start);
  PoisonedMatrix first(1, kCount, std::vector<float>(kCount));
  PoisonedMatrix second(1, kCount, std::vector<float>(kCount));
  std::vector<double> w = to_double(start);
  std::vector<double> m(kCount);
  std::vector<double> v(kCount);
  for (int step = 1; step <= 5; ++step) {
    const std::vector<float> gradients = random_floats(kCount, static_cast<uint64_t>(step) + 10);
    const StepNumbers numbers = numbers_of(step);
    adamw_step(nullptr, adamw_of(weights, first, second, gradients, numbers));
    for (const DecayRange& range : kRanges) {
      const reference::AdamwRates rates{0.01, 0.9, 0.999, 1e-6, range.is_decayed ? 0.1 : 0.0};
      for (auto i = static_cast<size_t>(range.begin); i < static_cast<size_t>(range.end); ++i) {
        reference::adamw(rates, step, 0.25 * static_cast<double>(gradients[i]), w[i], m[i], v[i]);
      }
    }
  }
  EXPECT_TRUE(are_near(weights.values(), w, tolerance("optimizer", Pass::kForward)));
  EXPECT_TRUE(are_near(first.values(), m, tolerance("optimizer", Pass::kForward)));
  EXPECT_TRUE(are_near(second.values(), v, tolerance("optimizer", Pass::kForward)));
  EXPECT_TRUE(weights.is_intact() && first.is_intact() && second.is_intact());
  EXPECT_TRUE(are_same_bits(weights.row(0) + 40070, start.data() + 40070, 7));
}

TEST_P(AdamwStepTest, GivesTheSameBitsForAnyNumberOfThreads) {
  const std::vector<float> start = random_floats(kCount, 1);
  const std::vector<float> gradients = random_floats(kCount, 2);
  const StepNumbers numbers = numbers_of(1);
  std::vector<float> expected;
  for (const int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    PoisonedMatrix weights(1, kCount, start);
    PoisonedMatrix first(1, kCount, start);
    PoisonedMatrix second(1, kCount, std::vector<float>(kCount, 1.0F));
    adamw_step(&pool, adamw_of(weights, first, second, gradients, numbers));
    if (expected.empty()) expected = weights.values();
    EXPECT_TRUE(are_same_bits(weights.values(), expected)) << threads << " threads";
  }
}

TEST_P(RowWiseAdagrad, MatchesReferenceAndTouchesNoOtherRow) {
  for (const int64_t width : {1, 3, 4, 7, 8, 15, 16, 17, 32, 50}) {
    SCOPED_TRACE("width " + std::to_string(width));
    constexpr int64_t kTableRows = 900;
    constexpr int64_t kSteps = 3;
    const StepNumbers numbers = numbers_of(1);
    std::vector<int32_t> rows;
    for (int32_t i = 0; i < 600; ++i) rows.push_back((i * 7 + 3) % 900);
    const std::vector<float> start = random_floats(kTableRows * width, 1);
    PoisonedMatrix table(1, kTableRows * width, start);
    PoisonedMatrix states(1, kTableRows, std::vector<float>(kTableRows));
    std::vector<double> expected = to_double(start);
    std::vector<double> expected_states(kTableRows);
    for (int64_t step = 0; step < kSteps; ++step) {
      const std::vector<float> gradients = random_floats(600 * width, static_cast<uint64_t>(step));
      ThreadPool pool(2);
      row_wise_adagrad_step(&pool, {table.row(0), states.row(0), rows.data(), gradients.data(), 600,
                                    width, &numbers});
      for (size_t i = 0; i < rows.size(); ++i) {
        std::vector<double> gradient;
        for (int64_t c = 0; c < width; ++c) {
          gradient.push_back(
              0.5 * static_cast<double>(
                        gradients[i * static_cast<size_t>(width) + static_cast<size_t>(c)]));
        }
        const auto row = static_cast<size_t>(rows[i]);
        reference::row_wise_adagrad(0.05, 1e-8, gradient,
                                    expected.data() + row * static_cast<size_t>(width),
                                    expected_states[row]);
      }
    }
    EXPECT_TRUE(are_near(table.values(), expected, tolerance("optimizer", Pass::kForward)));
    EXPECT_TRUE(are_near(states.values(), expected_states, tolerance("optimizer", Pass::kForward)));
    EXPECT_TRUE(table.is_intact() && states.is_intact());
    EXPECT_TRUE(are_same_bits(table.row(0), start.data(), width)) << "row 0 has no gradient";
  }
}

TEST_P(RowWiseAdagrad, DoesNothingWithoutRows) {
  float value = 2.0F;
  float state = 1.0F;
  const StepNumbers numbers = numbers_of(1);
  row_wise_adagrad_step(nullptr, {&value, &state, nullptr, nullptr, 0, 1, &numbers});
  EXPECT_EQ(value, 2.0F);
  EXPECT_EQ(state, 1.0F);
}

TEST(DecideUpdate, NormalisesClipsAndSkips) {
  StepNumbers n;
  n.loss = 6;
  n.weight = 8;
  n.unit = 2;
  n.squares = 144;
  n.rates.clip_norm = 1.5;
  const auto decide = [&n] { decide_update(n, [](double x) { return std::sqrt(x); }); };
  decide();
  EXPECT_EQ(n.gradient_norm, 3.0);  // 12 · unit / weight
  EXPECT_EQ(n.is_skipped, 0);
  for (const float scale : {n.rates.decayed.gradient_scale, n.rates.plain.gradient_scale,
                            n.rates.table_gradient_scale}) {
    EXPECT_EQ(scale, 0.125F);  // unit / weight · clip / norm
  }
  n.rates.clip_norm = 0;
  decide();
  EXPECT_EQ(n.rates.plain.gradient_scale, 0.25F);
  n.weight = 0;  // no label
  n.loss = 0;
  decide();
  EXPECT_EQ(n.rates.plain.gradient_scale, 1.0F);
  EXPECT_EQ(n.is_skipped, 0);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double broken : {kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN()}) {
    n.loss = broken;
    decide();
    EXPECT_EQ(n.is_skipped, 1) << broken;
    n.loss = 1;
    decide();
    EXPECT_EQ(n.is_skipped, 0);
  }
  n.squares = kInfinity;
  decide();
  EXPECT_EQ(n.is_skipped, 1);

  std::vector<float> weights = {2.0F};
  std::vector<float> gradient = {1.0F};
  std::vector<float> moments = {0.0F, 0.0F};
  const DecayRange range = {0, 1, true};
  adamw_step(nullptr, {weights.data(), gradient.data(), &moments[0], &moments[1], &range, 1, &n});
  const int32_t row = 0;
  row_wise_adagrad_step(nullptr, {weights.data(), &moments[0], &row, gradient.data(), 1, 1, &n});
  EXPECT_EQ(weights[0], 2.0F);
  EXPECT_EQ(moments, std::vector<float>({0.0F, 0.0F}));
}

TEST_P(SquaredNorm, MatchesReferenceWithTheSameBitsForAnyNumberOfThreads) {
  for (const int64_t count : {0, 1, 7, 8, 9, 63, 64, 65, 127, 100003}) {
    SCOPED_TRACE(count);
    const std::vector<float> x = random_floats(count, 1, 1e-3F);
    double expected = 0.0;
    for (const double value : to_double(x)) expected += value * value;
    const double got = squared_norm(nullptr, x.data(), count);
    EXPECT_NEAR(got, expected, 1e-12 * expected);
    for (const int threads : {1, 2, 7}) {
      ThreadPool pool(threads);
      EXPECT_EQ(squared_norm(&pool, x.data(), count), got) << threads << " threads";
    }
  }
}

TEST_P(SquaredNorm, LetsUndefinedAndInfiniteValuesThrough) {
  std::vector<float> x = random_floats(1000, 1);
  x[777] = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(std::isinf(squared_norm(nullptr, x.data(), 1000)));
  x[778] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(squared_norm(nullptr, x.data(), 1000)));
  EXPECT_TRUE(std::isfinite(squared_norm(nullptr, x.data(), 777)));
}

TEST_P(SquaredNorm, DoesNotOverflowWhereFloatsWould) {
  const std::vector<float> x(64, 1e30F);
  EXPECT_NEAR(squared_norm(nullptr, x.data(), 64) / 64e60, 1.0, 1e-6);
}

}  // namespace
}  // namespace longer
