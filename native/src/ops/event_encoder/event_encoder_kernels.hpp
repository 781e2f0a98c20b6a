#pragma once
#include <cstdint>

#include "core/cpu_tier.hpp"

namespace longer {

/// Largest group of the token merge.
inline constexpr int64_t kMaxGroup = 16;

/// Bidirectional attention inside groups of consecutive tokens (LONGER §3.4).
///
/// qkv [tokens, 3·width] is q | k | v, heads are contiguous slices of width / heads columns, out
/// [tokens, width]. A group's bits depend on its own tokens and group_size alone.
struct InnerAttention {
  const float* qkv = nullptr;  // first row: that of token group_offsets[0]
  float* out = nullptr;
  const int32_t* group_offsets = nullptr;  // [num_groups + 1]
  int64_t num_groups = 0;
  int64_t group_size = 1;  // most tokens of a group, at most kMaxGroup; the least is 1
  int64_t width = 0;
  int64_t heads = 1;
};

struct EventEncoderKernels {
  void (*inner_attention_forward)(const InnerAttention& p);
  /// d_qkv [tokens, 3·width] is set; probabilities are recomputed, `out` is not read.
  void (*inner_attention_backward)(const InnerAttention& p, const float* d_out, float* d_qkv);
  /// activated = gelu(x); x becomes gelu'(x).
  void (*gelu_with_slope)(float* x, float* activated, int64_t count);
  /// to ← to · factor, and to ← to + term.
  void (*multiply)(float* to, const float* factor, int64_t count);
  void (*add)(float* to, const float* term, int64_t count);
};

namespace portable {
extern const EventEncoderKernels kEventEncoderKernels;
}
namespace avx2 {
extern const EventEncoderKernels kEventEncoderKernels;
}
namespace avx512 {
extern const EventEncoderKernels kEventEncoderKernels;
}

inline const EventEncoderKernels& event_encoder_kernels() {
  return for_cpu_tier(portable::kEventEncoderKernels, avx2::kEventEncoderKernels,
                      avx512::kEventEncoderKernels);
}

}  // namespace longer
