#pragma once
// Optimizer steps on one value or one row, in double.
#include <cmath>
#include <cstddef>
#include <vector>

namespace longer::reference {

struct AdamwRates {
  double learning_rate, beta1, beta2, epsilon, weight_decay;
};

/// One AdamW step of one weight; `step` counts from 1.
inline void adamw(const AdamwRates& r, int step, double gradient, double& weight, double& m,
                  double& v) {
  m = r.beta1 * m + (1.0 - r.beta1) * gradient;
  v = r.beta2 * v + (1.0 - r.beta2) * gradient * gradient;
  const double m_hat = m / (1.0 - std::pow(r.beta1, step));
  const double v_hat = v / (1.0 - std::pow(r.beta2, step));
  weight -= r.learning_rate * (m_hat / (std::sqrt(v_hat) + r.epsilon) + r.weight_decay * weight);
}

/// One row-wise Adagrad step of `row`.
inline void row_wise_adagrad(double learning_rate, double epsilon,
                             const std::vector<double>& gradient, double* row, double& state) {
  double squares = 0.0;
  for (const double g : gradient) squares += g * g;
  state += squares / static_cast<double>(gradient.size());
  for (size_t c = 0; c < gradient.size(); ++c) {
    row[c] -= learning_rate * gradient[c] / (std::sqrt(state) + epsilon);
  }
}

}  // namespace longer::reference
