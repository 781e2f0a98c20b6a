#pragma once
#include <cstdint>
#include <vector>

#include "core/bf16.hpp"
#include "core/matrix.hpp"
#include "ops/dropout/dropout.hpp"
#include "ops/feature_input/feature_input.hpp"
#include "ops/weights.hpp"

namespace longer {

/// One InnerTransformer block: x += out·attention(qkv·LN₁(x)); x += fc2·gelu(fc1·LN₂(x)).
struct BlockWeights {
  NormWeights ln1, ln2;
  LinearWeights qkv, out, fc1, fc2;
};
struct BlockGradients {
  NormGradients ln1, ln2;
  LinearGradients qkv, out, fc1, fc2;
};

struct EventEncoderWeights {
  std::vector<TableView> tables;       // one per event feature, in concatenation order
  const float* position = nullptr;     // [max_history, X]; null without positions
  const float* time_bucket = nullptr;  // [time_buckets + 1, T]; null when the time mode is NONE
  int64_t time_width = 0;              // T, 0 when the time mode is NONE
  int64_t num_positions = 0, num_time_buckets = 0;  // rows of the two
  LinearWeights fc1, fc2;
  const float* slot = nullptr;  // [K, d]; null without InnerTransformer
  std::vector<BlockWeights> inner;
  int64_t inner_heads = 1;
};

/// The kept events of a batch, packed without padding, request by request, oldest → newest.
struct EventTokens {
  int64_t num_events = 0;    // N kept
  int64_t num_groups = 0;    // ΣS
  int64_t merge_factor = 1;  // K
  const FeatureValues* features =
      nullptr;                            // [event features] of N rows; the array is in host memory
  const int32_t* positions = nullptr;     // [N]
  const int32_t* time_buckets = nullptr;  // [N]; null when the time mode is NONE
  const int32_t* group_offsets = nullptr;  // [ΣS + 1] first event of each group
  const int32_t* slots = nullptr;  // [N] slot of each event in its group, ascending inside a group
};

/// merged [ΣS, K·d] = token merge of the embedded events (native/docs/model.md, "Event token",
/// "Token merge"; LONGER §3.4). Pad slots are zeros. A group's bits depend on its own events alone.
/// tokens (optional, [N, d]): the event tokens e.
struct EventEncoderForward {
  EventTokens tokens;
  const EventEncoderWeights* weights = nullptr;
  MatrixView merged;
  float* event_tokens = nullptr;
  Dropout dropout =
      {};  // of each block's results of out and fc2; one row per event; sets its layer
  Precision precision =
      Precision::kFp32;  // wanted; the stage runs in f32 where bf16 has no kernels
};

/// Where the gradients of the event encoder go. All are ADDED to, except d_features/d_time, which
/// are set.
struct EventEncoderGradients {
  LinearGradients fc1, fc2;
  float* slot = nullptr;
  std::vector<BlockGradients> inner;
};

/// Backward: recomputes the forward pass inside, keeps no per-event activation between the passes.
/// d_features [N, X]: gradient of x (feature embeddings and position alike); d_time [N, T] (null
/// when T = 0): of the time embedding. d_event_tokens (optional, [N, d]): gradient of e. Same bits
/// for any number of threads.
struct EventEncoderBackward {
  EventTokens tokens;
  const EventEncoderWeights* weights = nullptr;
  ConstMatrixView d_merged;  // [ΣS, K·d]; entries at pad slots are ignored
  EventEncoderGradients gradients;
  float* d_features = nullptr;
  float* d_time = nullptr;
  float* d_event_tokens = nullptr;
  Dropout dropout = {};                    // as in the forward pass
  Precision precision = Precision::kFp32;  // as in the forward pass
};

}  // namespace longer
