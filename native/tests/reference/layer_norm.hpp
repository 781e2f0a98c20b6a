#pragma once
// Layer norm in plain double-precision loops.
#include <cmath>
#include <cstddef>
#include <vector>

namespace longer::reference {

struct LayerNorm {
  std::vector<double> y;     // [rows, cols]
  std::vector<double> mean;  // [rows]
  std::vector<double> rstd;  // [rows]
};

/// (x − mean) / √(variance + 1e−5) · weight + bias over each row; biased variance.
inline LayerNorm layer_norm(const std::vector<double>& x, const std::vector<double>& weight,
                            const std::vector<double>& bias, size_t rows) {
  const size_t cols = weight.size();
  LayerNorm result{std::vector<double>(rows * cols), std::vector<double>(rows),
                   std::vector<double>(rows)};
  for (size_t r = 0; r < rows; ++r) {
    double mean = 0.0;
    for (size_t c = 0; c < cols; ++c) mean += x[r * cols + c] / static_cast<double>(cols);
    double variance = 0.0;
    for (size_t c = 0; c < cols; ++c) {
      variance += (x[r * cols + c] - mean) * (x[r * cols + c] - mean) / static_cast<double>(cols);
    }
    result.mean[r] = mean;
    result.rstd[r] = 1.0 / std::sqrt(variance + 1e-5);
    for (size_t c = 0; c < cols; ++c) {
      result.y[r * cols + c] = (x[r * cols + c] - mean) * result.rstd[r] * weight[c] + bias[c];
    }
  }
  return result;
}

struct LayerNormGradient {
  std::vector<double> x;       // [rows, cols]
  std::vector<double> weight;  // [cols]
  std::vector<double> bias;    // [cols]
};

inline LayerNormGradient layer_norm_backward(const std::vector<double>& x,
                                             const std::vector<double>& weight,
                                             const std::vector<double>& dy, size_t rows) {
  const size_t cols = weight.size();
  const LayerNorm forward = layer_norm(x, weight, std::vector<double>(cols), rows);
  LayerNormGradient g{std::vector<double>(rows * cols), std::vector<double>(cols),
                      std::vector<double>(cols)};
  for (size_t r = 0; r < rows; ++r) {
    double mean_gradient = 0.0;
    double mean_product = 0.0;
    for (size_t c = 0; c < cols; ++c) {
      const double normed = (x[r * cols + c] - forward.mean[r]) * forward.rstd[r];
      const double gradient = dy[r * cols + c] * weight[c];
      mean_gradient += gradient / static_cast<double>(cols);
      mean_product += gradient * normed / static_cast<double>(cols);
      g.weight[c] += dy[r * cols + c] * normed;
      g.bias[c] += dy[r * cols + c];
    }
    for (size_t c = 0; c < cols; ++c) {
      const double normed = (x[r * cols + c] - forward.mean[r]) * forward.rstd[r];
      g.x[r * cols + c] =
          forward.rstd[r] * (dy[r * cols + c] * weight[c] - mean_gradient - normed * mean_product);
    }
  }
  return g;
}

}  // namespace longer::reference
