// Linear maps and norms in bf16 against double-precision loops over the same rounded inputs.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "cuda/device_copies.hpp"
#include "ops/backend.hpp"
#include "ops/layer_norm/layer_norm_bf16_cuda.hpp"
#include "ops/linear/linear_bf16_cuda.hpp"
#include "support/bf16_tolerances.hpp"
#include "support/random_data.hpp"
#include "support/test_backend.hpp"

namespace longer::testing {
namespace {

struct Shape {
  int64_t rows, out, in;
};
std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << s.rows << " rows, " << s.in << " to " << s.out;
}

double gelu(double u) {
  return 0.5 * u * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (u + 0.044715 * u * u * u)));
}
double gelu_gradient(double u) {
  constexpr double kStep = 1e-5;
  return (gelu(u + kStep) - gelu(u - kStep)) / (2 * kStep);
}

class LinearBf16 : public ::testing::TestWithParam<Shape> {
 protected:
  LinearBf16() {
    weights_.weight = copies_.upload(w_);
    weights_.half = copies_.upload_bf16(w_);
    weights_.bias = copies_.upload(bias_);
    weights_.out = s_.out;
    weights_.in = s_.in;
  }
  /// x·Wᵀ over the rows that `numbers` name.
  std::vector<double> product(const std::vector<int32_t>& numbers) const {
    std::vector<double> y;
    for (const int32_t row : numbers) {
      for (int64_t o = 0; o < s_.out; ++o) {
        double sum = 0;
        for (int64_t i = 0; i < s_.in; ++i) sum += at(x_, row, i, s_.in) * at(w_, o, i, s_.in);
        y.push_back(sum);
      }
    }
    return y;
  }
  static double at(const std::vector<float>& m, int64_t row, int64_t col, int64_t cols) {
    return static_cast<double>(m[static_cast<size_t>(row * cols + col)]);
  }
  std::vector<int32_t> numbers(int64_t step) const {
    std::vector<int32_t> rows;
    for (int64_t i = 0; i < s_.rows; i += step) rows.push_back(static_cast<int32_t>(i));
    return rows;
  }
  Bf16View bf16(const std::vector<float>& values, int64_t cols) {
    return {copies_.upload_bf16(values), static_cast<int64_t>(values.size()) / cols, cols};
  }
  Bf16View empty(int64_t rows, int64_t cols) {
    return bf16(std::vector<float>(static_cast<size_t>(rows * cols), NAN), cols);
  }
  static std::vector<float> values(const Bf16View& m) {
    return download_bf16(m.data, m.rows * m.cols);
  }

  Shape s_ = GetParam();
  DeviceCopies copies_;
  std::shared_ptr<Backend> backend_ = test_backend();
  std::unique_ptr<Stream> own_stream_ = backend_->make_stream();
  CudaStream& stream_ = static_cast<CudaStream&>(*own_stream_);
  std::vector<float> x_ = rounded(random_floats(s_.rows * s_.in, 1));
  std::vector<float> w_ = rounded(random_floats(s_.out * s_.in, 2));
  std::vector<float> bias_ = random_floats(s_.out, 3);
  std::vector<float> dy_ = rounded(random_floats(s_.rows * s_.out, 4));
  LinearWeights weights_;
};

TEST_P(LinearBf16, ForwardWithBiasAndGelu) {
  Bf16Epilogue e;
  e.bias = weights_.bias;
  e.pre_activation = empty(s_.rows, s_.out);
  e.is_gelu = true;
  e.out = empty(s_.rows, s_.out);
  linear_forward_bf16(stream_, bf16(x_, s_.in), weights_, e);
  stream_.synchronize();
  std::vector<double> expected = product(numbers(1));
  for (size_t i = 0; i < expected.size(); ++i) {
    expected[i] += static_cast<double>(bias_[i % bias_.size()]);
  }
  EXPECT_LT(relative_l2(values(e.pre_activation), expected),
            bf16_tolerance("linear", Pass::kForward));
  for (double& value : expected) value = gelu(value);
  EXPECT_LT(relative_l2(values(e.out), expected), bf16_tolerance("linear", Pass::kForward));
}

