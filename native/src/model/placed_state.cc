#include "model/placed_state.hpp"

namespace longer {
namespace {

size_t bytes_of(int64_t count) { return static_cast<size_t>(count) * sizeof(float); }

}  // namespace

PlacedState::PlacedState(ModelState& state, Memory& memory)
    : state_(state), memory_(memory), dense_(state.dense, memory), tables_(state.tables.size()) {
  if (memory.is_host()) return;
  for (size_t t = 0; t < tables_.size(); ++t) {
    if (state.tables[t] != nullptr) tables_[t] = std::make_unique<Table>(memory);
  }
  add_rows();
}

float* PlacedState::table_values(size_t table) {
  return tables_[table] != nullptr ? tables_[table]->values.data() : state_.tables[table]->values();
}

float* PlacedState::table_states(size_t table) {
  return tables_[table] != nullptr ? tables_[table]->states.data() : state_.tables[table]->states();
}

std::vector<TableView> PlacedState::table_views() {
  std::vector<TableView> views = state_.table_views(dense());
  for (size_t t = 0; t < views.size(); ++t) {
    if (tables_[t] != nullptr) views[t].rows = tables_[t]->values.data();
  }
  return views;
}

bool PlacedState::lacks_rows() const {
  for (size_t t = 0; t < tables_.size(); ++t) {
    if (tables_[t] != nullptr && tables_[t]->num_rows < state_.tables[t]->num_rows()) return true;
  }
  return false;
}

void PlacedState::add_rows() {
  for (size_t t = 0; t < tables_.size(); ++t) {
    if (tables_[t] == nullptr) continue;
    Table& placed = *tables_[t];
    const EmbeddingTable& table = *state_.tables[t];
    const int64_t first = placed.num_rows;
    const int64_t added = table.num_rows() - first;
    if (added == 0) continue;
    const int64_t width = table.width();
    placed.values.resize(table.num_rows() * width);
    placed.states.resize(table.num_rows());
    memory_.copy(placed.values.data() + first * width, table.values() + first * width,
                 bytes_of(added * width));
    memory_.copy(placed.states.data() + first, table.states() + first, bytes_of(added));
    placed.num_rows = table.num_rows();
  }
}

void PlacedState::fetch() {
  dense_.fetch();
  for (size_t t = 0; t < tables_.size(); ++t) {
    if (tables_[t] == nullptr) continue;
    const Table& placed = *tables_[t];
    EmbeddingTable& table = *state_.tables[t];
    memory_.copy(table.values(), placed.values.data(), bytes_of(placed.num_rows * table.width()));
    memory_.copy(table.states(), placed.states.data(), bytes_of(placed.num_rows));
  }
}

int64_t PlacedState::bytes() const {
  int64_t sum = dense_.bytes();
  for (const auto& table : tables_)
    sum += table != nullptr ? table->values.bytes() + table->states.bytes() : 0;
  return sum;
}

}  // namespace longer
