// A checkpoint with one file changed, its checksum no obstacle, is either read whole or rejected
// with the documented errors: nothing behind the checksum trusts what it reads.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/folder_manifest.hpp"
#include "fuzz/file_mutation.hpp"
#include "fuzz/rejection.hpp"
#include "model/model_files.hpp"
#include "model/model_folder.hpp"

namespace {

namespace fs = std::filesystem;

// As few tensors as a model can have: their names are most of what is read.
constexpr const char* kConfig = R"({"format_version": 1,
  "tables": [{"name": "item", "width": 4, "admission": 2}, {"name": "kind", "width": 2, "rows": 3}],
  "event_features": [{"name": "item", "table": "item"}, {"name": "kind", "table": "kind"}],
  "candidate_features": [{"name": "item", "table": "item"}], "tasks": [{"name": "t"}],
  "max_history": 8, "event_width": 4, "merge_factor": 2, "heads": 2, "queries": 2,
  "time_buckets": 4, "time_width": 2, "inner_layers": 0, "self_layers": 0, "cls_tokens": 0})";

enum File : size_t { kConfigFile, kDense, kTables, kOptimizer, kManifest, kFiles };
constexpr const char* kNames[kFiles] = {"config.json", "dense.safetensors", "tables.safetensors",
                                        "optimizer.safetensors", longer::kManifestName};

/// The files of a small checkpoint and what their readers made of them.
class WholeCheckpoint {
 public:
  WholeCheckpoint() {
    const longer::Config config = longer::Config::parse(kConfig);
    const auto state = longer::fresh_state(config, 1);
    const std::vector<int64_t> ids = {5, -7, 5, 9, 5, -7};
    std::vector<int32_t> rows(ids.size());
    state->tables[0]->find_or_insert(ids.data(), static_cast<int64_t>(ids.size()), rows.data());
    const longer::OptimizerState optimizer(state->layout.arena_size());
    std::string folder = (fs::temp_directory_path() / "longer-fuzz-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) std::abort();
    const fs::path path = fs::path(folder) / "checkpoint";
    longer::save_checkpoint(*state, optimizer, "{\"reader\": 3}", path.string());
    for (const char* name : kNames) {
      std::ifstream in(path / name, std::ios::binary);
      contents_.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    fs::remove_all(folder);
    config_ = std::make_unique<const longer::Config>(longer::read_config(file(kConfigFile)));
    for (const File tensors : {kDense, kTables, kOptimizer})
      readers_.push_back(std::make_unique<const longer::SafetensorsReader>(file(tensors)));
  }

  const std::string& content(size_t file) const { return contents_[file]; }
  const longer::Config& config() const { return *config_; }
  const longer::SafetensorsReader& reader(File file) const { return *readers_[file - kDense]; }

 private:
  longer::MappedFile file(File file) const { return {kNames[file], contents_[file]}; }

  std::vector<std::string> contents_;
  std::unique_ptr<const longer::Config> config_;
  std::vector<std::unique_ptr<const longer::SafetensorsReader>> readers_;
};

const WholeCheckpoint& whole() {
  static const WholeCheckpoint checkpoint;
  return checkpoint;
}

void read(const longer::Config& config, const longer::SafetensorsReader& dense,
          const longer::SafetensorsReader& tables, const longer::SafetensorsReader& optimizer) {
  const auto state = longer::read_state(config, dense, tables, &optimizer);
  const auto moments = longer::read_optimizer(optimizer, state->layout);
  if (moments->step < 0) std::abort();
}

/// Reads the checkpoint with `content` in place of one of its files.
void read_with(File changed, const std::string& content) {
  // A heap block of its size, so that the address sanitizer sees a step too far.
  const std::vector<char> block(content.begin(), content.end());
  longer::MappedFile file(kNames[changed], {block.data(), block.size()});
  const WholeCheckpoint& rest = whole();
  if (changed == kManifest) {
    longer::FolderManifest::parse(file.text(), file.path());
  } else if (changed == kConfigFile) {
    read(longer::read_config(file), rest.reader(kDense), rest.reader(kTables),
         rest.reader(kOptimizer));
  } else {
    const longer::SafetensorsReader reader(std::move(file));
    const auto of = [&](File f) -> const longer::SafetensorsReader& {
      return f == changed ? reader : rest.reader(f);
    };
    read(rest.config(), of(kDense), of(kTables), of(kOptimizer));
  }
}

constexpr uint8_t kWhole = 0x80;

File file_of(uint8_t first) { return static_cast<File>((first & ~kWhole) % kFiles); }

/// The first byte chooses the file. With its high bit set the rest is the file; without, it edits
/// the right one: two bytes of place and one of content each.
std::string content_of(const uint8_t* data, size_t size) {
  if ((data[0] & kWhole) != 0) return {reinterpret_cast<const char*>(data + 1), size - 1};
  std::string content = whole().content(file_of(data[0]));
  for (size_t i = 1; i + 2 < size && !content.empty(); i += 3) {
    const size_t place = (data[i] * size_t{256} + data[i + 1]) % content.size();
    content[place] = static_cast<char>(data[i + 2]);
  }
  return content;
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  fuzz::FileMutation mutation(seed, max_size);
  std::string input(reinterpret_cast<const char*>(data), size);
  if (size == 0 || mutation.draw(4) == 0) {
    mutation.change_bytes(input);
    return mutation.put(input, data);
  }
  std::string content = content_of(data, size);
  const File file = file_of(data[0]);
  if (file == kConfigFile || file == kManifest) {
    mutation.change_json(content);
  } else {
    mutation.change_safetensors(content);
  }
  const std::string changed = static_cast<char>(kWhole | file) + content;
  return mutation.put(changed.size() <= max_size ? changed : input, data);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using longer::Status;
  if (size == 0) return 0;
  fuzz::accepts({Status::kCorruptData, Status::kUnsupported},
                [&] { read_with(file_of(data[0]), content_of(data, size)); });
  return 0;
}
