#pragma once
#include <cstdint>

#include "core/cpu_tier.hpp"

namespace longer {

/// A block of rows of the norm; mean and rstd [rows] or null.
struct LayerNormBlock {
  const float* x;
  int64_t x_stride;
  const float* weight;
  const float* bias;
  float* y;
  int64_t y_stride;
  float* mean;
  float* rstd;
  int64_t rows, cols;
};

/// A block of rows of its gradient; d_weight and d_bias [cols] are overwritten with this block's
/// sums.
struct LayerNormGradientBlock {
  const float* x;
  int64_t x_stride;
  const float* weight;
  const float* mean;
  const float* rstd;
  const float* dy;
  int64_t dy_stride;
  float* dx;
  int64_t dx_stride;
  bool adds;  // to dx
  float* d_weight;
  float* d_bias;
  int64_t rows, cols;
};

struct LayerNormKernels {
  void (*forward)(const LayerNormBlock&);
  void (*backward)(const LayerNormGradientBlock&);
};

namespace portable {
extern const LayerNormKernels kLayerNormKernels;
}
namespace avx2 {
extern const LayerNormKernels kLayerNormKernels;
}
namespace avx512 {
extern const LayerNormKernels kLayerNormKernels;
}

inline const LayerNormKernels& layer_norm_kernels() {
  return for_cpu_tier(portable::kLayerNormKernels, avx2::kLayerNormKernels,
                      avx512::kLayerNormKernels);
}

}  // namespace longer
