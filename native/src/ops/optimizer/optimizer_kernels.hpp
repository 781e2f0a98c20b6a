#pragma once
#include <cstdint>

#include "core/cpu_tier.hpp"

namespace longer {

/// Coefficients of one AdamW step, bias corrections folded in.
struct AdamwCoefficients {
  float gradient_scale, beta1, beta2, epsilon;
  float rest1, rest2;       // 1 − β, rounded once: 1 − 0.999 in floats is 1e-5 off
  float step_size;          // lr / (1 − β₁ᵗ)
  float second_correction;  // 1 / √(1 − β₂ᵗ)
  float shrink;             // 1 − lr·λ, or 1
};

struct AdamwStep;
AdamwCoefficients adamw_coefficients(const AdamwStep& p, bool is_decayed);

/// A run of distinct rows of one row-wise Adagrad step.
struct AdagradRows {
  float* table;            // [·, width]
  float* states;           // [·]
  const int32_t* rows;     // [num_rows]
  const float* gradients;  // [num_rows, width]
  int64_t num_rows, width;
  float learning_rate, epsilon, gradient_scale;
};

struct OptimizerKernels {
  void (*adamw)(const AdamwCoefficients& c, const float* gradients, float* weights, float* first,
                float* second, int64_t count);
  void (*adagrad)(const AdagradRows& p);
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

inline const OptimizerKernels& optimizer_kernels() {
  return for_cpu_tier(portable::kOptimizerKernels, avx2::kOptimizerKernels,
                      avx512::kOptimizerKernels);
}

}  // namespace longer
