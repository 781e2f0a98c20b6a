#pragma once
#include <cstdint>

#include "ops/optimizer/adamw_coefficients.hpp"

namespace longer {

/// Settings of AdamW (native/docs/model.md, "Optimizer") at one step.
struct AdamwRates {
  double learning_rate = 0, beta1 = 0, beta2 = 0, epsilon = 0, weight_decay = 0;
};
/// At a step, counted from 1, for parameters with or without weight decay. `gradient_scale` is 1.
AdamwCoefficients adamw_coefficients(const AdamwRates& rates, int64_t step, bool is_decayed);

/// What an update multiplies by; decide_update sets the scales of gradients.
struct UpdateRates {
  AdamwCoefficients decayed = {}, plain = {};
  float table_learning_rate = 0, table_epsilon = 0, table_gradient_scale = 1;
  double clip_norm = 0;  // 0 = off
};

/// The scalars of one optimizer step, in memory of the backend: nothing of a step waits for the
/// host. Gradients are those of Σ w·t·bce / unit; the loss of the step divides by Σ w·t over all
/// its batches.
struct StepNumbers {
  // Sums over the batches so far.
  double loss = 0;    // Σ w·t·bce
  double weight = 0;  // Σ w·t
  double unit = 0;    // the first batch's Σ w·t that is not 0; 0 = none yet
  double squares = 0;
  UpdateRates rates;
  // Set by decide_update.
  double gradient_norm = 0;
  int64_t is_skipped = 0;  // loss or gradients are not finite: the update changes nothing
};

/// The gradient's norm, whether the step is skipped, and by what gradients are multiplied, from the
/// sums. `root`: the square root of a double.
template <class Root>
constexpr void decide_update(StepNumbers& n, const Root& root) {
  // Exactly 1 for a single batch.
  const double scale = n.weight > 0 ? n.unit / n.weight : 1.0;
  n.gradient_norm = root(n.squares) * scale;
  const double loss = n.weight > 0 ? n.loss / n.weight : n.loss;
  // x − x is 0 for finite x alone.
  n.is_skipped = n.gradient_norm - n.gradient_norm != 0.0 || loss - loss != 0.0 ? 1 : 0;
  const bool is_clipped = n.rates.clip_norm > 0 && n.gradient_norm > n.rates.clip_norm;
  const auto by =
      static_cast<float>((is_clipped ? n.rates.clip_norm / n.gradient_norm : 1.0) * scale);
  n.rates.decayed.gradient_scale = n.rates.plain.gradient_scale = n.rates.table_gradient_scale = by;
}

}  // namespace longer
