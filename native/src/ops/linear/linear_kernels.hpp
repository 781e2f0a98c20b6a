#pragma once
#include <cstdint>

#include "core/cpu_tier.hpp"

namespace longer {

/// P, the columns of a packed panel.
inline constexpr int64_t kLinearPanel = 32;

/// A block of y = act(x·panels + start) + residual.
struct LinearBlock {
  const float* x;
  int64_t x_stride;
  const float* panels;  // [⌈cols/P⌉, depth, P]
  const float* bias;    // [cols rounded up to P], or null: start at 0, or at y with `adds`
  int64_t depth;
  float* y;
  int64_t y_stride;
  int64_t rows, cols;
  bool adds;
  bool has_gelu;
  const float* residual;  // or null
  int64_t residual_stride;
  float* pre_activation;  // or null
  int64_t pre_activation_stride;
};

/// A block of d_weight (+)= dyᵀ·x and d_bias (+)= column sums of dy, over rows in order.
struct LinearWeightsBlock {
  const float* dy;
  int64_t dy_stride;
  const float* x;
  int64_t x_stride;
  int64_t rows;
  float* d_weight;
  int64_t d_weight_stride;
  float* d_bias;  // or null
  int64_t outs, ins;
  bool adds;
  float* scratch;  // [linear_weights_scratch(outs, ins)]
};
/// Rows packed at a time: 128 rows of a panel are 16 KiB, half a first-level cache.
inline constexpr int64_t kLinearWeightsRows = 128;
constexpr int64_t linear_weights_scratch(int64_t outs, int64_t ins) {
  const int64_t panels =
      (outs + kLinearPanel - 1) / kLinearPanel + (ins + kLinearPanel - 1) / kLinearPanel;
  return kLinearWeightsRows * kLinearPanel * panels;
}

/// Rows of a matrix each in its own place.
struct ElementwiseBlock {
  const float* x;
  int64_t x_stride;
  const float* dy;  // gelu_backward only
  int64_t dy_stride;
  float* y;
  int64_t y_stride;
  int64_t rows, cols;
};

/// What each tier implements.
struct LinearKernels {
  void (*forward)(const LinearBlock&);
  void (*weights)(const LinearWeightsBlock&);
  /// weight [out, in], rows `stride` apart → [⌈out/P⌉, in, P] and [⌈in/P⌉, out, P], zero padded.
  void (*pack_transposed)(const float* weight, int64_t stride, int64_t out, int64_t in,
                          float* panels);
  void (*pack)(const float* weight, int64_t stride, int64_t out, int64_t in, float* panels);
  void (*gelu_forward)(const ElementwiseBlock&);
  void (*gelu_backward)(const ElementwiseBlock&);
  /// to[0 … count) += from[0 … count)
  void (*add)(const float* from, float* to, int64_t count);
};

namespace portable {
extern const LinearKernels kLinearKernels;
}
namespace avx2 {
extern const LinearKernels kLinearKernels;
}
namespace avx512 {
extern const LinearKernels kLinearKernels;
}

inline const LinearKernels& linear_kernels() {
  return for_cpu_tier(portable::kLinearKernels, avx2::kLinearKernels, avx512::kLinearKernels);
}

}  // namespace longer
