#include "training/trainer_options.hpp"

#include <algorithm>
#include <cmath>

#include "longer/error.hpp"

namespace longer {

void check_options(const TrainerOptions& o) {
  auto check = [](bool holds, const char* name, double value, const char* wanted) {
    check_argument(holds, "[trainer_options] ", name, " must be ", wanted, "; got ", value);
  };
  auto not_negative = [&check](const char* name, double value) {
    check(std::isfinite(value) && value >= 0, name, value, "finite and not negative");
  };
  auto choice = [&check](const char* name, auto value, auto last, const char* wanted) {
    const auto number = static_cast<int64_t>(value);
    check(number >= 0 && number <= static_cast<int64_t>(last), name, static_cast<double>(number),
          wanted);
  };
  not_negative("learning_rate", o.learning_rate);
  not_negative("table_learning_rate", o.table_learning_rate);
  check(o.beta1 >= 0 && o.beta1 < 1, "beta1", o.beta1, "in [0, 1)");
  check(o.beta2 >= 0 && o.beta2 < 1, "beta2", o.beta2, "in [0, 1)");
  check(std::isfinite(o.epsilon) && o.epsilon > 0, "epsilon", o.epsilon, "finite and positive");
  check(std::isfinite(o.table_epsilon) && o.table_epsilon > 0, "table_epsilon", o.table_epsilon,
        "finite and positive");
  not_negative("weight_decay", o.weight_decay);
  not_negative("clip_norm", o.clip_norm);
  check(o.warmup_steps >= 0, "warmup_steps", static_cast<double>(o.warmup_steps), "not negative");
  check(o.decay_steps >= 0, "decay_steps", static_cast<double>(o.decay_steps), "not negative");
  check(o.decay_floor >= 0 && o.decay_floor <= 1, "decay_floor", o.decay_floor, "in [0, 1]");
  choice("recomputation", o.recomputation, Recomputation::kFull, "0, 1 or 2");
  choice("nonfinite", o.nonfinite, OnNonfinite::kFail, "0 or 1");
  choice("precision", o.precision, Precision::kBf16, "0 or 1");
}

double learning_rate_factor(const TrainerOptions& o, int64_t step) {
  double factor = 1.0;
  if (o.warmup_steps > 0) {
    factor = std::min(1.0, static_cast<double>(step) / static_cast<double>(o.warmup_steps));
  }
  if (o.decay_steps > 0) {
    constexpr double kPi = 3.141592653589793238462643383279;
    const double progress =
        std::min(1.0, static_cast<double>(step) / static_cast<double>(o.decay_steps));
    factor *= o.decay_floor + (1.0 - o.decay_floor) * 0.5 * (1.0 + std::cos(kPi * progress));
  }
  return factor;
}

}  // namespace longer