TEST_P(LinearBf16, ForwardOfSomeRowsWithResidual) {
  const std::vector<int32_t> rows = numbers(3);
  const auto count = static_cast<int64_t>(rows.size());
  const int32_t* device_rows = copies_.upload(rows);
  const std::vector<float> residual = random_floats(s_.rows * s_.out, 5);
  Bf16Epilogue e;
  e.residual = {copies_.upload(residual), s_.rows, s_.out};
  e.residual_rows = device_rows;
  e.out_f32 = {copies_.zeros(count * s_.out), count, s_.out};
  linear_forward_bf16(stream_, {bf16(x_, s_.in), device_rows, count}, weights_, e);
  stream_.synchronize();
  std::vector<double> expected = product(rows);
  for (size_t i = 0; i < expected.size(); ++i) {
    expected[i] +=
        at(residual, rows[i / bias_.size()], static_cast<int64_t>(i % bias_.size()), s_.out);
  }
  // No rounding at all: f32 sums of exact products.
  EXPECT_LT(relative_l2(download(e.out_f32.data, count * s_.out), expected), 1e-6);
}

TEST_P(LinearBf16, BackwardInputThroughGeluAndIntoRows) {
  const std::vector<float> pre = rounded(random_floats(s_.rows * s_.in, 6));
  Bf16Epilogue e;
  e.gelu_input = bf16(pre, s_.in);
  e.gelu_output = empty(s_.rows, s_.in);
  e.out = empty(s_.rows, s_.in);
  linear_backward_input_bf16(stream_, bf16(dy_, s_.out), weights_, e);
  // Rows 0, 2, 4, … of another get the plain product added.
  std::vector<int32_t> rows;
  for (int64_t i = 0; i < s_.rows; ++i) rows.push_back(static_cast<int32_t>(2 * i));
  const std::vector<float> before = rounded(random_floats(2 * s_.rows * s_.in, 7));
  Bf16Epilogue add;
  add.out = bf16(before, s_.in);
  add.out_rows = copies_.upload(rows);
  add.is_accumulating = true;
  linear_backward_input_bf16(stream_, bf16(dy_, s_.out), weights_, add);
  stream_.synchronize();

  std::vector<double> expected, activated;
  std::vector<double> sums(before.begin(), before.end());
  for (int64_t r = 0; r < s_.rows; ++r) {
    for (int64_t i = 0; i < s_.in; ++i) {
      double sum = 0;
      for (int64_t o = 0; o < s_.out; ++o) sum += at(dy_, r, o, s_.out) * at(w_, o, i, s_.in);
      sums[static_cast<size_t>(2 * r * s_.in + i)] += sum;
      expected.push_back(sum * gelu_gradient(at(pre, r, i, s_.in)));
      activated.push_back(gelu(at(pre, r, i, s_.in)));
    }
  }
  EXPECT_LT(relative_l2(values(e.out), expected), bf16_tolerance("linear", Pass::kBackward));
  EXPECT_LT(relative_l2(values(e.gelu_output), activated),
            bf16_tolerance("linear", Pass::kForward));
  EXPECT_LT(relative_l2(values(add.out), sums), bf16_tolerance("linear", Pass::kBackward));
}

TEST_P(LinearBf16, BackwardWeightsInPartsTheSameTwice) {
  const std::vector<int32_t> rows = numbers(1);
  std::vector<std::vector<float>> results;
  for (int run = 0; run < 2; ++run) {
    LinearGradients g;
    g.weight = copies_.zeros(s_.out * s_.in);
    g.bias = copies_.upload(std::vector<float>(static_cast<size_t>(s_.out), 1.0F));
    linear_backward_weights_bf16(stream_, {bf16(x_, s_.in), copies_.upload(rows), s_.rows},
                                 bf16(dy_, s_.out), g);
    stream_.synchronize();
    results.push_back(download(g.weight, s_.out * s_.in));
    results.push_back(download(g.bias, s_.out));
  }
  EXPECT_EQ(results[0], results[2]);
  EXPECT_EQ(results[1], results[3]);
  std::vector<double> weight, bias;
  for (int64_t o = 0; o < s_.out; ++o) {
    double column = 1.0;
    for (int64_t r = 0; r < s_.rows; ++r) column += at(dy_, r, o, s_.out);
    bias.push_back(column);
    for (int64_t i = 0; i < s_.in; ++i) {
      double sum = 0;
      for (int64_t r = 0; r < s_.rows; ++r) sum += at(dy_, r, o, s_.out) * at(x_, r, i, s_.in);
      weight.push_back(sum);
    }
  }
  // f32 sums of exact products.
  EXPECT_LT(relative_l2(results[0], weight), 1e-6);
  EXPECT_LT(relative_l2(results[1], bias), 1e-6);
}

