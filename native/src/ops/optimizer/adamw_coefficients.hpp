#pragma once

namespace longer {

/// Coefficients of one AdamW step, bias corrections folded in.
struct AdamwCoefficients {
  float gradient_scale, beta1, beta2, epsilon;
  float rest1, rest2;       // 1 − β, rounded once: 1 − 0.999 in floats is 1e-5 off
  float step_size;          // lr / (1 − β₁ᵗ)
  float second_correction;  // 1 / √(1 − β₂ᵗ)
  float shrink;             // 1 − lr·λ, or 1
};

}  // namespace longer
