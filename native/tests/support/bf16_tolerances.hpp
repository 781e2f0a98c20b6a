#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/bf16.hpp"
#include "support/tolerances.hpp"

namespace longer::testing {

/// The one place where the tolerances of bf16 stand: the L2 norm of the difference from the
/// double-precision twin, relative to the twin's. Kernels are compared on inputs that are bf16
/// already, whole models on f32 weights. The unit: rounding to bf16 errs by at most 2⁻⁹ = 2e-3 of a
/// value, by 1.1e-3 in the mean square.
inline double bf16_tolerance(const std::string& stage, Pass pass) {
  if (pass == Pass::kForward) {
    // Exact products, f32 sums, one rounding of the result; gelu by a tanh of 11 bits adds half as
    // much.
    if (stage == "linear") return 3e-3;
    // The result's rounding and that of the probabilities, whose errors average out over keys.
    if (stage == "attention") return 4e-3;
    // Three statistics in f32 and one rounding.
    if (stage == "layer_norm") return 3e-3;
    // Some ten roundings one after the other, half of them behind norms: √10 · 1.1e-3, and the
    // weights' own.
    if (stage == "event_encoder") return 1e-2;
    // Logits: about ten roundings a layer beside an f32 residual.
    if (stage == "model") return 1e-2;
  } else {
    if (stage == "linear") return 3e-3;
    // Sums of bf16 products in f32; the rounding of dy and of the result.
    if (stage == "layer_norm") return 3e-3;
    // Probabilities and score gradients are rounded before their products, the results after them,
    // and p · (d_share − delta) cancels in part.
    if (stage == "attention") return 1e-2;
    if (stage == "event_encoder") return 2e-2;
    // All gradients of a model as one vector.
    if (stage == "model") return 2e-2;
    // One tensor of them: sums over a dozen candidates cancel to a fraction of their terms, each of
    // which has the error above. A gradient that is wrong is off by about its own size.
    if (stage == "model tensor") return 1.5e-1;
  }
  throw std::invalid_argument("no tolerance for stage " + stage);
}

/// ‖got − expected‖ / ‖expected‖; infinite where a value is not finite. `floor`: least norm to
/// measure by.
template <class Got, class Expected>
double relative_l2(const Got& got, const Expected& expected, double floor = 1e-12) {
  EXPECT_EQ(got.size(), expected.size());
  double difference = 0;
  double norm = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double e = static_cast<double>(expected[i]);
    const double d = static_cast<double>(got[i]) - e;
    difference += d * d;
    norm += e * e;
  }
  const double result = std::sqrt(difference) / std::max(std::sqrt(norm), floor);
  return std::isfinite(result) ? result : INFINITY;
}

/// As they are after rounding to bf16.
inline std::vector<float> rounded(std::vector<float> values) {
  for (float& value : values) value = to_float(to_bf16(value));
  return values;
}

}  // namespace longer::testing
