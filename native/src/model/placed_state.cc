#include "model/placed_state.hpp"

#include "core/random.hpp"

namespace longer {

PlacedState::PlacedState(ModelState& state, Memory& memory)
    : state_(state), dense_(state.dense, memory), tables_(state.tables.size()) {
  if (memory.is_host()) return;
  for (size_t t = 0; t < tables_.size(); ++t) {
    if (state.tables[t] == nullptr) continue;
    const EmbeddingTable& table = *state.tables[t];
    const int64_t count = table.num_rows() * table.width();
    tables_[t].values = AlignedBuffer(count, memory);
    memory.copy(tables_[t].values.data(), table.values(),
                static_cast<size_t>(count) * sizeof(float));
  }
}

PlacedState::PlacedState(ModelState& state, Backend& backend, Stream& stream)
    : state_(state), dense_(state.dense, backend.memory()), tables_(state.tables.size()) {
  for (size_t t = 0; t < tables_.size(); ++t) {
    if (state.tables[t] == nullptr) continue;
    EmbeddingTable& table = *state.tables[t];
    tables_[t].trained =
        backend.make_device_table({table.width(), table.admission(), table.seed(),
                                   stream_of(table.name()), EmbeddingTable::kDeviation});
    if (tables_[t].trained == nullptr) continue;
    std::vector<DeviceTable::Pending> pending;
    for (const EmbeddingTable::Pending& p : table.pending_by_id())
      pending.push_back({p.id, p.count});
    tables_[t].trained->load(
        stream, {table.num_rows(), table.ids(), table.values(), table.states()}, pending);
  }
}

float* PlacedState::table_values(size_t table) {
  if (tables_[table].trained != nullptr) return tables_[table].trained->values();
  return tables_[table].values.size() > 0 ? tables_[table].values.data()
                                          : state_.tables[table]->values();
}

float* PlacedState::table_states(size_t table) {
  if (tables_[table].trained != nullptr) return tables_[table].trained->states();
  return state_.tables[table]->states();
}

std::vector<TableView> PlacedState::table_views() {
  std::vector<TableView> views = state_.table_views(dense());
  for (size_t t = 0; t < views.size(); ++t) {
    if (state_.tables[t] == nullptr) continue;
    views[t].rows = table_values(t);
    if (tables_[t].trained != nullptr) views[t].num_rows = tables_[t].trained->most_rows();
  }
  return views;
}

void PlacedState::fetch(Stream& stream) {
  dense_.fetch();
  for (size_t t = 0; t < tables_.size(); ++t) {
    DeviceTable* trained = tables_[t].trained.get();
    if (trained == nullptr) continue;
    EmbeddingTable& table = *state_.tables[t];
    const int64_t num_rows = trained->count_rows(stream);
    std::vector<DeviceTable::Pending> pending;
    std::vector<int64_t> ids(static_cast<size_t>(num_rows));
    trained->fetch(stream, {num_rows, ids.data(), nullptr, nullptr}, pending);
    table.add_rows(ids.data() + table.num_rows(), num_rows - table.num_rows());
    trained->fetch(stream, {num_rows, nullptr, table.values(), table.states()}, pending);
    table.forget_pending();
    for (const DeviceTable::Pending& p : pending) table.set_pending({p.id, p.count});
  }
}

int64_t PlacedState::table_bytes() const {
  int64_t sum = 0;
  for (const Table& table : tables_)
    sum += table.values.bytes() + (table.trained != nullptr ? table.trained->bytes() : 0);
  return sum;
}

}  // namespace longer
