#pragma once
#include <cstdint>

#include "core/matrix.hpp"
#include "ops/dropout/dropout.hpp"
#include "ops/weights.hpp"

namespace longer {

/// Final norm and MLP over each candidate's own row and its request's globals
/// (native/docs/model.md, "Head").
struct PredictionHeadWeights {
  NormWeights ln;
  LinearWeights fc1, fc2;
};
struct PredictionHeadGradients {
  NormGradients ln;
  LinearGradients fc1, fc2;
};

/// side [Σ(G + C), D] → logits [ΣC, tasks]. Kept for backward: normed [Σ(G + C), D], mean and rstd
/// [Σ(G + C)], input [ΣC, (G + 1)·D], hidden_pre [ΣC, D].
struct PredictionHeadForward {
  const PredictionHeadWeights* weights = nullptr;
  int64_t num_requests = 0;
  int64_t num_globals = 0;
  const int32_t* side_offsets = nullptr;  // [B + 1]
  ConstMatrixView side;
  MatrixView normed, input, hidden_pre;
  float* mean = nullptr;
  float* rstd = nullptr;
  MatrixView logits;
  Dropout dropout = {};  // of the hidden activations; one row per candidate
};

/// Gradients are ADDED to; d_side [Σ(G + C), D] is set.
struct PredictionHeadBackward {
  PredictionHeadForward forward;
  ConstMatrixView d_logits;
  PredictionHeadGradients gradients;
  MatrixView d_side;
};

/// Σ w·t·bce over candidates and tasks with a label (NaN = none), and its gradient / `unit`. The
/// loss of an optimizer step divides by Σ w·t over all its batches. Sums in double, in order.
struct BinaryCrossEntropy {
  ConstMatrixView logits;                // [ΣC, tasks]
  const float* labels = nullptr;         // [tasks, ΣC]
  const float* weights = nullptr;        // [ΣC] or null = 1
  const double* task_weights = nullptr;  // [tasks]
  MatrixView d_logits;                   // [ΣC, tasks], set; 0 where there is no label
  double unit = 0;                       // 0 = Σ w·t of this batch
};
struct LossSum {
  double loss = 0;    // Σ w·t·bce; 0 when no candidate has a label
  double weight = 0;  // Σ w·t
};

}  // namespace longer
