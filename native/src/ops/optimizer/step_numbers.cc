#include "ops/optimizer/step_numbers.hpp"

#include <cmath>

namespace longer {

AdamwCoefficients adamw_coefficients(const AdamwRates& rates, int64_t step, bool is_decayed) {
  const auto t = static_cast<double>(step);
  AdamwCoefficients c{};
  c.gradient_scale = 1.0F;
  c.beta1 = static_cast<float>(rates.beta1);
  c.beta2 = static_cast<float>(rates.beta2);
  c.rest1 = static_cast<float>(1.0 - rates.beta1);
  c.rest2 = static_cast<float>(1.0 - rates.beta2);
  c.epsilon = static_cast<float>(rates.epsilon);
  c.step_size = static_cast<float>(rates.learning_rate / (1.0 - std::pow(rates.beta1, t)));
  c.second_correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(rates.beta2, t)));
  c.shrink = is_decayed ? static_cast<float>(1.0 - rates.learning_rate * rates.weight_decay) : 1.0F;
  return c;
}

}  // namespace longer
