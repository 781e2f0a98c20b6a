#pragma once
#include <string>

#include "model/forward.hpp"
#include "model/longer_model.hpp"
#include "training/trainer.hpp"

namespace longer {

/// The first value of a pass that is not finite, in the order in which they were computed: weights,
/// table rows, rows that entered each layer, logits. In words; empty when all are finite.
std::string first_nonfinite_value(const ModelState& state, const PreparedBatch& batch,
                                  const Activations& activations, Stream& stream);

/// The first gradient that is not finite, dense parameters first. In words; empty when all are.
std::string first_nonfinite_gradient(const Trainer& trainer);

}  // namespace longer
