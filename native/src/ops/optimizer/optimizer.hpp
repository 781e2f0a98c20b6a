#pragma once
#include <cstdint>

#include "core/thread_pool.hpp"
#include "ops/optimizer/step_numbers.hpp"

namespace longer {

/// A run of arena elements with one weight decay.
struct DecayRange {
  int64_t begin, end;
  bool is_decayed;
};

/// One AdamW step over a flat arena (native/docs/model.md, "Optimizer") with the coefficients in
/// `numbers`; nothing when it is skipped.
struct AdamwStep {
  float* weights = nullptr;
  const float* gradients = nullptr;
  float* first_moment = nullptr;
  float* second_moment = nullptr;
  const DecayRange* ranges = nullptr;
  int64_t num_ranges = 0;
  const StepNumbers* numbers = nullptr;
};
void adamw_step(ThreadPool* pool, const AdamwStep& p);

/// One row-wise Adagrad step over distinct rows: s ← s + mean(g²); w ← w − lr·g / (√s + ε).
struct RowWiseAdagradStep {
  float* table = nullptr;            // [·, width]
  float* states = nullptr;           // [·]
  const int32_t* rows = nullptr;     // [num_rows]
  const float* gradients = nullptr;  // [num_rows, width]
  int64_t num_rows = 0;
  int64_t width = 0;
  const StepNumbers* numbers = nullptr;
};
void row_wise_adagrad_step(ThreadPool* pool, const RowWiseAdagradStep& p);

/// Σ x², summed in double in fixed chunks: the same bits for any number of threads. NaN and ∞ come
/// through.
double squared_norm(ThreadPool* pool, const float* x, int64_t count);

}  // namespace longer
