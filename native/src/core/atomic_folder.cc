#include "core/atomic_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/checksum.hpp"
#include "longer/error.hpp"

namespace longer {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kManifest = "MANIFEST.json";

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string parent_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

void sync_folder(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail_io("open", path, errno);
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (result != 0 && error != EINVAL) fail_io("flush", path, error);
}

/// Puts `from` in the place of `to`; what stood there, if anything, ends up at `from`.
void swap_in(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return;
  if (errno != ENOENT && errno != EINVAL && errno != ENOSYS) fail_io("replace", to, errno);
  if (::rename(from.c_str(), to.c_str()) == 0) return;
  if (errno != ENOTEMPTY && errno != EEXIST) fail_io("rename to", to, errno);
  // A file system without exchange: the old folder steps aside, and back if the new one cannot take its place.
  const std::string aside = from + ".old";
  if (::rename(to.c_str(), aside.c_str()) != 0) fail_io("move aside", to, errno);
  if (::rename(from.c_str(), to.c_str()) != 0) {
    const int error = errno;
    ::rename(aside.c_str(), to.c_str());
    fail_io("rename to", to, error);
  }
  ::rename(aside.c_str(), from.c_str());
}

template <class... Parts>
[[noreturn]] void corrupt(const std::string& path, Parts&&... parts) {
  fail(Status::kCorruptData, "[folder] ", path, ": ", std::forward<Parts>(parts)...);
}

}  // namespace

AtomicFolderWriter::AtomicFolderWriter(std::string path) : path_(without_trailing_slash(std::move(path))) {
  check_argument(!path_.empty(), "[folder] the path must not be empty");
  temporary_ = path_ + ".tmp-XXXXXX";
  if (::mkdtemp(temporary_.data()) == nullptr) fail_io("create a folder beside", path_, errno);
  ::chmod(temporary_.c_str(), 0755);
}

AtomicFolderWriter::~AtomicFolderWriter() {
  if (!is_committed_) remove_temporary();
}

void AtomicFolderWriter::remove_temporary() noexcept {
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

std::unique_ptr<OutputFile> AtomicFolderWriter::open(const std::string& name) {
  return std::make_unique<OutputFile>(temporary_ + "/" + name);
}

void AtomicFolderWriter::close(const std::string& name, OutputFile& file) {
  file.sync_and_close();
  entries_.push_back({name, file.bytes(), file.checksum()});
}

void AtomicFolderWriter::write_text(const std::string& name, std::string_view text) {
  const std::unique_ptr<OutputFile> file = open(name);
  file->write(text);
  close(name, *file);
}

void AtomicFolderWriter::commit() {
  Json manifest;
  manifest["format_version"] = 1;
  manifest["files"] = Json::array();
  for (const Entry& e : entries_) {
    manifest["files"].push_back({{"name", e.name}, {"bytes", e.bytes}, {"crc32c", e.checksum}});
  }
  OutputFile file(temporary_ + "/" + kManifest);
  file.write(manifest.dump(2));
  file.sync_and_close();
  sync_folder(temporary_);
  swap_in(temporary_, path_);
  is_committed_ = true;
  sync_folder(parent_of(path_));
  remove_temporary();
}

AtomicFolderReader::AtomicFolderReader(std::string path) : path_(without_trailing_slash(std::move(path))) {
  const MappedFile file(path_ + "/" + kManifest);
  try {
    const Json manifest = Json::parse(file.text());
    if (manifest.at("format_version").get<int64_t>() != 1) {
      fail(Status::kUnsupported, "[folder] ", file.path(), ": this version reads format_version 1; got ",
           manifest.at("format_version").dump());
    }
    for (const Json& entry : manifest.at("files")) {
      entries_.push_back({entry.at("name").get<std::string>(), entry.at("bytes").get<int64_t>(),
                          entry.at("crc32c").get<uint32_t>()});
    }
  } catch (const Json::exception& e) {
    corrupt(file.path(), "is not a manifest: ", e.what());
  }
}

bool AtomicFolderReader::contains(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
}

MappedFile AtomicFolderReader::open(const std::string& name) const {
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
  if (entry == entries_.end()) corrupt(path_, "the manifest lists no ", name);
  MappedFile file(path_ + "/" + name);
  if (file.bytes() != entry->bytes) {
    corrupt(file.path(), "must have ", entry->bytes, " bytes; got ", file.bytes());
  }
  const uint32_t checksum = crc32c(file.data(), static_cast<size_t>(file.bytes()));
  if (checksum != entry->checksum) corrupt(file.path(), "checksum is ", checksum, "; expected ", entry->checksum);
  return file;
}

}  // namespace longer
