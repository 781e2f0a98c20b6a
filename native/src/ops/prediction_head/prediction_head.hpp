#pragma once
#include <cstdint>

#include "core/matrix.hpp"
#include "ops/dropout/dropout.hpp"
#include "ops/optimizer/step_numbers.hpp"
#include "ops/side_layout.hpp"
#include "ops/weights.hpp"

namespace longer {

/// Final norm and MLP over a candidate's rows, its request's rows and what the head takes from the
/// history (native/docs/model.md, "Head").
///
/// fc1's columns are split by whose rows they read, so that each part is computed as often as its
/// rows exist: hidden = (W_candidate·x + b) + (W_request·x + W_history·x).
struct PredictionHeadWeights {
  NormWeights ln;
  LinearWeights fc1_history;  // D × slots·D; in = 0 where the head takes nothing from the history
  LinearWeights fc1_request;  // D × request_rows·D; in may be 0
  LinearWeights fc1_candidate;  // D × block_rows·D, with the bias
  LinearWeights fc2;
};
struct PredictionHeadGradients {
  NormGradients ln;
  LinearGradients fc1_history, fc1_request, fc1_candidate, fc2;
};

/// The history's share of fc1: from the query rows after the last layer, rows [ΣQ, D] → share [B,
/// D]. Candidates do not change it: serving caches it.
///
/// num_slots > 0: a request's input is that many slots of D, its newest row in the last slot, zeros
/// before its oldest. num_slots = 0: the mean of its rows, zeros if it has none. Kept for backward:
/// normed [ΣQ, D], mean and rstd [ΣQ], input [B, max(1, num_slots)·D].
struct HistoryHeadForward {
  const PredictionHeadWeights* weights = nullptr;
  int64_t num_slots = 0;
  int64_t num_requests = 0;
  const int32_t* query_offsets = nullptr;  // [B + 1]
  ConstMatrixView rows;
  MatrixView normed, input;
  float* mean = nullptr;
  float* rstd = nullptr;
  MatrixView share;
};

/// Gradients are ADDED to; d_rows [ΣQ, D] is set.
struct HistoryHeadBackward {
  HistoryHeadForward forward;
  ConstMatrixView d_share;
  PredictionHeadGradients gradients;
  MatrixView d_rows;
};

/// side [rows of the layout, D] → logits [ΣC, tasks]. A block's last `user_rows` rows are the
/// candidate's own user tokens: in fc1 they stand before its other rows. history_share [B, D] or
/// empty. Kept for backward: normed [side rows, D], mean and rstd [side rows], request_input [B,
/// request_rows·D], candidate_input [ΣC, block_rows·D], hidden_pre [ΣC, D].
struct PredictionHeadForward {
  const PredictionHeadWeights* weights = nullptr;
  SideLayout layout;
  int64_t user_rows = 0;
  ConstMatrixView history_share;
  ConstMatrixView side;
  MatrixView normed, request_input, candidate_input, hidden_pre;
  float* mean = nullptr;
  float* rstd = nullptr;
  MatrixView logits;
  Dropout dropout = {};  // of the hidden activations; one row per candidate
};

/// Gradients are ADDED to; d_side [side rows, D] is set, d_history_share [B, D] too unless empty.
struct PredictionHeadBackward {
  PredictionHeadForward forward;
  ConstMatrixView d_logits;
  PredictionHeadGradients gradients;
  MatrixView d_side;
  MatrixView d_history_share;
};

/// Adds Σ w·t·bce over candidates and tasks with a label (NaN = none) and Σ w·t to the step's
/// numbers; d_logits is the gradient of the former / unit, which is this batch's Σ w·t where no
/// batch before had one. Sums in double, in order.
struct BinaryCrossEntropy {
  ConstMatrixView logits;                // [ΣC, tasks]
  const float* labels = nullptr;         // [tasks, ΣC]
  const float* weights = nullptr;        // [ΣC] or null = 1
  const double* task_weights = nullptr;  // [tasks]
  MatrixView d_logits;                   // [ΣC, tasks], set; 0 where there is no label
  StepNumbers* numbers = nullptr;
};

}  // namespace longer
