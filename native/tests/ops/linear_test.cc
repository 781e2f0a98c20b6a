#include "ops/linear/linear.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "longer/error.hpp"
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
using testing::ForcedTier;
using testing::Pass;
using testing::PoisonedMatrix;
using testing::random_floats;
using testing::to_double;
using testing::tolerance;

struct Shape {
  int64_t rows, in, out;
};

// Around the tiles' and panels' borders, the event MLPs, and maps with a single output.
const std::vector<Shape> kShapes = {{0, 4, 4},      {1, 1, 1},     {1, 48, 64},   {2, 64, 32},
                                    {3, 5, 129},    {4, 32, 96},   {5, 33, 31},   {6, 63, 17},
                                    {7, 64, 63},    {11, 65, 64},  {12, 127, 65}, {13, 128, 127},
                                    {25, 129, 128}, {64, 48, 64},  {63, 7, 1},    {129, 64, 32},
                                    {65, 16, 33},   {250, 32, 48}, {17, 256, 250}};

struct Case {
  explicit Case(const Shape& s)
      : shape(s),
        x(random_floats(s.rows * s.in, 1)),
        weight(random_floats(s.out * s.in, 2, 0.5F)),
        bias(random_floats(s.out, 3)) {
    packed.pack(weight.data(), bias.data(), s.out, s.in, PackFor::kTraining);
  }
  std::vector<double> expected() const {
    return reference::linear(to_double(x), to_double(weight), to_double(bias),
                             static_cast<size_t>(shape.rows), static_cast<size_t>(shape.in),
                             static_cast<size_t>(shape.out));
  }
  Shape shape;
  std::vector<float> x, weight, bias;
  PackedLinear packed;
};

std::string name_of(const Shape& s, CpuTier tier) {
  return std::string(cpu_tier_name(tier)) + " [" + std::to_string(s.rows) + ", " +
         std::to_string(s.in) + "] → " + std::to_string(s.out);
}

class LinearForwardTest : public testing::OnEachTier {};
class LinearBackward : public testing::OnEachTier {};
class LinearRowInvariance : public testing::OnEachTier {};
INSTANTIATE_TEST_SUITE_P(Tiers, LinearForwardTest, ::testing::ValuesIn(available_tiers()),
                         testing::tier_name);
INSTANTIATE_TEST_SUITE_P(Tiers, LinearBackward, ::testing::ValuesIn(available_tiers()),
                         testing::tier_name);
INSTANTIATE_TEST_SUITE_P(Tiers, LinearRowInvariance, ::testing::ValuesIn(available_tiers()),
                         testing::tier_name);

TEST_P(LinearForwardTest, MatchesReferenceAndIgnoresPoisonedPadding) {
  for (const Shape& s : kShapes) {
    SCOPED_TRACE(name_of(s, GetParam()));
    const Case c(s);
    PoisonedMatrix x(s.rows, s.in, c.x);
    PoisonedMatrix y(s.rows, s.out, 3);
    linear_forward(nullptr, {x.view(), &c.packed, y.view(), Activation::kNone, {}, {}});
    EXPECT_TRUE(are_near(y.values(), c.expected(), tolerance("linear", Pass::kForward)));
    EXPECT_TRUE(y.is_intact());
  }
}

TEST_P(LinearForwardTest, FusesGeluResidualAndKeepsPreActivation) {
  for (const Shape& s : kShapes) {
    SCOPED_TRACE(name_of(s, GetParam()));
    const Case c(s);
    const auto residual = random_floats(s.rows * s.out, 4);
    PoisonedMatrix x(s.rows, s.in, c.x);
    PoisonedMatrix y(s.rows, s.out, residual);  // the residual is y itself
    PoisonedMatrix keep(s.rows, s.out, 2);
    linear_forward(nullptr,
                   {x.view(), &c.packed, y.view(), Activation::kGelu, y.view(), keep.view()});
    const auto pre = c.expected();
    std::vector<double> expected(pre.size());
    for (size_t i = 0; i < pre.size(); ++i)
      expected[i] = reference::gelu(pre[i]) + static_cast<double>(residual[i]);
    EXPECT_TRUE(are_near(keep.values(), pre, tolerance("linear", Pass::kForward)));
    EXPECT_TRUE(are_near(y.values(), expected, tolerance("linear", Pass::kForward)));
    EXPECT_TRUE(y.is_intact() && keep.is_intact());
  }
}

