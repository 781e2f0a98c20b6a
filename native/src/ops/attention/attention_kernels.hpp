#pragma once
#include <cstdint>

#include "core/cpu_tier.hpp"
#include "ops/attention/visible_keys.hpp"

namespace longer {

/// Query rows of a block: they lie in the lanes of the kernels' registers.
inline constexpr int64_t kAttentionRows = 32;

/// One head's slice of consecutive key rows of a span, and of their values.
struct AttentionKeys {
  const float* keys;
  int64_t key_stride;
  const float* values;
  int64_t value_stride;
  int64_t count;
};

/// One head of at most kAttentionRows query rows over segments[0] ++ segments[1].
struct AttentionBlock {
  const float* q;  // [rows, width], at the head's columns
  int64_t q_stride;
  int64_t rows, width;
  const VisibleKeys* visible;  // [rows]
  AttentionKeys segments[2];
  float* out;  // [rows, width]
  int64_t out_stride;
  float* lse;  // [rows] with stride lse_stride, or null
  int64_t lse_stride;
  float* scratch;  // attention_scratch(keys, own keys, width) floats, 64-byte aligned
};

/// Its gradient. d_q is set, the others are added to.
struct AttentionGradientBlock {
  AttentionBlock forward;
  const float* d_out;
  int64_t d_out_stride;
  float* d_q;
  int64_t d_q_stride;
  float* d_keys[2];
  int64_t d_key_stride[2];
  float* d_values[2];
  int64_t d_value_stride[2];
};

/// Floats of scratch for a block over `keys` keys whose rows see at most `own_keys` in their second
/// range: scores, their gradients, and four [width, rows] panels.
constexpr int64_t attention_scratch(int64_t keys, int64_t own_keys, int64_t width) {
  return kAttentionRows * (2 * keys + 2 * own_keys + 4 * width + 2);
}

struct AttentionKernels {
  void (*forward)(const AttentionBlock&);
  void (*backward)(const AttentionGradientBlock&);
};

namespace portable {
extern const AttentionKernels kAttentionKernels;
}
namespace avx2 {
extern const AttentionKernels kAttentionKernels;
}
namespace avx512 {
extern const AttentionKernels kAttentionKernels;
}

inline const AttentionKernels& attention_kernels() {
  return for_cpu_tier(portable::kAttentionKernels, avx2::kAttentionKernels,
                      avx512::kAttentionKernels);
}

}  // namespace longer
