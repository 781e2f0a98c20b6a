#pragma once
#include "core/bf16.hpp"
#include "ops/cuda_stream.hpp"

namespace longer {

/// Threads of a block; group_size · heads may not be more.
inline constexpr int64_t kGroupAttentionThreads = 256;

/// Attention inside groups of at most `group_size` rows, every row seeing its whole group.
struct GroupAttentionBf16 {
  int64_t num_groups = 0;
  int64_t group_size = 1;
  const int32_t* group_offsets = nullptr;  // [groups + 1]
  int64_t heads = 1;                       // of 8, 16 or 32 columns
  Bf16View qkv;                            // [N, 3d]: queries, keys, values
};
void group_attention_forward_bf16(cudaStream_t stream, const GroupAttentionBf16& p,
                                  const Bf16View& out);
/// d_qkv [N, 3d] is set; probabilities are computed again.
void group_attention_backward_bf16(cudaStream_t stream, const GroupAttentionBf16& p,
                                   const Bf16View& d_out, const Bf16View& d_qkv);

}  // namespace longer