TEST_P(LinearForwardTest, GivesTheBitsOfItsPartsRunApart) {
  for (const Shape& s : kShapes) {
    SCOPED_TRACE(name_of(s, GetParam()));
    const Case c(s);
    PoisonedMatrix x(s.rows, s.in, c.x);
    PoisonedMatrix plain(s.rows, s.out);
    PoisonedMatrix fused(s.rows, s.out);
    linear_forward(nullptr, {x.view(), &c.packed, plain.view(), Activation::kNone, {}, {}});
    linear_forward(nullptr, {x.view(), &c.packed, fused.view(), Activation::kGelu, {}, {}});
    gelu_forward(nullptr, plain.view(), plain.view());
    EXPECT_TRUE(are_same_bits(fused.values(), plain.values()));
  }
}

TEST_P(LinearRowInvariance, RowAloneHasTheBitsOfItsBatch) {
  for (const Shape& s : kShapes) {
    SCOPED_TRACE(name_of(s, GetParam()));
    const Case c(s);
    PoisonedMatrix x(s.rows, s.in, c.x);
    PoisonedMatrix y(s.rows, s.out);
    linear_forward(nullptr, {x.view(), &c.packed, y.view(), Activation::kGelu, {}, {}});
    PoisonedMatrix dy(s.rows, s.in);
    linear_backward_input(nullptr, y.view(), c.packed, dy.view(), Write::kSet);
    for (int64_t count : {1, 2, 3, 5, 12}) {
      for (int64_t r = 0; r + count <= s.rows; r += std::max<int64_t>(1, s.rows / 7)) {
        PoisonedMatrix some(count, s.out);
        linear_forward(
            nullptr,
            {x.view().slice_rows(r, r + count), &c.packed, some.view(), Activation::kGelu, {}, {}});
        PoisonedMatrix d_some(count, s.in);
        linear_backward_input(nullptr, some.view(), c.packed, d_some.view(), Write::kSet);
        for (int64_t i = 0; i < count; ++i) {
          ASSERT_TRUE(are_same_bits(some.row(i), y.row(r + i), s.out))
              << "row " << r + i << " among " << count;
          ASSERT_TRUE(are_same_bits(d_some.row(i), dy.row(r + i), s.in))
              << "row " << r + i << " among " << count;
        }
      }
    }
  }
}

TEST_P(LinearRowInvariance, ThreadsDoNotChangeBits) {
  for (const Shape& s :
       {Shape{517, 96, 129}, Shape{9000, 48, 64}, Shape{4100, 33, 1}, Shape{2, 2048, 2050}}) {
    SCOPED_TRACE(name_of(s, GetParam()));
    const Case c(s);
    PoisonedMatrix x(s.rows, s.in, c.x);
    const auto dy = random_floats(s.rows * s.out, 5);
    PoisonedMatrix d_y(s.rows, s.out, dy);
    std::vector<std::vector<float>> first;
    for (int threads : {0, 1, 2, 7}) {
      ThreadPool pool(threads == 0 ? 1 : threads);
      ThreadPool* p = threads == 0 ? nullptr : &pool;
      PoisonedMatrix y(s.rows, s.out);
      PoisonedMatrix dx(s.rows, s.in);
      std::vector<float> d_weight(static_cast<size_t>(s.out * s.in), 0.5F);
      std::vector<float> d_bias(static_cast<size_t>(s.out), 0.25F);
      linear_forward(p, {x.view(),
                         &c.packed,
                         y.view(),
                         Activation::kGelu,
                         x.view().cols == s.out ? x.view() : MatrixView{},
                         {}});
      linear_backward_input(p, d_y.view(), c.packed, dx.view(), Write::kSet);
      linear_backward_weights(p, x.view(), d_y.view(), d_weight.data(), d_bias.data());
      const std::vector<std::vector<float>> results = {y.values(), dx.values(), d_weight, d_bias};
      if (first.empty()) first = results;
      for (size_t i = 0; i < results.size(); ++i) {
        EXPECT_TRUE(are_same_bits(results[i], first[i]))
            << "result " << i << " with " << threads << " threads";
      }
    }
  }
}

