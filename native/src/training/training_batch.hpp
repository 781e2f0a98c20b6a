#pragma once
#include <memory>
#include <vector>

#include "core/placed_array.hpp"
#include "core/workspace.hpp"
#include "model/forward.hpp"
#include "ops/segment_sum/row_groups.hpp"

namespace longer {

/// A batch made ready for a training pass, where the stages read it, and what the pass leaves of
/// it. While one is trained on, the next is made ready. Refilling reuses its memory.
struct TrainingBatch {
  explicit TrainingBatch(Memory& placed_in) : memory(placed_in) {}

  Workspace memory;             // of what is placed
  Workspace::Mark staged = {};  // where that of `stage` ends
  PreparedBatch prepared;
  PlacedArray<float> labels;   // [tasks, ΣC]
  PlacedArray<float> weights;  // [ΣC]; empty = 1
  std::vector<int64_t> candidate_offsets;
  std::vector<std::unique_ptr<RowGroups>> groups;  // as TableGradients numbers its tables
  int64_t new_table_rows = 0;

  // Of the pass:
  DropoutPass dropout;
  UserKeysValues keys_values;
  Activations activations;
  InputGradients inputs;
  std::unique_ptr<Recording> recording;

  int64_t bytes() const;
};

}  // namespace longer
