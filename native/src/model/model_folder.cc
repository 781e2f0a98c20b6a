#include "model/model_folder.hpp"

#include <algorithm>

#include "core/atomic_folder.hpp"
#include "core/folder_manifest.hpp"
#include "core/safetensors.hpp"
#include "longer/error.hpp"

namespace longer {
namespace {

constexpr const char* kFormat = "longer-model";
constexpr const char* kConfig = "config.json";
constexpr const char* kDense = "dense.safetensors";
constexpr const char* kTables = "tables.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char* kProgress = "progress.json";
constexpr int64_t kMostProgressBytes = int64_t{16} << 20;
constexpr const char* kStep = "step";
constexpr const char* kFirstMoment = "adam.m.";
constexpr const char* kSecondMoment = "adam.v.";
constexpr int64_t kRowsPerWrite = 8192;

std::string ids_name(const TableConfig& t) { return "table." + t.name + ".ids"; }
std::string rows_name(const TableConfig& t) { return "table." + t.name + ".rows"; }
std::string states_name(const TableConfig& t) { return "table." + t.name + ".adagrad"; }
std::string pending_ids_name(const TableConfig& t) { return "table." + t.name + ".pending_ids"; }
std::string pending_counts_name(const TableConfig& t) {
  return "table." + t.name + ".pending_counts";
}

void append_floats(SafetensorsWriter& writer, const std::string& name, const float* values,
                   int64_t count) {
  writer.append(name, values, count * static_cast<int64_t>(sizeof(float)));
}

/// The parameters of one arena, `prefix` before each name.
void declare_arena(const ParameterLayout& layout, const std::string& prefix,
                   std::vector<TensorSpec>& specs) {
  for (const Parameter& p : layout.parameters())
    specs.push_back({prefix + p.name, Dtype::kF32, p.shape});
}

void append_arena(const ParameterLayout& layout, const std::string& prefix, const float* arena,
                  SafetensorsWriter& writer) {
  for (const Parameter& p : layout.parameters())
    append_floats(writer, prefix + p.name, arena + p.offset, p.size());
}

void read_arena(const SafetensorsReader& reader, const ParameterLayout& layout,
                const std::string& prefix, float* arena) {
  for (const Parameter& p : layout.parameters()) {
    std::copy_n(reader.values<float>(prefix + p.name, p.shape), p.size(), arena + p.offset);
  }
}

void write_dense(const ModelState& state, AtomicFolderWriter& folder) {
  std::vector<TensorSpec> specs;
  declare_arena(state.layout, "", specs);
  SafetensorsWriter writer(folder.create(kDense), std::move(specs));
  append_arena(state.layout, "", state.dense.data(), writer);
  writer.finish();
}

/// A growable table and the order in which its rows and counts are written.
struct OrderedTable {
  const TableConfig* config;
  const EmbeddingTable* table;
  std::vector<int32_t> rows;  // by id, the out-of-vocabulary row left out
  std::vector<EmbeddingTable::Pending> pending;
};

std::vector<OrderedTable> growable_tables(const ModelState& state) {
  std::vector<OrderedTable> tables;
  for (size_t t = 0; t < state.tables.size(); ++t) {
    if (state.tables[t] == nullptr) continue;
    const EmbeddingTable& table = *state.tables[t];
    tables.push_back({&state.config.tables[t], &table, table.rows_by_id(), table.pending_by_id()});
  }
  return tables;
}

/// Streams `width` elements for each row in order, gathered in pieces of bounded size: gather(row,
/// where they go).
template <class T, class Row, class Gather>
void append_rows(SafetensorsWriter& writer, const std::string& name, const std::vector<Row>& rows,
                 int64_t width, const Gather& gather) {
  std::vector<T> piece(static_cast<size_t>(kRowsPerWrite * width));
  const auto count = static_cast<int64_t>(rows.size());
  for (int64_t begin = 0; begin < count; begin += kRowsPerWrite) {
    const int64_t end = std::min(count, begin + kRowsPerWrite);
    for (int64_t i = begin; i < end; ++i) {
      gather(rows[static_cast<size_t>(i)], piece.data() + (i - begin) * width);
    }
    writer.append(name, piece.data(), (end - begin) * width * static_cast<int64_t>(sizeof(T)));
  }
}

void write_tables(const std::vector<OrderedTable>& tables, AtomicFolderWriter& folder) {
  std::vector<TensorSpec> specs;
  for (const OrderedTable& t : tables)
    specs.push_back({ids_name(*t.config), Dtype::kI64, {t.table->num_ids()}});
  for (const OrderedTable& t : tables) {
    specs.push_back({rows_name(*t.config), Dtype::kF32, {t.table->num_rows(), t.table->width()}});
  }
  SafetensorsWriter writer(folder.create(kTables), std::move(specs));
  for (const OrderedTable& t : tables) {
    append_rows<int64_t>(writer, ids_name(*t.config), t.rows, 1,
                         [&](int32_t row, int64_t* id) { *id = t.table->id_of(row); });
  }
  for (const OrderedTable& t : tables) {
    const int64_t width = t.table->width();
    append_floats(writer, rows_name(*t.config), t.table->values(), width);
    append_rows<float>(writer, rows_name(*t.config), t.rows, width,
                       [&](int32_t row, float* values) {
                         std::copy_n(t.table->values() + row * width, width, values);
                       });
  }
  writer.finish();
}

void write_optimizer(const ParameterLayout& layout, const std::vector<OrderedTable>& tables,
                     const OptimizerState& optimizer, AtomicFolderWriter& folder) {
  std::vector<TensorSpec> specs = {{kStep, Dtype::kI64, {1}}};
  for (const OrderedTable& t : tables)
    specs.push_back({pending_ids_name(*t.config), Dtype::kI64, {t.table->num_pending()}});
  declare_arena(layout, kFirstMoment, specs);
  declare_arena(layout, kSecondMoment, specs);
  for (const OrderedTable& t : tables)
    specs.push_back({states_name(*t.config), Dtype::kF32, {t.table->num_rows()}});
  for (const OrderedTable& t : tables)
    specs.push_back({pending_counts_name(*t.config), Dtype::kI32, {t.table->num_pending()}});
  SafetensorsWriter writer(folder.create(kOptimizer), std::move(specs));
  writer.append(kStep, &optimizer.step, sizeof(optimizer.step));
  using Pending = EmbeddingTable::Pending;
  for (const OrderedTable& t : tables) {
    append_rows<int64_t>(writer, pending_ids_name(*t.config), t.pending, 1,
                         [](const Pending& p, int64_t* id) { *id = p.id; });
  }
  append_arena(layout, kFirstMoment, optimizer.first_moment.data(), writer);
  append_arena(layout, kSecondMoment, optimizer.second_moment.data(), writer);
  for (const OrderedTable& t : tables) {
    append_floats(writer, states_name(*t.config), t.table->states(), 1);
    append_rows<float>(writer, states_name(*t.config), t.rows, 1,
                       [&](int32_t row, float* value) { *value = t.table->states()[row]; });
  }
  for (const OrderedTable& t : tables) {
    append_rows<int32_t>(writer, pending_counts_name(*t.config), t.pending, 1,
                         [](const Pending& p, int32_t* count) { *count = p.count; });
  }
  writer.finish();
}

FolderManifest read_manifest(const std::string& path) {
  FolderManifest manifest = FolderManifest::read(path);
  if (manifest.format != kFormat) {
    fail(Status::kCorruptData, "[model] ", path, " is a ", manifest.format, " folder; expected ",
         kFormat);
  }
  for (const auto& [name, file] : manifest.files) {
    if (name != kConfig && name != kDense && name != kTables && name != kOptimizer &&
        name != kProgress) {
      fail(Status::kCorruptData, "[model] ", path, "/", kManifestName, ": \"", name,
           "\" is no file of a model");
    }
  }
  return manifest;
}

Config read_config(const std::string& path, const FolderManifest& manifest) {
  const MappedFile file = manifest.open(path, kConfig);
  try {
    return Config::parse(file.text());
  } catch (const Error& e) {
    if (e.status() != Status::kInvalidArgument) throw;
    fail(Status::kCorruptData, "[model] ", file.path(), ": ", e.what());
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
  const std::string name = pending_ids_name(config);
  const SafetensorsReader::Tensor& tensor = reader.require(name, Dtype::kI64, {-1});
  const int64_t count = tensor.shape[0];
  const auto* ids = reinterpret_cast<const int64_t*>(tensor.data);
  const auto* counts = reader.values<int32_t>(pending_counts_name(config), {count});
  for (int64_t i = 0; i < count; ++i) {
    check_ascends(reader, name, ids, i);
    if (counts[i] < 1 || counts[i] >= config.admission) {
      fail(Status::kCorruptData, "[model] ", reader.path(), ": ", pending_counts_name(config),
           " must be in 1 … ", config.admission - 1, "; got ", counts[i], " for id ", ids[i]);
    }
    table.set_pending({ids[i], counts[i]});
  }
}

void read_tables(MappedFile file, const SafetensorsReader* optimizer, ModelState& state) {
  const SafetensorsReader reader(std::move(file));
  for (size_t t = 0; t < state.tables.size(); ++t) {
    const TableConfig& config = state.config.tables[t];
    if (config.rows > 0) continue;
    const SafetensorsReader::Tensor& ids_tensor =
        reader.require(ids_name(config), Dtype::kI64, {-1});
    const int64_t count = ids_tensor.shape[0];
    const auto* ids = reinterpret_cast<const int64_t*>(ids_tensor.data);
    const float* rows = reader.values<float>(rows_name(config), {count + 1, config.width});
    const float* states =
        optimizer != nullptr ? optimizer->values<float>(states_name(config), {count + 1}) : nullptr;
    state.tables[t] =
        std::make_unique<EmbeddingTable>(config.name, config.width, 0, config.admission);
    EmbeddingTable& table = *state.tables[t];
    std::copy_n(rows, config.width, table.values());
    if (states != nullptr) table.states()[0] = states[0];
    for (int64_t i = 0; i < count; ++i) {
      check_ascends(reader, ids_name(config), ids, i);
      table.insert_or_assign(ids[i], rows + (i + 1) * config.width,
                             states != nullptr ? states[i + 1] : 0.0F);
    }
    if (optimizer != nullptr) read_pending(*optimizer, config, table);
  }
}

std::unique_ptr<ModelState> read_state(const std::string& path, const FolderManifest& manifest,
                                       const SafetensorsReader* optimizer) {
  auto state = std::make_unique<ModelState>(read_config(path, manifest));
  const SafetensorsReader dense(manifest.open(path, kDense));
  read_arena(dense, state->layout, "", state->dense.data());
  read_tables(manifest.open(path, kTables), optimizer, *state);
  return state;
}

void save(const ModelState& state, const OptimizerState* optimizer, std::string_view progress,
          const std::string& path) {
  AtomicFolderWriter folder(path, kFormat);
  folder.write_text(kConfig, state.config.to_json() + "\n");
  write_dense(state, folder);
  const std::vector<OrderedTable> tables = growable_tables(state);
  write_tables(tables, folder);
  if (optimizer != nullptr) write_optimizer(state.layout, tables, *optimizer, folder);
  if (!progress.empty()) folder.write_text(kProgress, progress);
  folder.commit();
}

}  // namespace

void save_model(const ModelState& state, const std::string& path) {
  save(state, nullptr, {}, path);
}

std::unique_ptr<ModelState> load_model(const std::string& path) {
  return read_state(path, read_manifest(path), nullptr);
}

void save_checkpoint(const ModelState& state, const OptimizerState& optimizer,
                     std::string_view progress, const std::string& path) {
  check_argument(static_cast<int64_t>(progress.size()) <= kMostProgressBytes,
                 "[checkpoint] progress must have at most ", kMostProgressBytes, " bytes; got ",
                 progress.size());
  save(state, &optimizer, progress, path);
}

Checkpoint load_checkpoint(const std::string& path) {
  const FolderManifest manifest = read_manifest(path);
  check_argument(manifest.files.count(kOptimizer) == 1, "[checkpoint] ", path,
                 " holds a model without optimizer state");
  const SafetensorsReader reader(manifest.open(path, kOptimizer));
  Checkpoint checkpoint;
  checkpoint.state = read_state(path, manifest, &reader);
  const ParameterLayout& layout = checkpoint.state->layout;
  checkpoint.optimizer = std::make_unique<OptimizerState>(layout.arena_size());
  checkpoint.optimizer->step = *reader.values<int64_t>(kStep, {1});
  if (checkpoint.optimizer->step < 0) {
    fail(Status::kCorruptData, "[checkpoint] ", reader.path(), ": step must not be negative; got ",
         checkpoint.optimizer->step);
  }
  read_arena(reader, layout, kFirstMoment, checkpoint.optimizer->first_moment.data());
  read_arena(reader, layout, kSecondMoment, checkpoint.optimizer->second_moment.data());
  if (manifest.files.count(kProgress) == 1) {
    const MappedFile file = manifest.open(path, kProgress);
    if (file.bytes() > kMostProgressBytes) {
      fail(Status::kCorruptData, "[checkpoint] ", file.path(), ": must have at most ",
           kMostProgressBytes, " bytes; got ", file.bytes());
    }
    checkpoint.progress = file.text();
  }
  return checkpoint;
}

}  // namespace longer
