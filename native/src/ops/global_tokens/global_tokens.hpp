#pragma once
#include <cstdint>
#include <vector>

#include "core/matrix.hpp"
#include "ops/feature_input/feature_input.hpp"
#include "ops/side_layout.hpp"
#include "ops/weights.hpp"

namespace longer {

/// Columns [begin, end) of a row of concatenated features.
struct ColumnRange {
  int64_t begin, end;
};

/// One token: a linear map D × W over columns of the features' concatenation.
struct TokenWeights {
  std::vector<ColumnRange> columns;  // side by side they are the map's input
  LinearWeights linear;
};

/// Weights of the side rows: CLS tokens, user tokens, candidate tokens (native/docs/model.md,
/// "Global and candidate rows").
struct GlobalTokensWeights {
  const float* cls = nullptr;  // [num_cls, D]
  int64_t num_cls = 0;
  std::vector<TableView> user_tables;       // user then context features, in concatenation order
  const float* user_time_bucket = nullptr;  // [time_buckets + 1, T]; null without user tokens
  int64_t time_width = 0;                   // T; 0 without user tokens
  int64_t user_width = 0;                   // U, of all user and context features
  std::vector<TokenWeights> user_tokens;    // over [features (U); time bucket (T)]
  std::vector<TableView> candidate_tables;
  int64_t candidate_width = 0;                 // W, of all candidate features
  std::vector<TokenWeights> candidate_tokens;  // over [features (W)]
};

/// What feeds the side rows. A request's rows are CLS …, then the user tokens where all
/// candidates share them; a candidate's block is its tokens, then its own user tokens where it has
/// them.
struct GlobalTokensInputs {
  int64_t num_candidates = 0;
  const FeatureValues* user_features = nullptr;       // [user then context features] of B rows
  const int32_t* user_time_buckets = nullptr;         // [B]
  const FeatureValues* candidate_features = nullptr;  // [candidate features] of ΣC rows
  SideLayout layout;
};

/// side [rows of the layout, D]. The concatenated inputs are outputs too: user_input [B, U + T],
/// candidate_input [ΣC, W]; backward reads them.
struct GlobalTokensForward {
  GlobalTokensInputs inputs;
  const GlobalTokensWeights* weights = nullptr;
  MatrixView user_input, candidate_input;
  MatrixView side;
};

/// d_cls and the linear gradients, one for each token, are ADDED to; d_user_input and
/// d_candidate_input are set.
struct GlobalTokensBackward {
  GlobalTokensForward forward;
  ConstMatrixView d_side;
  float* d_cls = nullptr;
  const std::vector<LinearGradients>* d_user_tokens = nullptr;
  const std::vector<LinearGradients>* d_candidate_tokens = nullptr;
  MatrixView d_user_input, d_candidate_input;
};

}  // namespace longer
