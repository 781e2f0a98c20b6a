#pragma once
#include <cstdint>

#include "core/placed_array.hpp"
#include "model/prepared_batch.hpp"
#include "ops/dropout/dropout.hpp"

namespace longer {

/// Dropout of one training pass (native/docs/model.md, "Dropout"): the step's key and the names of
/// every set of rows. Reused from pass to pass.
struct DropoutPass {
  double probability = 0;
  uint64_t key = 0;
  PlacedArray<DropoutRow> events;      // [N] kept events
  PlacedArray<DropoutRow> queries;     // [query rows]
  PlacedArray<DropoutRow> side;        // [side rows]
  PlacedArray<DropoutRow> candidates;  // [ΣC]

  /// Names the rows of a batch whose first request is number `first_request` of the optimizer step.
  void name_rows(const PreparedBatch& batch, const int64_t* candidate_offsets,
                 int64_t first_request);
  /// Puts the names into `memory`, where the stages read them.
  void place(Stream& stream, Workspace& memory);
  /// The masks of one layer's `rows`, one of the sets above.
  Dropout of(const PlacedArray<DropoutRow>& rows, int64_t layer) const {
    return {probability, key, static_cast<int32_t>(layer), rows.placed()};
  }
};

}  // namespace longer