TEST_P(LinearBf16, NormAndItsGradient) {
  const std::vector<float> weight = random_floats(s_.in, 8);
  const std::vector<float> bias = random_floats(s_.in, 9);
  const std::vector<float> residual = random_floats(s_.rows * s_.in, 10);
  const std::vector<float> d_y = rounded(random_floats(s_.rows * s_.in, 11));
  const ConstMatrixView x(copies_.upload(x_), s_.rows, s_.in);
  const NormWeights norm = {copies_.upload(weight), copies_.upload(bias)};
  const Bf16View y = empty(s_.rows, s_.in);
  float* mean = copies_.zeros(s_.rows);
  float* rstd = copies_.zeros(s_.rows);
  layer_norm_forward_bf16(stream_, x, norm, y, mean, rstd);
  const MatrixView dx(copies_.zeros(s_.rows * s_.in), s_.rows, s_.in);
  const LayerNormBackwardBf16 backward = {x,
                                          norm,
                                          mean,
                                          rstd,
                                          bf16(d_y, s_.in),
                                          {copies_.upload(residual), s_.rows, s_.in},
                                          dx,
                                          empty(s_.rows, s_.in),
                                          empty(s_.rows, s_.in),
                                          {copies_.zeros(s_.in), copies_.zeros(s_.in)}};
  layer_norm_backward_bf16(stream_, backward);
  stream_.synchronize();

  const auto n = static_cast<double>(s_.in);
  std::vector<double> expected_y, expected_dx;
  std::vector<double> d_weight(weight.size()), d_bias(weight.size());
  for (int64_t r = 0; r < s_.rows; ++r) {
    double average = 0, variance = 0, sum = 0, projected = 0;
    for (int64_t i = 0; i < s_.in; ++i) average += at(x_, r, i, s_.in) / n;
    for (int64_t i = 0; i < s_.in; ++i) variance += std::pow(at(x_, r, i, s_.in) - average, 2) / n;
    const double scale = 1.0 / std::sqrt(variance + 1e-5);
    const auto normal = [&](int64_t i) { return (at(x_, r, i, s_.in) - average) * scale; };
    for (int64_t i = 0; i < s_.in; ++i) {
      const auto c = static_cast<size_t>(i);
      const double g = at(d_y, r, i, s_.in);
      expected_y.push_back(normal(i) * weight[c] + bias[c]);
      d_weight[c] += g * normal(i);
      d_bias[c] += g;
      sum += g * weight[c] / n;
      projected += g * weight[c] * normal(i) / n;
    }
    for (int64_t i = 0; i < s_.in; ++i) {
      const double g = at(d_y, r, i, s_.in) * weight[static_cast<size_t>(i)];
      expected_dx.push_back(at(residual, r, i, s_.in) + (g - sum - normal(i) * projected) * scale);
    }
  }
  const double tolerance = bf16_tolerance("layer_norm", Pass::kForward);
  EXPECT_LT(relative_l2(values(y), expected_y), tolerance);
  EXPECT_EQ(values(y), values(backward.y));
  EXPECT_LT(relative_l2(download(dx.data, s_.rows * s_.in), expected_dx), 1e-5);
  EXPECT_LT(relative_l2(values(backward.dx_rounded), expected_dx), tolerance);
  EXPECT_LT(relative_l2(download(backward.gradients.weight, s_.in), d_weight), 1e-5);
  EXPECT_LT(relative_l2(download(backward.gradients.bias, s_.in), d_bias), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Shapes, LinearBf16,
                         ::testing::Values(Shape{1, 8, 8}, Shape{5, 72, 24}, Shape{130, 64, 200},
                                           Shape{300, 256, 64}, Shape{777, 40, 136}));

TEST(LinearBf16Choice, TilesFillTheDeviceAndPartsStayDeep) {
  EXPECT_EQ(bf16_tile(26880, 256, 1), 128);  // 420 tiles
  EXPECT_EQ(bf16_tile(1280, 256, 1), 64);    // 20 tiles of 128 leave most of the device idle
  EXPECT_EQ(bf16_tile(512000, 32, 1), 64);   // columns that fill no tile of 128
  EXPECT_EQ(bf16_parts(256, 256, 26880), 66);
  EXPECT_EQ(bf16_parts(32, 64, 512000), 264);
  EXPECT_EQ(bf16_parts(1024, 256, 26880), 17);
  EXPECT_EQ(bf16_parts(256, 256, 200), 1);
}

}  // namespace
}  // namespace longer::testing
