#pragma once
#include <cstdint>
#include <vector>

#include "core/matrix.hpp"
#include "ops/feature_input/feature_input.hpp"
#include "ops/weights.hpp"

namespace longer {

/// Weights of the side rows: CLS tokens, user global, candidates (native/docs/model.md, "Global and
/// candidate rows").
struct GlobalTokensWeights {
  const float* cls = nullptr;  // [num_cls, D]
  int64_t num_cls = 0;
  std::vector<TableView> user_tables;       // user then context features, in concatenation order
  const float* user_time_bucket = nullptr;  // [time_buckets + 1, T]
  int64_t time_width = 0;                   // T
  LinearWeights user;                       // D × (user feature widths + T)
  std::vector<TableView> candidate_tables;
  LinearWeights candidate;  // D × candidate feature widths
};

/// What feeds the side rows. Request b owns side rows [side_offsets[b],
/// side_offsets[b+1]): CLS …, the user global, then its candidates.
struct GlobalTokensInputs {
  int64_t num_requests = 0;
  int64_t num_candidates = 0;
  const FeatureValues* user_features = nullptr;       // [user then context features] of B rows
  const int32_t* user_time_buckets = nullptr;         // [B]
  const FeatureValues* candidate_features = nullptr;  // [candidate features] of ΣC rows
  const int32_t* side_offsets = nullptr;              // [B + 1]
};

/// side [Σ(G + C), D]. The concatenated inputs are outputs too: user_input [B, U + T],
/// candidate_input [ΣC, W]; backward reads them.
struct GlobalTokensForward {
  GlobalTokensInputs inputs;
  const GlobalTokensWeights* weights = nullptr;
  MatrixView user_input, candidate_input;
  MatrixView side;
};

/// d_cls and the linear gradients are ADDED to; d_user_input and d_candidate_input are set.
struct GlobalTokensBackward {
  GlobalTokensForward forward;
  ConstMatrixView d_side;
  float* d_cls = nullptr;
  LinearGradients d_user, d_candidate;
  MatrixView d_user_input, d_candidate_input;
};

}  // namespace longer
