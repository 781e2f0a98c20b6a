#pragma once
#include <cstdint>

#include "core/bf16.hpp"
#include "ops/event_encoder/event_encoder.hpp"
#include "ops/event_encoder/fused_event_encoder_cuda.hpp"

/// What the one-kernel event encoder reads, and where in shared memory it lies.
namespace longer {

/// A table that events read by row, −1 = missing.
struct FusedFeature {
  const int32_t* rows;  // [N]
  const Bf16*
      projected;       // [rows of the table, 2d] times its columns of fc1, in lane order; or null
  const float* table;  // [rows of the table, width] otherwise, width a multiple of 16
  int width;
};

struct FusedEvents {
  int num_groups, merge_factor;
  const int32_t* group_offsets;  // [groups + 1]
  const int32_t* slots;          // [N]
  int num_features;
  FusedFeature features[kMaxFusedFeatures];
  const uint4* weights;  // fragments, then vectors, as FusedLayout says
  int table_steps;       // Σ width / 16 of features that are not projected
  float* merged;         // [groups, K · d]
};

/// Weights as fragments of a warp: units of 32 lanes × 8 bytes, then vectors in floats. The gelus'
/// factor one half and the norms' scale and shift are part of the maps behind them.
template <int kD>
struct FusedLayout {
  static constexpr int kSteps = kD / 16;  // of the inner dimension
  static constexpr int kTiles = kD / 8;   // of columns
  // first units of the maps: [tiles of columns][steps], fc1 of tables [steps][tiles]
  static constexpr int kFc2 = 0;
  static constexpr int kQuery = kFc2 + kTiles * 2 * kSteps;
  static constexpr int kKey = kQuery + kTiles * kSteps;
  static constexpr int kValue = kKey + kTiles * kSteps;  // A fragments: two units each
  static constexpr int kOut = kValue + 2 * kSteps * kSteps;
  static constexpr int kHidden = kOut + kTiles * kSteps;
  static constexpr int kResult = kHidden + 4 * kTiles * kSteps;
  static constexpr int kTables = kResult + 4 * kTiles * kSteps;
  static constexpr int units(int table_steps) { return kTables + 2 * kTiles * table_steps; }
  // first floats of the vectors
  static constexpr int kFc1Bias = 0;
  static constexpr int kFc2Bias = 2 * kD;
  static constexpr int kQkvBias = 3 * kD;
  static constexpr int kOutBias = 6 * kD;
  static constexpr int kHiddenBias = 7 * kD;
  static constexpr int kResultBias = 11 * kD;
  static constexpr int kSlot = 12 * kD;  // [K, d]
  static constexpr int floats(int merge_factor) { return kSlot + merge_factor * kD; }
  static constexpr int bytes(int table_steps, int merge_factor) {
    return units(table_steps) * 256 + floats(merge_factor) * 4;
  }
};

/// Column of fc1's result that stands at `place` of a projected row: a lane's columns 8n + 2q and
/// 8n + 2q + 1 of all n lie side by side.
template <int kD>
__host__ __device__ constexpr int projected_column(int place) {
  const int q = place / (2 * kD / 4);
  const int in_lane = place % (2 * kD / 4);
  return in_lane / 2 * 8 + 2 * q + in_lane % 2;
}

}  // namespace longer
