#pragma once
#include <array>
#include <cstdint>

#include "core/matrix.hpp"
#include "core/random.hpp"

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

/// What is the same for all elements of a mask.
struct DropoutMask {
  uint32_t threshold;  // words below it drop their element
  float scale;         // of the others
  uint32_t place;      // layer and site
  std::array<uint32_t, 2> key;

  DropoutMask(const Dropout& p, DropoutSite site)
      : threshold(static_cast<uint32_t>(p.probability * 4294967296.0)),
        scale(static_cast<float>(1.0 / (1.0 - p.probability))),
        place(static_cast<uint32_t>(p.layer) * kSites + static_cast<uint32_t>(site)),
        key({static_cast<uint32_t>(p.key), static_cast<uint32_t>(p.key >> 32)}) {}

  /// The words of four columns of a row, from `column` on, a multiple of 4.
  constexpr std::array<uint32_t, 4> words(const DropoutRow& row, int64_t column) const {
    return philox4x32({static_cast<uint32_t>(column / 4), row.ordinal, row.request, place}, key);
  }
  constexpr float factor(uint32_t word) const { return word < threshold ? 0.0F : scale; }

 private:
  static constexpr uint32_t kSites = 4;
};

/// The key of an optimizer step's masks; steps count from 1.
uint64_t dropout_key(uint64_t seed, int64_t step);

/// y = residual + m ⊙ x, m = 0 or 1 / (1 − probability). All [R, N]; residual may be empty (= 0); y
/// may be x or residual. The same for gradients: dx = m ⊙ dy. `p` must be on.
void apply_dropout(ThreadPool* pool, const Dropout& p, DropoutSite site, ConstMatrixView x,
                   ConstMatrixView residual, MatrixView y);

}  // namespace longer
