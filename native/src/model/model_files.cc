#include "model/model_files.hpp"

#include <algorithm>

#include "longer/error.hpp"

namespace longer {

namespace {

namespace names = model_tensors;

void read_arena(const SafetensorsReader& reader, const ParameterLayout& layout,
                const std::string& prefix, float* arena) {
  for (const Parameter& p : layout.parameters()) {
    std::copy_n(reader.values<float>(prefix + p.name, p.shape), p.size(), arena + p.offset);
  }
}

void check_ascends(const SafetensorsReader& reader, const std::string& name, const int64_t* ids,
                   int64_t i) {
  if (i > 0 && ids[i] <= ids[i - 1]) {
    fail(Status::kCorruptData, "[model] ", reader.path(), ": ", name, " must ascend; got ", ids[i],
         " after ", ids[i - 1]);
  }
}

/// Counts of ids without a row.
void read_pending(const SafetensorsReader& reader, const TableConfig& config,
                  EmbeddingTable& table) {
  const std::string name = names::pending_ids(config);
  const SafetensorsReader::Tensor& tensor = reader.require(name, Dtype::kI64, {-1});
  const int64_t count = tensor.shape[0];
  const auto* ids = reinterpret_cast<const int64_t*>(tensor.data);
  const auto* counts = reader.values<int32_t>(names::pending_counts(config), {count});
  for (int64_t i = 0; i < count; ++i) {
    check_ascends(reader, name, ids, i);
    if (counts[i] < 1 || counts[i] >= config.admission) {
      fail(Status::kCorruptData, "[model] ", reader.path(), ": ", names::pending_counts(config),
           " must be in 1 … ", config.admission - 1, "; got ", counts[i], " for id ", ids[i]);
    }
    table.set_pending({ids[i], counts[i]});
  }
}

void read_tables(const SafetensorsReader& reader, const SafetensorsReader* optimizer,
                 ModelState& state) {
  for (size_t t = 0; t < state.tables.size(); ++t) {
    const TableConfig& config = state.config.tables[t];
    if (config.rows > 0) continue;
    const SafetensorsReader::Tensor& ids_tensor =
        reader.require(names::ids(config), Dtype::kI64, {-1});
    const int64_t count = ids_tensor.shape[0];
    const auto* ids = reinterpret_cast<const int64_t*>(ids_tensor.data);
    const float* rows = reader.values<float>(names::rows(config), {count + 1, config.width});
    const float* states = optimizer != nullptr
                              ? optimizer->values<float>(names::states(config), {count + 1})
                              : nullptr;
    state.tables[t] =
        std::make_unique<EmbeddingTable>(config.name, config.width, 0, config.admission);
    EmbeddingTable& table = *state.tables[t];
    std::copy_n(rows, config.width, table.values());
    if (states != nullptr) table.states()[0] = states[0];
    for (int64_t i = 0; i < count; ++i) {
      check_ascends(reader, names::ids(config), ids, i);
      table.insert_or_assign(ids[i], rows + (i + 1) * config.width,
                             states != nullptr ? states[i + 1] : 0.0F);
    }
    if (optimizer != nullptr) read_pending(*optimizer, config, table);
  }
}

}  // namespace

Config read_config(const MappedFile& file) {
  try {
    return Config::parse(file.text());
  } catch (const Error& e) {
    if (e.status() != Status::kInvalidArgument) throw;
    fail(Status::kCorruptData, "[model] ", file.path(), ": ", e.what());
  }
}

std::unique_ptr<ModelState> read_state(const Config& config, const SafetensorsReader& dense,
                                       const SafetensorsReader& tables,
                                       const SafetensorsReader* optimizer) {
  auto state = std::make_unique<ModelState>(config);
  read_arena(dense, state->layout, "", state->dense.data());
  read_tables(tables, optimizer, *state);
  return state;
}

std::unique_ptr<OptimizerState> read_optimizer(const SafetensorsReader& reader,
                                               const ParameterLayout& layout) {
  auto optimizer = std::make_unique<OptimizerState>(layout.arena_size());
  optimizer->step = *reader.values<int64_t>(names::kStep, {1});
  if (optimizer->step < 0) {
    fail(Status::kCorruptData, "[checkpoint] ", reader.path(), ": step must not be negative; got ",
         optimizer->step);
  }
  read_arena(reader, layout, names::kFirstMoment, optimizer->first_moment.data());
  read_arena(reader, layout, names::kSecondMoment, optimizer->second_moment.data());
  return optimizer;
}

}  // namespace longer
