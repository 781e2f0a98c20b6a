#include "model/model_folder.hpp"

#include <algorithm>

#include "core/atomic_folder.hpp"
#include "core/folder_manifest.hpp"
#include "core/safetensors.hpp"
#include "longer/error.hpp"
#include "model/model_files.hpp"

namespace longer {
namespace {

namespace names = model_tensors;

constexpr const char* kFormat = "longer-model";
constexpr const char* kConfig = "config.json";
constexpr const char* kDense = "dense.safetensors";
constexpr const char* kTables = "tables.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char* kProgress = "progress.json";
constexpr int64_t kMostProgressBytes = int64_t{16} << 20;
constexpr int64_t kRowsPerWrite = 8192;

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
    specs.push_back({names::ids(*t.config), Dtype::kI64, {t.table->num_ids()}});
  for (const OrderedTable& t : tables) {
    specs.push_back({names::rows(*t.config), Dtype::kF32, {t.table->num_rows(), t.table->width()}});
  }
  SafetensorsWriter writer(folder.create(kTables), std::move(specs));
  for (const OrderedTable& t : tables) {
    append_rows<int64_t>(writer, names::ids(*t.config), t.rows, 1,
                         [&](int32_t row, int64_t* id) { *id = t.table->id_of(row); });
  }
  for (const OrderedTable& t : tables) {
    const int64_t width = t.table->width();
    append_floats(writer, names::rows(*t.config), t.table->values(), width);
    append_rows<float>(writer, names::rows(*t.config), t.rows, width,
                       [&](int32_t row, float* values) {
                         std::copy_n(t.table->values() + row * width, width, values);
                       });
  }
  writer.finish();
}

void write_optimizer(const ParameterLayout& layout, const std::vector<OrderedTable>& tables,
                     const OptimizerState& optimizer, AtomicFolderWriter& folder) {
  std::vector<TensorSpec> specs = {{names::kStep, Dtype::kI64, {1}}};
  for (const OrderedTable& t : tables)
    specs.push_back({names::pending_ids(*t.config), Dtype::kI64, {t.table->num_pending()}});
  declare_arena(layout, names::kFirstMoment, specs);
  declare_arena(layout, names::kSecondMoment, specs);
  for (const OrderedTable& t : tables)
    specs.push_back({names::states(*t.config), Dtype::kF32, {t.table->num_rows()}});
  for (const OrderedTable& t : tables)
    specs.push_back({names::pending_counts(*t.config), Dtype::kI32, {t.table->num_pending()}});
  SafetensorsWriter writer(folder.create(kOptimizer), std::move(specs));
  writer.append(names::kStep, &optimizer.step, sizeof(optimizer.step));
  using Pending = EmbeddingTable::Pending;
  for (const OrderedTable& t : tables) {
    append_rows<int64_t>(writer, names::pending_ids(*t.config), t.pending, 1,
                         [](const Pending& p, int64_t* id) { *id = p.id; });
  }
  append_arena(layout, names::kFirstMoment, optimizer.first_moment.data(), writer);
  append_arena(layout, names::kSecondMoment, optimizer.second_moment.data(), writer);
  for (const OrderedTable& t : tables) {
    append_floats(writer, names::states(*t.config), t.table->states(), 1);
    append_rows<float>(writer, names::states(*t.config), t.rows, 1,
                       [&](int32_t row, float* value) { *value = t.table->states()[row]; });
  }
  for (const OrderedTable& t : tables) {
    append_rows<int32_t>(writer, names::pending_counts(*t.config), t.pending, 1,
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

/// Reads what model and checkpoint share.
std::unique_ptr<ModelState> read_model(const std::string& path, const FolderManifest& manifest,
                                       const SafetensorsReader* optimizer) {
  const Config config = read_config(manifest.open(path, kConfig));
  const SafetensorsReader dense(manifest.open(path, kDense));
  const SafetensorsReader tables(manifest.open(path, kTables));
  return read_state(config, dense, tables, optimizer);
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
  return read_model(path, read_manifest(path), nullptr);
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
  checkpoint.state = read_model(path, manifest, &reader);
  checkpoint.optimizer = read_optimizer(reader, checkpoint.state->layout);
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
