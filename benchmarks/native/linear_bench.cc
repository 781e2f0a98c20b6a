#include <cmath>
#include <cstdlib>
#include <vector>

#include "core/random.hpp"
#include "ops/linear/linear.hpp"
#include "reporter.hpp"

namespace longer::bench {
namespace {

struct Shape {
  int64_t rows, in, out;
};

struct Data {
  explicit Data(const Shape& s)
      : x(values(s.rows * s.in, 1)),
        y(values(s.rows * s.out, 2)),
        weight(values(s.out * s.in, 3)),
        d_weight(weight.size()),
        d_bias(static_cast<size_t>(s.out)) {
    packed.pack(weight.data(), nullptr, s.out, s.in, PackFor::kTraining);
  }
  static std::vector<float> values(int64_t count, uint64_t stream) {
    std::vector<float> result(static_cast<size_t>(count));
    fill_normal(1, stream, 0, 1.0F, result.data(), count);
    return result;
  }
  std::vector<float> x, y, weight, d_weight, d_bias;
  PackedLinear packed;
};

/// The first and last element against a double-precision sum: a benchmark of wrong results is worth
/// nothing.
void verify(const Shape& s, const Data& data) {
  for (const auto& [row, col] : {std::pair<int64_t, int64_t>{0, 0}, {s.rows - 1, s.out - 1}}) {
    double expected = 0.0;
    for (int64_t i = 0; i < s.in; ++i) {
      expected += static_cast<double>(data.x[static_cast<size_t>(row * s.in + i)]) *
                  static_cast<double>(data.weight[static_cast<size_t>(col * s.in + i)]);
    }
    if (std::abs(static_cast<double>(data.y[static_cast<size_t>(row * s.out + col)]) - expected) >
        1e-3) {
      std::fprintf(stderr, "linear_forward gives wrong results\n");
      std::exit(1);
    }
  }
}

}  // namespace

void bench_linear(ThreadPool* pool, Reporter& reporter) {
  const Shape shapes[] = {{4096, 256, 256}, {4096, 256, 1024}, {4096, 1024, 256}, {1024, 256, 768},
                          {512, 48, 64},    {8192, 48, 64},    {8192, 64, 32},    {8192, 32, 96},
                          {8192, 32, 32},   {8192, 32, 128},   {8192, 128, 32},   {32, 256, 256},
                          {10, 256, 1024},  {3, 256, 256},     {1, 256, 1024},    {1, 1024, 256}};
  for (const Shape& s : shapes) {
    Data data(s);
    const ConstMatrixView x{data.x.data(), s.rows, s.in, s.in};
    const MatrixView y{data.y.data(), s.rows, s.out, s.out};
    const MatrixView dx{data.x.data(), s.rows, s.in, s.in};
    const auto rows = static_cast<double>(s.rows);
    const double flops = 2.0 * rows * static_cast<double>(s.in * s.out);
    const double bytes =
        4.0 * (rows * static_cast<double>(s.in + s.out) + static_cast<double>(s.in * s.out));
    const std::string shape = "[" + std::to_string(s.rows) + ", " + std::to_string(s.in) + "] -> " +
                              std::to_string(s.out);
    linear_forward(pool, {x, &data.packed, y, Activation::kNone, {}, {}});
    verify(s, data);
    const auto forward = [&](Activation activation) {
      return measure(pool, [&, activation] {
        linear_forward(pool, {x, &data.packed, y, activation, {}, {}});
      });
    };
    reporter.add("linear_forward", shape, forward(Activation::kNone), flops, bytes);
    reporter.add("linear_forward gelu", shape, forward(Activation::kGelu), flops, bytes);
    reporter.add(
        "linear_backward_weights", shape,
        measure(
            pool,
            [&] { linear_backward_weights(pool, x, y, data.d_weight.data(), data.d_bias.data()); }),
        flops, bytes);
    reporter.add(
        "linear_backward_input", shape,
        measure(pool, [&] { linear_backward_input(pool, y, data.packed, dx, Write::kSet); }), flops,
        bytes);
  }
  Data data({4096, 1024, 1024});
  const MatrixView y{data.y.data(), 4096, 1024, 1024};
  const MatrixView x{data.x.data(), 4096, 1024, 1024};
  const double elements = 4096.0 * 1024.0;
  reporter.add("gelu_forward", "[4096, 1024]", measure(pool, [&] { gelu_forward(pool, x, y); }),
               0.0, 8.0 * elements);
  reporter.add("gelu_backward", "[4096, 1024]",
               measure(pool, [&] { gelu_backward(pool, x, y, y); }), 0.0, 12.0 * elements);
  reporter.add(
      "linear_pack", "[1024, 1024]",
      measure(
          pool,
          [&] { data.packed.pack(data.weight.data(), nullptr, 1024, 1024, PackFor::kTraining); }),
      0.0, 12.0 * 1024.0 * 1024.0);
}

}  // namespace longer::bench
