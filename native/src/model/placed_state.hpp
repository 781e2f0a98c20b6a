#pragma once
#include <memory>
#include <vector>

#include "core/growing_floats.hpp"
#include "core/placed_floats.hpp"
#include "model/model_state.hpp"

namespace longer {

/// The numbers of a model where the stages of a backend read and write them: those of the host
/// state itself on the CPU, copies elsewhere, ids excepted, whose rows the host looks up. The state
/// outlives it. One thread at a time; nothing that uses the numbers may be enqueued while one of
/// the methods that are not const runs.
class PlacedState {
 public:
  PlacedState(ModelState& state, Memory& memory);

  float* dense() { return dense_.data(); }
  float* table_values(size_t table);
  float* table_states(size_t table);
  /// As ModelState::table_views.
  std::vector<TableView> table_views();

  /// Whether the state has rows that these numbers lack.
  bool lacks_rows() const;
  /// Takes the rows that the state's tables got since the last call.
  void add_rows();
  /// Brings the state up to date.
  void fetch();
  /// Bytes beside the state's.
  int64_t bytes() const;

 private:
  struct Table {
    explicit Table(Memory& memory) : values(memory), states(memory) {}
    GrowingFloats values, states;
    int64_t num_rows = 0;
  };

  ModelState& state_;
  Memory& memory_;
  PlacedFloats dense_;
  std::vector<std::unique_ptr<Table>> tables_;  // null where the state's own are read
};

}  // namespace longer
