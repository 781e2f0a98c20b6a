#pragma once
#include <cstdint>
#include <vector>

#include "model/prepared_batch.hpp"
#include "ops/dropout/dropout.hpp"

namespace longer {

/// Dropout of one training pass (native/docs/model.md, "Dropout"): the step's key and the names of
/// every set of rows. Reused from pass to pass.
struct DropoutPass {
  double probability = 0;
  uint64_t key = 0;
  std::vector<DropoutRow> events;      // [N] kept events
  std::vector<DropoutRow> queries;     // [query rows]
  std::vector<DropoutRow> side;        // [side rows]
  std::vector<DropoutRow> candidates;  // [ΣC]

  /// Names the rows of a batch whose first request is number `first_request` of the optimizer step.
  void name_rows(const PreparedBatch& batch, const int64_t* candidate_offsets,
                 int64_t first_request);
  /// The masks of one layer's `rows`, one of the sets above.
  Dropout of(const std::vector<DropoutRow>& rows, int64_t layer) const {
    return {probability, key, static_cast<int32_t>(layer), rows.data()};
  }
};

}  // namespace longer
