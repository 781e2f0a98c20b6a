#pragma once
#include <cstdint>

#include "model/forward.hpp"

namespace longer {

/// What becomes of an optimizer step whose loss or gradients are not finite.
enum class OnNonfinite : int64_t {
  kSkip = 0,  ///< change nothing and say so in the result
  kFail = 1,  ///< change nothing and throw InvalidState
};

/// Optimizer settings (native/docs/model.md, "Optimizer"). Field for field `longer_trainer_options`
/// of the C ABI.
struct TrainerOptions {
  double learning_rate = 1e-3;
  double table_learning_rate = 0.05;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  double table_epsilon = 1e-8;
  double clip_norm = 1.0;
  int64_t warmup_steps = 0;
  int64_t decay_steps = 0;
  double decay_floor = 0.0;
  uint64_t seed = 0;
  Recomputation recomputation = Recomputation::kNone;
  OnNonfinite nonfinite = OnNonfinite::kSkip;
  /// Of activations and the copies of weights in layers and event encoder; bf16 needs CUDA. Shapes
  /// that have no bf16 kernels run in f32.
  Precision precision = Precision::kFp32;
};

/// Throws InvalidArgument naming the option that is out of its range.
void check_options(const TrainerOptions& options);
/// Factor of both learning rates at a step, counted from 1.
double learning_rate_factor(const TrainerOptions& options, int64_t step);

}  // namespace longer
