#pragma once
#include <memory>
#include <vector>

#include "core/placed_floats.hpp"
#include "model/model_state.hpp"
#include "ops/backend.hpp"

namespace longer {

/// The numbers of a model where the stages of a backend read and write them: those of the host
/// state itself on the CPU, copies elsewhere. The state outlives it. One thread at a time; nothing
/// that uses the numbers may be enqueued while one of the methods that are not const runs.
class PlacedState {
 public:
  /// To score with: the rows of growable tables, whose ids the host looks up.
  PlacedState(ModelState& state, Memory& memory);
  /// To train: growable tables with ids and optimizer state. `stream` is waited for.
  PlacedState(ModelState& state, Backend& backend, Stream& stream);

  float* dense() { return dense_.data(); }
  float* table_values(size_t table);
  float* table_states(size_t table);
  /// As ModelState::table_views.
  std::vector<TableView> table_views();
  /// The growable table in training; null where the state's own is trained.
  DeviceTable* trained(size_t table) const { return tables_[table].trained.get(); }

  /// Brings the state up to date, ids of new rows included. `stream` orders the tables' work.
  void fetch(Stream& stream);
  /// Bytes beside the state's.
  int64_t bytes() const { return dense_.bytes() + table_bytes(); }
  int64_t table_bytes() const;

 private:
  struct Table {
    AlignedBuffer values;                  // empty where the state's own are read
    std::unique_ptr<DeviceTable> trained;  // null unless in training on a device
  };

  ModelState& state_;
  PlacedFloats dense_;
  std::vector<Table> tables_;
};

}  // namespace longer
