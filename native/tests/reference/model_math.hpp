#pragma once
// Row arithmetic of the whole-model reference: plain loops in double, forward and backward side by
// side.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <vector>

namespace longer::model_reference {

using Vector = std::vector<double>;
using Rows = std::vector<Vector>;

/// A growable table: the rows that exist, by id, and the row every other id reads.
struct Table {
  std::map<int64_t, Vector> rows;
  Vector out_of_vocabulary;
};

/// All values of a model by name, or one gradient (or moment) for each of them. Gradients of
/// growable tables hold the rows that a batch touched and no others.
struct Weights {
  std::map<std::string, Vector> dense;  ///< row-major, names and shapes of native/docs/model.md
  std::map<std::string, Table> tables;  ///< growable tables by table name

  const Vector& at(const std::string& name) const { return dense.at(name); }
  Vector& at(const std::string& name) { return dense.at(name); }
};

inline Vector concat(const Vector& a, const Vector& b) {
  Vector all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

inline Vector sum(const Vector& a, const Vector& b) {
  Vector result = a;
  for (size_t i = 0; i < a.size(); ++i) result[i] += b[i];
  return result;
}

inline Vector scaled(const Vector& values, double factor) {
  Vector result = values;
  for (double& value : result) value *= factor;
  return result;
}

inline void add_to(Vector& target, const Vector& values, size_t offset = 0) {
  for (size_t i = 0; i < values.size(); ++i) target[offset + i] += values[i];
}

inline Vector slice(const Vector& values, size_t begin, size_t count) {
  const auto first = values.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

inline Rows zeros_like(const Rows& rows) {
  Rows zeros = rows;
  for (Vector& row : zeros) row.assign(row.size(), 0.0);
  return zeros;
}

// ---- linear map: y = W·x + b, W [out, in]
// ------------------------------------------------------------------------------

inline Vector linear(const Weights& w, const std::string& name, const Vector& x) {
  const Vector& weight = w.at(name + ".weight");
  Vector y = w.at(name + ".bias");
  for (size_t o = 0; o < y.size(); ++o) {
    for (size_t i = 0; i < x.size(); ++i) y[o] += weight[o * x.size() + i] * x[i];
  }
  return y;
}

/// Adds to the gradients of W and b; returns that of x.
inline Vector linear_backward(const Weights& w, const std::string& name, const Vector& x,
                              const Vector& d_y, Weights& gradients) {
  const Vector& weight = w.at(name + ".weight");
  Vector& d_weight = gradients.at(name + ".weight");
  Vector& d_bias = gradients.at(name + ".bias");
  Vector d_x(x.size(), 0.0);
  for (size_t o = 0; o < d_y.size(); ++o) {
    d_bias[o] += d_y[o];
    for (size_t i = 0; i < x.size(); ++i) {
      d_weight[o * x.size() + i] += d_y[o] * x[i];
      d_x[i] += d_y[o] * weight[o * x.size() + i];
    }
  }
  return d_x;
}

// ---- layer norm: y = (x − mean) / √(variance + ε) · weight + bias
// ---------------------------------------------------------

inline constexpr double kLayerNormEpsilon = 1e-5;

/// x normalised, before weight and bias; *deviation = √(variance + ε).
inline Vector normalize(const Vector& x, double* deviation) {
  const auto n = static_cast<double>(x.size());
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
  double variance = 0.0;
  for (double value : x) variance += (value - mean) * (value - mean) / n;
  *deviation = std::sqrt(variance + kLayerNormEpsilon);
  Vector normal(x.size());
  for (size_t i = 0; i < x.size(); ++i) normal[i] = (x[i] - mean) / *deviation;
  return normal;
}

inline Vector layer_norm(const Weights& w, const std::string& name, const Vector& x) {
  const Vector& weight = w.at(name + ".weight");
  const Vector& bias = w.at(name + ".bias");
  double deviation = 0.0;
  Vector y = normalize(x, &deviation);
  for (size_t i = 0; i < y.size(); ++i) y[i] = y[i] * weight[i] + bias[i];
  return y;
}

inline Vector layer_norm_backward(const Weights& w, const std::string& name, const Vector& x,
                                  const Vector& d_y, Weights& gradients) {
  const Vector& weight = w.at(name + ".weight");
  Vector& d_weight = gradients.at(name + ".weight");
  Vector& d_bias = gradients.at(name + ".bias");
  const auto n = static_cast<double>(x.size());
  double deviation = 0.0;
  const Vector normal = normalize(x, &deviation);
  double mean_d = 0.0;         // mean of the normalised row's gradient
  double mean_d_normal = 0.0;  // mean of it times the normalised row
  for (size_t i = 0; i < x.size(); ++i) {
    d_weight[i] += d_y[i] * normal[i];
    d_bias[i] += d_y[i];
    mean_d += d_y[i] * weight[i] / n;
    mean_d_normal += d_y[i] * weight[i] * normal[i] / n;
  }
  Vector d_x(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    d_x[i] = (d_y[i] * weight[i] - mean_d - normal[i] * mean_d_normal) / deviation;
  }
  return d_x;
}

// ---- gelu, tanh form
// ------------------------------------------------------------------------------------------------------

inline const double kGeluScale = std::sqrt(2.0 / std::acos(-1.0));
inline constexpr double kGeluCubic = 0.044715;

inline Vector gelu(const Vector& u) {
  Vector y(u.size());
  for (size_t i = 0; i < u.size(); ++i) {
    y[i] = 0.5 * u[i] * (1.0 + std::tanh(kGeluScale * (u[i] + kGeluCubic * u[i] * u[i] * u[i])));
  }
  return y;
}

inline Vector gelu_backward(const Vector& u, const Vector& d_y) {
  Vector d_u(u.size());
  for (size_t i = 0; i < u.size(); ++i) {
    const double t = std::tanh(kGeluScale * (u[i] + kGeluCubic * u[i] * u[i] * u[i]));
    const double inner = kGeluScale * (1.0 + 3.0 * kGeluCubic * u[i] * u[i]);
    d_u[i] = d_y[i] * (0.5 * (1.0 + t) + 0.5 * u[i] * (1.0 - t * t) * inner);
  }
  return d_u;
}

}  // namespace longer::model_reference
