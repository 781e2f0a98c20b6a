#pragma once
#include <cstdint>

#include "core/cpu_tier.hpp"
#include "ops/optimizer/adamw_coefficients.hpp"

namespace longer {

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
