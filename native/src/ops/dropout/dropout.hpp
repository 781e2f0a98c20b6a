#pragma once
#include <cstdint>

#include "core/matrix.hpp"

namespace longer {

class ThreadPool;

/// A row's name in the masks' random numbers: its request, counted over an optimizer step, and its
/// number inside the request.
struct DropoutRow {
  uint32_t request = 0;
  uint32_t ordinal = 0;
};

/// What a mask is applied to; part of its random numbers.
enum class DropoutSite : uint32_t { kAttention = 0, kFeedForward = 1, kHead = 2 };

/// Dropout of one layer's rows (native/docs/model.md, "Dropout"). Off by default.
///
/// Whether an element is dropped depends on (seed, step, layer, site, request, ordinal, column)
/// alone: the backward pass finds the same masks without keeping them, and no cut of the rows
/// changes them.
struct Dropout {
  double probability = 0;            // in [0, 1)
  uint64_t key = 0;                  // dropout_key(seed, step)
  int32_t layer = 0;                 // block i of the InnerTransformer: −1 − i
  const DropoutRow* rows = nullptr;  // one per row that goes on

  bool is_on() const { return probability > 0; }
  /// As this, from row `first` on.
  Dropout from_row(int64_t first) const { return {probability, key, layer, rows + first}; }
};

/// The key of an optimizer step's masks; steps count from 1.
uint64_t dropout_key(uint64_t seed, int64_t step);

/// y = residual + m ⊙ x, m = 0 or 1 / (1 − probability). All [R, N]; residual may be empty (= 0); y
/// may be x or residual. The same for gradients: dx = m ⊙ dy. `p` must be on.
void apply_dropout(ThreadPool* pool, const Dropout& p, DropoutSite site, ConstMatrixView x,
                   ConstMatrixView residual, MatrixView y);

}  // namespace longer
