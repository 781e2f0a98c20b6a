#include "ops/layer_norm/layer_norm.hpp"

#include <gtest/gtest.h>

#include <string>

#include "longer/error.hpp"
#include "reference/layer_norm.hpp"
#include "support/compare.hpp"
#include "support/cpu_tiers.hpp"
#include "support/poison.hpp"
#include "support/random_data.hpp"

namespace longer {
namespace {

using testing::are_near;
using testing::are_same_bits;
using testing::available_tiers;
using testing::ForcedTier;
using testing::Pass;
using testing::PoisonedMatrix;
using testing::random_floats;
using testing::to_double;
using testing::tolerance;

struct Shape {
  int64_t rows, cols;
};
const std::vector<Shape> kShapes = {{0, 8},   {1, 1},   {2, 7},   {3, 15},  {5, 16},   {4, 17},
                                    {9, 31},  {8, 32},  {63, 33}, {64, 63}, {65, 64},  {3, 65},
                                    {2, 127}, {7, 128}, {5, 129}, {1, 250}, {250, 64}, {2500, 24}};

class LayerNorm : public testing::OnEachTier {};
INSTANTIATE_TEST_SUITE_P(Tiers, LayerNorm, ::testing::ValuesIn(available_tiers()),
                         testing::tier_name);

struct Case {
  explicit Case(const Shape& s)
      : shape(s),
        x(random_floats(s.rows * s.cols, 1, 2.0F)),
        weight(random_floats(s.cols, 2)),
        bias(random_floats(s.cols, 3)),
        dy(random_floats(s.rows * s.cols, 4)) {
    for (float& value : x) value += 3.0F;
  }
  Shape shape;
  std::vector<float> x, weight, bias, dy;
};

TEST_P(LayerNorm, ForwardMatchesReferenceAndIgnoresPoisonedPadding) {
  for (const Shape& s : kShapes) {
    SCOPED_TRACE(std::to_string(s.rows) + " × " + std::to_string(s.cols));
    const Case c(s);
    PoisonedMatrix y(s.rows, s.cols, c.x);  // in place
    PoisonedMatrix mean(1, s.rows);
    PoisonedMatrix rstd(1, s.rows);
    layer_norm_forward(nullptr, y.view(), c.weight.data(), c.bias.data(), y.view(), mean.row(0),
                       rstd.row(0));
    const auto expected = reference::layer_norm(to_double(c.x), to_double(c.weight),
                                                to_double(c.bias), static_cast<size_t>(s.rows));
    EXPECT_TRUE(are_near(y.values(), expected.y, tolerance("layer_norm", Pass::kForward)));
    EXPECT_TRUE(are_near(mean.values(), expected.mean, tolerance("layer_norm", Pass::kForward)));
    EXPECT_TRUE(are_near(rstd.values(), expected.rstd, tolerance("layer_norm", Pass::kForward)));
    EXPECT_TRUE(y.is_intact() && mean.is_intact() && rstd.is_intact());
  }
}

TEST_P(LayerNorm, BackwardMatchesReference) {
  for (const Shape& s : kShapes) {
    SCOPED_TRACE(std::to_string(s.rows) + " × " + std::to_string(s.cols));
    const Case c(s);
    const auto count = static_cast<size_t>(s.cols);
    PoisonedMatrix x(s.rows, s.cols, c.x);
    PoisonedMatrix y(s.rows, s.cols);
    PoisonedMatrix dy(s.rows, s.cols, c.dy);
    std::vector<float> mean(static_cast<size_t>(s.rows));
    std::vector<float> rstd(static_cast<size_t>(s.rows));
    layer_norm_forward(nullptr, x.view(), c.weight.data(), c.bias.data(), y.view(), mean.data(),
                       rstd.data());
    auto expected = reference::layer_norm_backward(to_double(c.x), to_double(c.weight),
                                                   to_double(c.dy), static_cast<size_t>(s.rows));
    for (double& g : expected.weight) g += 1.0;
    for (double& g : expected.bias) g += 2.0;
    for (const Write write : {Write::kSet, Write::kAdd}) {
      PoisonedMatrix dx(s.rows, s.cols, std::vector<float>(c.x.size(), 1.0F));
      PoisonedMatrix d_weight(1, s.cols, std::vector<float>(count, 1.0F));
      PoisonedMatrix d_bias(1, s.cols, std::vector<float>(count, 2.0F));
      layer_norm_backward(nullptr, x.view(), c.weight.data(), mean.data(), rstd.data(), dy.view(),
                          dx.view(), write, d_weight.row(0), d_bias.row(0));
      auto d_x = expected.x;
      if (write == Write::kAdd) {
        for (double& g : d_x) g += 1.0;
      }
      EXPECT_TRUE(are_near(dx.values(), d_x, tolerance("layer_norm", Pass::kBackward)));
      EXPECT_TRUE(
          are_near(d_weight.values(), expected.weight, tolerance("layer_norm", Pass::kBackward)));
      EXPECT_TRUE(
          are_near(d_bias.values(), expected.bias, tolerance("layer_norm", Pass::kBackward)));
      EXPECT_TRUE(dx.is_intact() && d_weight.is_intact() && d_bias.is_intact());
    }
  }
}

TEST_P(LayerNorm, BitsDependNeitherOnOtherRowsNorThreads) {
  const Case c({2500, 65});
  PoisonedMatrix x(2500, 65, c.x);
  PoisonedMatrix dy(2500, 65, c.dy);
  std::vector<std::vector<float>> first;
  for (int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    PoisonedMatrix y(2500, 65);
    PoisonedMatrix dx(2500, 65);
    std::vector<float> mean(2500);
    std::vector<float> rstd(2500);
    std::vector<float> d_weight(65);
    std::vector<float> d_bias(65);
    layer_norm_forward(&pool, x.view(), c.weight.data(), c.bias.data(), y.view(), mean.data(),
                       rstd.data());
    layer_norm_backward(&pool, x.view(), c.weight.data(), mean.data(), rstd.data(), dy.view(),
                        dx.view(), Write::kSet, d_weight.data(), d_bias.data());
    const std::vector<std::vector<float>> results = {y.values(),  mean,     rstd,
                                                     dx.values(), d_weight, d_bias};
    if (first.empty()) first = results;
    for (size_t i = 0; i < results.size(); ++i)
      EXPECT_TRUE(are_same_bits(results[i], first[i])) << "result " << i;
  }
  PoisonedMatrix one(1, 65);
  layer_norm_forward(nullptr, x.view().slice_rows(777, 778), c.weight.data(), c.bias.data(),
                     one.view(), nullptr, nullptr);
  EXPECT_TRUE(are_same_bits(one.row(0), first[0].data() + 777 * 65, 65));
}

TEST(LayerNormTiers, Avx2AndAvx512GiveTheSameBits) {
  if (best_cpu_tier() < CpuTier::kAvx512) GTEST_SKIP() << "this processor has no AVX-512";
  for (const Shape& s : kShapes) {
    const Case c(s);
    std::vector<std::vector<float>> first;
    for (const CpuTier tier : {CpuTier::kAvx2, CpuTier::kAvx512}) {
      const ForcedTier forced(tier);
      PoisonedMatrix x(s.rows, s.cols, c.x);
      PoisonedMatrix dy(s.rows, s.cols, c.dy);
      PoisonedMatrix y(s.rows, s.cols);
      PoisonedMatrix dx(s.rows, s.cols);
      std::vector<float> mean(static_cast<size_t>(s.rows));
      std::vector<float> rstd(static_cast<size_t>(s.rows));
      std::vector<float> d_weight(static_cast<size_t>(s.cols));
      std::vector<float> d_bias(static_cast<size_t>(s.cols));
      layer_norm_forward(nullptr, x.view(), c.weight.data(), c.bias.data(), y.view(), mean.data(),
                         rstd.data());
      layer_norm_backward(nullptr, x.view(), c.weight.data(), mean.data(), rstd.data(), dy.view(),
                          dx.view(), Write::kSet, d_weight.data(), d_bias.data());
      const std::vector<std::vector<float>> results = {y.values(),  mean,     rstd,
                                                       dx.values(), d_weight, d_bias};
      if (first.empty()) first = results;
      for (size_t i = 0; i < results.size(); ++i) {
        EXPECT_TRUE(are_same_bits(results[i], first[i]))
            << s.rows << " x " << s.cols << ", result " << i;
      }
    }
  }
}

TEST(LayerNormReference, GradientsMatchCentralDifferences) {
  auto x = to_double(random_floats(15, 1));
  auto weight = to_double(random_floats(5, 2));
  auto bias = to_double(random_floats(5, 3));
  const auto dy = to_double(random_floats(15, 4));
  const auto loss = [&] {
    const auto y = reference::layer_norm(x, weight, bias, 3).y;
    double sum = 0.0;
    for (size_t i = 0; i < y.size(); ++i) sum += y[i] * dy[i];
    return sum;
  };
  const auto difference = [&](double& value) {
    const double before = value;
    value = before + 1e-5;
    const double above = loss();
    value = before - 1e-5;
    const double below = loss();
    value = before;
    return (above - below) / 2e-5;
  };
  const auto g = reference::layer_norm_backward(x, weight, dy, 3);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(difference(x[i]), g.x[i], 1e-8);
  for (size_t i = 0; i < weight.size(); ++i) EXPECT_NEAR(difference(weight[i]), g.weight[i], 1e-8);
  for (size_t i = 0; i < bias.size(); ++i) EXPECT_NEAR(difference(bias[i]), g.bias[i], 1e-8);
}

TEST(LayerNormErrors, NameBothShapes) {
  PoisonedMatrix x(2, 3);
  PoisonedMatrix y(3, 3);
  const std::vector<float> ones(3, 1.0F);
  try {
    layer_norm_forward(nullptr, x.view(), ones.data(), ones.data(), y.view(), nullptr, nullptr);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), Status::kInvalidArgument);
    EXPECT_STREQ(error.what(), "[layer_norm_forward] y must be [2, 3]; got [3, 3]");
  }
}

}  // namespace
}  // namespace longer