TEST_P(LinearBackward, MatchesReference) {
  for (const Shape& s : kShapes) {
    SCOPED_TRACE(name_of(s, GetParam()));
    const Case c(s);
    const auto dy = random_floats(s.rows * s.out, 5);
    const auto before = random_floats(s.rows * s.in, 6);
    PoisonedMatrix x(s.rows, s.in, c.x);
    PoisonedMatrix d_y(s.rows, s.out, dy);
    PoisonedMatrix dx(s.rows, s.in);
    PoisonedMatrix added(s.rows, s.in, before);
    linear_backward_input(nullptr, d_y.view(), c.packed, dx.view(), Write::kSet);
    linear_backward_input(nullptr, d_y.view(), c.packed, added.view(), Write::kAdd);
    const auto rows = static_cast<size_t>(s.rows);
    const auto in = static_cast<size_t>(s.in);
    const auto out = static_cast<size_t>(s.out);
    auto expected =
        reference::linear_backward_input(to_double(dy), to_double(c.weight), rows, in, out);
    EXPECT_TRUE(are_near(dx.values(), expected, tolerance("linear", Pass::kBackward)));
    for (size_t i = 0; i < expected.size(); ++i) expected[i] += static_cast<double>(before[i]);
    EXPECT_TRUE(are_near(added.values(), expected, tolerance("linear", Pass::kBackward)));
    EXPECT_TRUE(dx.is_intact() && added.is_intact());

    PoisonedMatrix d_weight(1, s.out * s.in, std::vector<float>(out * in, 2.0F));
    PoisonedMatrix d_bias(1, s.out, std::vector<float>(out, 3.0F));
    linear_backward_weights(nullptr, x.view(), d_y.view(), d_weight.row(0), d_bias.row(0));
    auto gradient =
        reference::linear_backward_weights(to_double(c.x), to_double(dy), rows, in, out);
    for (double& g : gradient.weight) g += 2.0;
    for (double& g : gradient.bias) g += 3.0;
    EXPECT_TRUE(are_near(d_weight.values(), gradient.weight, tolerance("linear", Pass::kBackward)));
    EXPECT_TRUE(are_near(d_bias.values(), gradient.bias, tolerance("linear", Pass::kBackward)));
    EXPECT_TRUE(d_weight.is_intact() && d_bias.is_intact());
  }
}

TEST_P(LinearBackward, SumsManyRowsInChunks) {
  const Shape s{5003, 17, 9};
  const Case c(s);
  const auto dy = random_floats(s.rows * s.out, 5);
  std::vector<float> d_weight(static_cast<size_t>(s.out * s.in), 1.0F);
  std::vector<float> d_bias(static_cast<size_t>(s.out), 1.0F);
  PoisonedMatrix x(s.rows, s.in, c.x);
  PoisonedMatrix d_y(s.rows, s.out, dy);
  linear_backward_weights(nullptr, x.view(), d_y.view(), d_weight.data(), d_bias.data());
  auto expected = reference::linear_backward_weights(to_double(c.x), to_double(dy), 5003, 17, 9);
  for (double& g : expected.weight) g += 1.0;
  for (double& g : expected.bias) g += 1.0;
  // Sums of 5003 terms of unit size reach 70; their rounding grows with them.
  EXPECT_TRUE(are_near(d_weight, expected.weight, {3e-4, 1e-5}));
  EXPECT_TRUE(are_near(d_bias, expected.bias, {3e-4, 1e-5}));
  std::vector<float> again(d_weight.size(), 1.0F);
  linear_backward_weights(nullptr, x.view(), d_y.view(), again.data(), nullptr);
  EXPECT_TRUE(are_same_bits(again, d_weight)) << "the bias changed the weights";
}

