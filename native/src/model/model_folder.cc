#include "model/model_folder.hpp"

#include <algorithm>

#include "core/atomic_folder.hpp"
#include "core/safetensors.hpp"
#include "longer/error.hpp"

namespace longer {
namespace {

constexpr const char* kConfig = "config.json";
constexpr const char* kDense = "dense.safetensors";
constexpr const char* kTables = "tables.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr int64_t kIdsPerWrite = 8192;

std::string ids_name(const TableConfig& t) { return "table." + t.name + ".ids"; }
std::string rows_name(const TableConfig& t) { return "table." + t.name + ".rows"; }
std::string states_name(const TableConfig& t) { return "table." + t.name + ".adagrad"; }

void append_floats(SafetensorsWriter& writer, const std::string& name, const float* values, int64_t count) {
  writer.append(name, values, count * static_cast<int64_t>(sizeof(float)));
}

/// The parameters of one arena, `prefix` before each name.
void declare_arena(const ParameterLayout& layout, const std::string& prefix, std::vector<TensorSpec>& specs) {
  for (const Parameter& p : layout.parameters()) specs.push_back({prefix + p.name, Dtype::kF32, p.shape});
}

void append_arena(const ParameterLayout& layout, const std::string& prefix, const float* arena,
                  SafetensorsWriter& writer) {
  for (const Parameter& p : layout.parameters()) append_floats(writer, prefix + p.name, arena + p.offset, p.size());
}

void read_arena(const SafetensorsReader& reader, const ParameterLayout& layout, const std::string& prefix,
                float* arena) {
  for (const Parameter& p : layout.parameters()) {
    std::copy_n(reader.values<float>(prefix + p.name, p.shape), p.size(), arena + p.offset);
  }
}

void write_dense(const ModelState& state, AtomicFolderWriter& folder) {
  std::vector<TensorSpec> specs;
  declare_arena(state.layout, "", specs);
  const auto file = folder.open(kDense);
  SafetensorsWriter writer(*file, std::move(specs));
  append_arena(state.layout, "", state.dense.data(), writer);
  writer.finish();
  folder.close(kDense, *file);
}

/// Calls write(begin, end) over the rows by id in pieces of bounded size.
template <class Write>
void in_pieces(const std::vector<int32_t>& rows, const Write& write) {
  const auto count = static_cast<int64_t>(rows.size());
  for (int64_t begin = 0; begin < count; begin += kIdsPerWrite) write(begin, std::min(count, begin + kIdsPerWrite));
}

void write_tables(const ModelState& state, AtomicFolderWriter& folder) {
  std::vector<TensorSpec> specs;
  for (size_t t = 0; t < state.tables.size(); ++t) {
    if (state.tables[t] == nullptr) continue;
    specs.push_back({ids_name(state.config.tables[t]), Dtype::kI64, {state.tables[t]->num_ids()}});
  }
  for (size_t t = 0; t < state.tables.size(); ++t) {
    if (state.tables[t] == nullptr) continue;
    const EmbeddingTable& table = *state.tables[t];
    specs.push_back({rows_name(state.config.tables[t]), Dtype::kF32, {table.num_rows(), table.width()}});
  }
  const auto file = folder.open(kTables);
  SafetensorsWriter writer(*file, std::move(specs));
  for (size_t t = 0; t < state.tables.size(); ++t) {
    if (state.tables[t] == nullptr) continue;
    const EmbeddingTable& table = *state.tables[t];
    const std::vector<int32_t> rows = table.rows_by_id();
    std::vector<int64_t> ids;
    in_pieces(rows, [&](int64_t begin, int64_t end) {
      ids.clear();
      for (int64_t i = begin; i < end; ++i) ids.push_back(table.id_of(rows[static_cast<size_t>(i)]));
      writer.append(ids_name(state.config.tables[t]), ids.data(), (end - begin) * static_cast<int64_t>(sizeof(int64_t)));
    });
  }
  for (size_t t = 0; t < state.tables.size(); ++t) {
    if (state.tables[t] == nullptr) continue;
    const EmbeddingTable& table = *state.tables[t];
    const std::string name = rows_name(state.config.tables[t]);
    append_floats(writer, name, table.values(), table.width());
    std::vector<float> values;
    in_pieces(table.rows_by_id(), [&, rows = table.rows_by_id()](int64_t begin, int64_t end) {
      values.clear();
      for (int64_t i = begin; i < end; ++i) {
        const float* row = table.values() + rows[static_cast<size_t>(i)] * table.width();
        values.insert(values.end(), row, row + table.width());
      }
      append_floats(writer, name, values.data(), static_cast<int64_t>(values.size()));
    });
  }
  writer.finish();
  folder.close(kTables, *file);
}

void write_optimizer(const ModelState& state, const OptimizerState& optimizer, AtomicFolderWriter& folder) {
  std::vector<TensorSpec> specs = {{"step", Dtype::kI64, {1}}};
  declare_arena(state.layout, "adam.m.", specs);
  declare_arena(state.layout, "adam.v.", specs);
  for (size_t t = 0; t < state.tables.size(); ++t) {
    if (state.tables[t] == nullptr) continue;
    specs.push_back({states_name(state.config.tables[t]), Dtype::kF32, {state.tables[t]->num_rows()}});
  }
  const auto file = folder.open(kOptimizer);
  SafetensorsWriter writer(*file, std::move(specs));
  writer.append("step", &optimizer.step, sizeof(optimizer.step));
  append_arena(state.layout, "adam.m.", optimizer.first_moment.data(), writer);
  append_arena(state.layout, "adam.v.", optimizer.second_moment.data(), writer);
  for (size_t t = 0; t < state.tables.size(); ++t) {
    if (state.tables[t] == nullptr) continue;
    const EmbeddingTable& table = *state.tables[t];
    std::vector<float> states = {table.states()[0]};
    for (const int32_t row : table.rows_by_id()) states.push_back(table.states()[row]);
    append_floats(writer, states_name(state.config.tables[t]), states.data(), static_cast<int64_t>(states.size()));
  }
  writer.finish();
  folder.close(kOptimizer, *file);
}

void read_tables(const AtomicFolderReader& folder, const SafetensorsReader* optimizer, ModelState& state) {
  const SafetensorsReader reader(folder.open(kTables));
  for (size_t t = 0; t < state.tables.size(); ++t) {
    const TableConfig& config = state.config.tables[t];
    if (config.rows > 0) continue;
    const SafetensorsReader::Tensor& ids_tensor = reader.require(ids_name(config), Dtype::kI64, {-1});
    const int64_t count = ids_tensor.shape[0];
    const auto* ids = reinterpret_cast<const int64_t*>(ids_tensor.data);
    const float* rows = reader.values<float>(rows_name(config), {count + 1, config.width});
    const float* states =
        optimizer != nullptr ? optimizer->values<float>(states_name(config), {count + 1}) : nullptr;
    state.tables[t] = std::make_unique<EmbeddingTable>(config.name, config.width, 0);
    EmbeddingTable& table = *state.tables[t];
    std::copy_n(rows, config.width, table.values());
    if (states != nullptr) table.states()[0] = states[0];
    for (int64_t i = 0; i < count; ++i) {
      if (i > 0 && ids[i] <= ids[i - 1]) {
        fail(Status::kCorruptData, "[model] ", reader.path(), ": ", ids_name(config), " must ascend; got ", ids[i],
             " after ", ids[i - 1]);
      }
      table.insert_or_assign(ids[i], rows + (i + 1) * config.width, states != nullptr ? states[i + 1] : 0.0F);
    }
  }
}

std::unique_ptr<ModelState> read_state(const AtomicFolderReader& folder, const SafetensorsReader* optimizer) {
  const MappedFile config = folder.open(kConfig);
  auto state = std::make_unique<ModelState>(Config::parse(config.text()));
  const SafetensorsReader dense(folder.open(kDense));
  read_arena(dense, state->layout, "", state->dense.data());
  read_tables(folder, optimizer, *state);
  return state;
}

void write_state(const ModelState& state, AtomicFolderWriter& folder) {
  folder.write_text(kConfig, state.config.to_json() + "\n");
  write_dense(state, folder);
  write_tables(state, folder);
}

}  // namespace

void save_model(const ModelState& state, const std::string& path) {
  AtomicFolderWriter folder(path);
  write_state(state, folder);
  folder.commit();
}

std::unique_ptr<ModelState> load_model(const std::string& path) { return read_state(AtomicFolderReader(path), nullptr); }

void save_checkpoint(const ModelState& state, const OptimizerState& optimizer, const std::string& path) {
  AtomicFolderWriter folder(path);
  write_state(state, folder);
  write_optimizer(state, optimizer, folder);
  folder.commit();
}

Checkpoint load_checkpoint(const std::string& path) {
  const AtomicFolderReader folder(path);
  check_argument(folder.contains(kOptimizer), "[checkpoint] ", path, " holds a model without optimizer state");
  const SafetensorsReader reader(folder.open(kOptimizer));
  Checkpoint checkpoint;
  checkpoint.state = read_state(folder, &reader);
  const ParameterLayout& layout = checkpoint.state->layout;
  checkpoint.optimizer = std::make_unique<OptimizerState>(layout.arena_size());
  checkpoint.optimizer->step = *reader.values<int64_t>("step", {1});
  read_arena(reader, layout, "adam.m.", checkpoint.optimizer->first_moment.data());
  read_arena(reader, layout, "adam.v.", checkpoint.optimizer->second_moment.data());
  return checkpoint;
}

}  // namespace longer
