#pragma once
#include <cstdint>

namespace longer {

/// Largest group of the token merge.
inline constexpr int64_t kMaxGroup = 16;

/// Bidirectional attention inside one group of n ≤ kMaxGroup tokens (LONGER §3.4). qkv [n, 3·width] is q | k | v, heads are
/// contiguous slices of width / heads columns, out [n, width].
struct InnerAttention {
  const float* qkv = nullptr;
  int64_t num_tokens = 0;
  int64_t width = 0;
  int64_t heads = 1;
  float* out = nullptr;
};

struct InnerAttentionKernels {
  void (*forward)(const InnerAttention& p);
  /// d_qkv [n, 3·width] is set; probabilities are recomputed.
  void (*backward)(const InnerAttention& p, const float* d_out, float* d_qkv);
};

namespace portable {
extern const InnerAttentionKernels kInnerAttentionKernels;
}
namespace avx2 {
extern const InnerAttentionKernels kInnerAttentionKernels;
}
namespace avx512 {
extern const InnerAttentionKernels kInnerAttentionKernels;
}

}  // namespace longer