TEST_P(LinearBackward, RowsOfWeightsMayLieApart) {
  for (const Shape& s : {Shape{7, 17, 9}, Shape{33, 40, 65}, Shape{5003, 17, 9}}) {
    SCOPED_TRACE(name_of(s, GetParam()));
    const Case c(s);
    const auto dy = random_floats(s.rows * s.out, 5);
    const std::vector<float> ones(static_cast<size_t>(s.out * s.in), 1.0F);
    PoisonedMatrix x(s.rows, s.in, c.x);
    PoisonedMatrix d_y(s.rows, s.out, dy);
    PoisonedMatrix weight(s.out, s.in, c.weight);
    PackedLinear packed;
    packed.pack(weight.row(0), c.bias.data(), s.out, s.in, PackFor::kTraining,
                weight.view().stride);
    std::vector<std::vector<float>> results[2];
    for (int i = 0; i < 2; ++i) {
      const PackedLinear& w = i == 0 ? c.packed : packed;
      PoisonedMatrix y(s.rows, s.out);
      PoisonedMatrix dx(s.rows, s.in);
      linear_forward(nullptr, {x.view(), &w, y.view(), Activation::kNone, {}, {}});
      linear_backward_input(nullptr, d_y.view(), w, dx.view(), Write::kSet);
      results[i] = {y.values(), dx.values()};
    }
    EXPECT_EQ(results[1], results[0]);

    std::vector<float> together = ones;
    PoisonedMatrix apart(s.out, s.in, ones);
    linear_backward_weights(nullptr, x.view(), d_y.view(), together.data(), nullptr);
    linear_backward_weights(nullptr, x.view(), d_y.view(), apart.row(0), nullptr,
                            apart.view().stride);
    EXPECT_TRUE(are_same_bits(apart.values(), together));
    EXPECT_TRUE(apart.is_intact());
  }
}

TEST(LinearTierBits, Avx2AndAvx512GiveTheSameBits) {
  if (best_cpu_tier() < CpuTier::kAvx512) GTEST_SKIP() << "this processor has no AVX-512";
  for (const Shape& s : kShapes) {
    std::vector<std::vector<float>> first;
    for (const CpuTier tier : {CpuTier::kAvx2, CpuTier::kAvx512}) {
      const ForcedTier forced(tier);
      const Case c(s);
      PoisonedMatrix x(s.rows, s.in, c.x);
      PoisonedMatrix y(s.rows, s.out);
      PoisonedMatrix dx(s.rows, s.in);
      PoisonedMatrix keep(s.rows, s.out);
      std::vector<float> d_weight(c.weight.size());
      std::vector<float> d_bias(c.bias.size());
      linear_forward(nullptr, {x.view(), &c.packed, y.view(), Activation::kGelu, {}, keep.view()});
      gelu_backward(nullptr, keep.view(), y.view(), keep.view());
      linear_backward_input(nullptr, keep.view(), c.packed, dx.view(), Write::kSet);
      linear_backward_weights(nullptr, x.view(), keep.view(), d_weight.data(), d_bias.data());
      const std::vector<std::vector<float>> results = {y.values(), keep.values(), dx.values(),
                                                       d_weight, d_bias};
      if (first.empty()) first = results;
      for (size_t i = 0; i < results.size(); ++i) {
        EXPECT_TRUE(are_same_bits(results[i], first[i])) << name_of(s, tier) << ", result " << i;
      }
    }
  }
}

