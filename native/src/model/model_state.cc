#include "model/model_state.hpp"

namespace longer {

ModelState::ModelState(const Config& config_in)
    : config(config_in), layout(config), dense(layout.arena_size()), tables(config.tables.size()) {}

ModelState::ModelState(const ModelState& other)
    : config(other.config), layout(other.layout), dense(other.dense), tables(other.tables.size()) {
  for (size_t t = 0; t < tables.size(); ++t) {
    if (other.tables[t] != nullptr) tables[t] = std::make_unique<EmbeddingTable>(*other.tables[t]);
  }
}

std::vector<TableView> ModelState::table_views(const float* arena) const {
  std::vector<TableView> views;
  for (size_t t = 0; t < tables.size(); ++t) {
    const TableConfig& table = config.tables[t];
    if (tables[t] != nullptr) {
      views.push_back({tables[t]->values(), table.width, tables[t]->num_rows()});
    } else {
      views.push_back({layout.at(arena, table_parameter(table)), table.width, table.rows + 1});
    }
  }
  return views;
}

int64_t ModelState::num_table_rows() const {
  int64_t rows = 0;
  for (const auto& table : tables) rows += table != nullptr ? table->num_ids() : 0;
  return rows;
}

int64_t ModelState::bytes() const {
  int64_t sum = dense.bytes();
  for (const auto& table : tables) sum += table != nullptr ? table->bytes() : 0;
  return sum;
}

void dense_table_rows(int64_t num_ids, const int64_t* ids, int64_t count, int32_t* rows) {
  for (int64_t i = 0; i < count; ++i) {
    rows[i] = ids[i] >= 0 && ids[i] < num_ids ? static_cast<int32_t>(ids[i] + 1) : 0;
  }
}

void ReadOnlyLookup::rows(int64_t table, const int64_t* ids, int64_t count, int32_t* rows) {
  const auto t = static_cast<size_t>(table);
  if (state_.tables[t] != nullptr) {
    state_.tables[t]->lookup(ids, count, rows);
  } else {
    dense_table_rows(state_.config.tables[t].rows, ids, count, rows);
  }
}

std::unique_ptr<ModelState> fresh_state(const Config& config, uint64_t seed) {
  auto state = std::make_unique<ModelState>(config);
  initialize_parameters(config, state->layout, seed, state->dense.data());
  for (size_t t = 0; t < config.tables.size(); ++t) {
    const TableConfig& table = config.tables[t];
    if (table.rows == 0)
      state->tables[t] =
          std::make_unique<EmbeddingTable>(table.name, table.width, seed, table.admission);
  }
  return state;
}

}  // namespace longer
