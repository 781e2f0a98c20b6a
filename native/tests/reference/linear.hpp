#pragma once
// Linear maps and gelu in plain double-precision loops.
#include <cmath>
#include <cstddef>
#include <vector>

namespace longer::reference {

using Doubles = std::vector<double>;

/// ½u(1 + tanh(√(2/π)(u + 0.044715u³)))
inline double gelu(double u) {
  const double pi = 3.14159265358979323846;
  return 0.5 * u * (1.0 + std::tanh(std::sqrt(2.0 / pi) * (u + 0.044715 * u * u * u)));
}

inline double gelu_gradient(double u) {
  const double pi = 3.14159265358979323846;
  const double factor = std::sqrt(2.0 / pi);
  const double t = std::tanh(factor * (u + 0.044715 * u * u * u));
  return 0.5 * (1.0 + t) + 0.5 * u * (1.0 - t * t) * factor * (1.0 + 3.0 * 0.044715 * u * u);
}

/// y [rows, out] = x [rows, in] · weightᵀ + bias; weight [out, in], bias [out] or empty.
inline Doubles linear(const Doubles& x, const Doubles& weight, const Doubles& bias, size_t rows,
                      size_t in, size_t out) {
  Doubles y(rows * out);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t o = 0; o < out; ++o) {
      double sum = bias.empty() ? 0.0 : bias[o];
      for (size_t i = 0; i < in; ++i) sum += x[r * in + i] * weight[o * in + i];
      y[r * out + o] = sum;
    }
  }
  return y;
}

/// dx [rows, in] = dy · weight
inline Doubles linear_backward_input(const Doubles& dy, const Doubles& weight, size_t rows,
                                     size_t in, size_t out) {
  Doubles dx(rows * in);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t i = 0; i < in; ++i) {
      for (size_t o = 0; o < out; ++o) dx[r * in + i] += dy[r * out + o] * weight[o * in + i];
    }
  }
  return dx;
}

struct LinearGradient {
  Doubles weight;  // [out, in]
  Doubles bias;    // [out]
};

inline LinearGradient linear_backward_weights(const Doubles& x, const Doubles& dy, size_t rows,
                                              size_t in, size_t out) {
  LinearGradient g{Doubles(out * in), Doubles(out)};
  for (size_t r = 0; r < rows; ++r) {
    for (size_t o = 0; o < out; ++o) {
      g.bias[o] += dy[r * out + o];
      for (size_t i = 0; i < in; ++i) g.weight[o * in + i] += dy[r * out + o] * x[r * in + i];
    }
  }
  return g;
}

}  // namespace longer::reference
