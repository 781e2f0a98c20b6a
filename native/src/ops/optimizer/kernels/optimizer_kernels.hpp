#pragma once
#include <cstdint>

namespace longer {

/// Coefficients of one AdamW step, bias corrections folded in.
struct AdamwCoefficients {
  float gradient_scale, beta1, beta2, epsilon;
  float step_size;         // lr / (1 − β₁ᵗ)
  float second_correction; // 1 / √(1 − β₂ᵗ)
  float shrink;            // 1 − lr·λ, or 1
};

struct OptimizerKernels {
  void (*adamw)(const AdamwCoefficients& c, const float* gradients, float* weights, float* first, float* second,
                int64_t count);
  double (*squared_sum)(const float* x, int64_t count);
};

namespace portable {
extern const OptimizerKernels kOptimizerKernels;
}
namespace avx2 {
extern const OptimizerKernels kOptimizerKernels;
}
namespace avx512 {
extern const OptimizerKernels kOptimizerKernels;
}

}  // namespace longer
