#pragma once
// One set of optimizer options, for the library and for the reference.
#include "longer/config.hpp"
#include "reference/optimizer_steps.hpp"
#include "training/trainer_options.hpp"

namespace longer::testing {

/// Everything on. Epsilons stand well above the rounding of gradients: at the usual 1e-8 an element
/// whose exact gradient is 0 (a key's bias) would be moved by the sign of its rounding error, in
/// both implementations.
inline TrainerOptions brisk_optimizer() {
  TrainerOptions o;
  o.learning_rate = 0.02;
  o.table_learning_rate = 0.1;
  o.beta1 = 0.8;
  o.beta2 = 0.95;
  o.epsilon = 1e-3;
  o.weight_decay = 0.1;
  o.table_epsilon = 1e-2;
  o.clip_norm = 0.5;
  o.warmup_steps = 2;
  o.decay_steps = 8;
  o.decay_floor = 0.1;
  return o;
}

/// Several steps amplify what floats lose in the norms inside a group: norms over eight values keep
/// a comparison with doubles sharp, norms over four do not.
inline Config with_wide_norms(Config config) {
  while (config.inner_layers > 0 && config.event_width < 8) config.event_width *= 2;
  return config;
}

inline model_reference::OptimizerOptions reference_options(const TrainerOptions& o) {
  model_reference::OptimizerOptions r;
  r.learning_rate = o.learning_rate;
  r.table_learning_rate = o.table_learning_rate;
  r.beta1 = o.beta1;
  r.beta2 = o.beta2;
  r.epsilon = o.epsilon;
  r.weight_decay = o.weight_decay;
  r.table_epsilon = o.table_epsilon;
  r.clip_norm = o.clip_norm;
  r.warmup_steps = o.warmup_steps;
  r.decay_steps = o.decay_steps;
  r.decay_floor = o.decay_floor;
  return r;
}

}  // namespace longer::testing
