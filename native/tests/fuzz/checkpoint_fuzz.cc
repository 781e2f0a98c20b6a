// A checkpoint with one file changed and its checksum made right again is either read whole or
// rejected with the documented errors: nothing behind the checksum trusts what it reads.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/checksum.hpp"
#include "core/folder_manifest.hpp"
#include "longer/error.hpp"
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

/// A small checkpoint on disk, one of whose files an input changes.
class CheckpointFolder {
 public:
  CheckpointFolder() : path_(memory_folder() / ("longer-fuzz-" + std::to_string(getpid()))) {
    const longer::Config config = longer::Config::parse(kConfig);
    const auto state = longer::fresh_state(config, 1);
    const std::vector<int64_t> ids = {5, -7, 5, 9, 5, -7};
    std::vector<int32_t> rows(ids.size());
    state->tables[0]->find_or_insert(ids.data(), static_cast<int64_t>(ids.size()), rows.data());
    const longer::OptimizerState optimizer(state->layout.arena_size());
    longer::save_checkpoint(*state, optimizer, "{\"reader\": 3}", path_.string());
    manifest_ = longer::FolderManifest::read(path_.string());
    for (const auto& [name, file] : manifest_.files) {
      names_.push_back(name);
      contents_.push_back(read(path_ / name));
    }
  }
  ~CheckpointFolder() { fs::remove_all(path_); }
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;

  std::string path() const { return path_.string(); }
  size_t num_files() const { return names_.size(); }
  const std::string& content(size_t file) const { return contents_[file]; }

  /// Puts `content` in place of a file, checksum and all.
  void replace(size_t file, const std::string& content) {
    write(path_ / names_[file], content);
    longer::FolderManifest manifest = manifest_;
    manifest.files.find(names_[file])->second = {static_cast<int64_t>(content.size()),
                                                 longer::crc32c(content.data(), content.size())};
    write(path_ / longer::kManifestName, manifest.to_json());
  }
  void restore(size_t file) { write(path_ / names_[file], contents_[file]); }

 private:
  /// A disk would take most of the time.
  static fs::path memory_folder() {
    return fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
  }
  static std::string read(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void write(const fs::path& file, const std::string& content) {
    std::ofstream(file, std::ios::binary)
        .write(content.data(), static_cast<std::streamsize>(content.size()));
  }

  fs::path path_;
  longer::FolderManifest manifest_;
  std::vector<std::string> names_;
  std::vector<std::string> contents_;
};

/// The first byte chooses the file. With its high bit set the rest is the file; without, it edits
/// the right one: two bytes of place and one of content each.
std::string changed(const CheckpointFolder& folder, size_t file, const uint8_t* data, size_t size) {
  if ((data[0] & 0x80U) != 0) return {reinterpret_cast<const char*>(data + 1), size - 1};
  std::string content = folder.content(file);
  for (size_t i = 1; i + 2 < size && !content.empty(); i += 3) {
    const size_t place = (data[i] * size_t{256} + data[i + 1]) % content.size();
    content[place] = static_cast<char>(data[i + 2]);
  }
  return content;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static CheckpointFolder folder;
  if (size == 0) return 0;
  const size_t file = (data[0] & 0x7FU) % folder.num_files();
  folder.replace(file, changed(folder, file, data, size));
  try {
    const longer::Checkpoint checkpoint = longer::load_checkpoint(folder.path());
    if (checkpoint.state == nullptr || checkpoint.optimizer == nullptr) std::abort();
  } catch (const longer::Error& error) {
    if (error.status() != longer::Status::kCorruptData &&
        error.status() != longer::Status::kInvalidArgument &&
        error.status() != longer::Status::kUnsupported) {
      std::abort();
    }
  }
  folder.restore(file);
  return 0;
}