TEST(LinearReference, GradientsMatchCentralDifferences) {
  const size_t rows = 3;
  const size_t in = 4;
  const size_t out = 2;
  auto x = to_double(random_floats(12, 1));
  auto weight = to_double(random_floats(8, 2));
  const auto bias = to_double(random_floats(2, 3));
  const auto dy = to_double(random_floats(6, 4));
  const auto loss = [&] {
    const auto y = reference::linear(x, weight, bias, rows, in, out);
    double sum = 0.0;
    for (size_t i = 0; i < y.size(); ++i) sum += y[i] * dy[i];
    return sum;
  };
  const auto difference = [&](double& value) {
    const double step = 1e-5;
    const double before = value;
    value = before + step;
    const double above = loss();
    value = before - step;
    const double below = loss();
    value = before;
    return (above - below) / (2.0 * step);
  };
  const auto dx = reference::linear_backward_input(dy, weight, rows, in, out);
  const auto g = reference::linear_backward_weights(x, dy, rows, in, out);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(difference(x[i]), dx[i], 1e-8);
  for (size_t i = 0; i < weight.size(); ++i) EXPECT_NEAR(difference(weight[i]), g.weight[i], 1e-8);
}

TEST(PackedLinear, IsReusedAtAnotherShape) {
  PackedLinear packed;
  const auto big = random_floats(65 * 33, 1);
  packed.pack(big.data(), nullptr, 65, 33, PackFor::kTraining);
  const Case c({5, 7, 3});
  packed.pack(c.weight.data(), c.bias.data(), 3, 7, PackFor::kInference);
  PoisonedMatrix x(5, 7, c.x);
  PoisonedMatrix y(5, 3);
  linear_forward(nullptr, {x.view(), &packed, y.view(), Activation::kNone, {}, {}});
  EXPECT_TRUE(are_near(y.values(), c.expected(), tolerance("linear", Pass::kForward)));
  EXPECT_GT(packed.bytes(), 0);
}

template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), Status::kInvalidArgument);
    return error.what();
  }
  return "no error";
}

TEST(LinearErrors, NameTheOperationTheArgumentAndBothShapes) {
  const Case c({4, 6, 5});
  PoisonedMatrix x(4, 6, c.x);
  PoisonedMatrix narrow(4, 3);
  PoisonedMatrix y(4, 5);
  EXPECT_EQ(
      error_of([&] {
        linear_forward(nullptr, {narrow.view(), &c.packed, y.view(), Activation::kNone, {}, {}});
      }),
      "[linear_forward] x must have 6 columns; got 3");
  EXPECT_EQ(
      error_of([&] {
        linear_forward(nullptr, {x.view(), &c.packed, narrow.view(), Activation::kNone, {}, {}});
      }),
      "[linear_forward] y must be [4, 5]; got [4, 3]");
  EXPECT_EQ(error_of([&] {
              linear_forward(nullptr, {x.view(), nullptr, y.view(), Activation::kNone, {}, {}});
            }),
            "[linear_forward] weights are missing");
  EXPECT_EQ(error_of([&] {
              linear_forward(nullptr,
                             {x.view(), &c.packed, y.view(), Activation::kNone, narrow.view(), {}});
            }),
            "[linear_forward] residual must be [4, 5]; got [4, 3]");
  EXPECT_EQ(error_of([&] {
              linear_backward_input(nullptr, y.view(), c.packed, narrow.view(), Write::kSet);
            }),
            "[linear_backward_input] dx must be [4, 6]; got [4, 3]");
  PackedLinear inference;
  inference.pack(c.weight.data(), nullptr, 5, 6, PackFor::kInference);
  EXPECT_EQ(
      error_of([&] { linear_backward_input(nullptr, y.view(), inference, x.view(), Write::kSet); }),
      "[linear_backward_input] the weights are packed for inference only");
  EXPECT_EQ(error_of([&] {
              linear_backward_weights(nullptr, x.view().slice_rows(0, 3), y.view(), nullptr,
                                      nullptr);
            }),
            "[linear_backward_weights] x and dy must have as many rows; got 3 and 4");
}

}  // namespace
}  // namespace longer
