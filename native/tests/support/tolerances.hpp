#pragma once
#include <stdexcept>
#include <string>

namespace longer::testing {

enum class Pass { kForward, kBackward };

/// A value agrees when |got − expected| ≤ absolute + relative · |expected|.
struct Tolerance {
  double absolute;
  double relative;
};

/// The one place where the tests' tolerances stand: f32 kernels against their double-precision
/// twins, on inputs of about unit size. Widening one needs a design note.
inline Tolerance tolerance(const std::string& stage, Pass pass) {
  if (pass == Pass::kForward) {
    // One chain of n roundings of relative size 2⁻²⁴ over terms of unit size: √n · 6e-8 · √n, about
    // 5e-6 of the largest partial sum at n = 129; the absolute part covers sums that cancel.
    if (stage == "linear") return {5e-6, 5e-6};
    // A mean of squares and one division: no cancellation beyond the mean.
    if (stage == "layer_norm") return {1e-6, 5e-6};
    // A convex combination: the error is that of exp, 2 units in the last place, plus that of the
    // scores.
    if (stage == "attention") return {1e-6, 5e-6};
    // exp, one division and two products.
    if (stage == "gelu") return {1e-6, 5e-6};
    // A mean of a handful of table rows.
    if (stage == "feature_input") return {1e-6, 5e-6};
    // Two maps and up to three blocks, each with four maps, two norms and an attention.
    if (stage == "event_encoder") return {1e-5, 1e-5};
    // Five steps of a handful of operations each.
    if (stage == "optimizer") return {1e-6, 2e-6};
    // A chain of additions over at most 2048 rows, then over the parts: about √n roundings of a sum
    // of size √n.
    if (stage == "segment_sum") return {1e-4, 1e-5};
    // Many stages deep; errors of the stages add up.
    if (stage == "model") return {1e-5, 1e-5};
  } else {
    // One division.
    if (stage == "feature_input") return {1e-6, 5e-6};
    // Sums over all rows on top of the forward pass's errors; gradients cancel, so the absolute
    // part counts.
    if (stage == "linear" || stage == "layer_norm" || stage == "attention" || stage == "gelu" ||
        stage == "model" || stage == "event_encoder") {
      return {1e-4, 1e-4};
    }
  }
  throw std::invalid_argument("no tolerance for stage " + stage);
}

}  // namespace longer::testing
