#include "core/atomic_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "core/folder_manifest.hpp"
#include "longer/error.hpp"

namespace longer {
namespace {

namespace fs = std::filesystem;

/// Flushes the names in a folder.
void sync_folder(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail_io("open", path, errno);
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  // Some file systems cannot flush a folder and say so with EINVAL.
  if (result != 0 && error != EINVAL) fail_io("flush", path, error);
}

std::optional<std::string> resolved(const std::string& path) {
  char* text = ::realpath(path.c_str(), nullptr);
  if (text == nullptr) return std::nullopt;
  std::string result = text;
  std::free(text);
  return result;
}

/// The absolute path of a folder that need not exist; its parent must. A link to a folder stands
/// for that folder.
fs::path absolute_target(const std::string& path) {
  check_argument(!path.empty(), "[folder] the path must not be empty");
  if (const auto existing = resolved(path)) return *existing;
  fs::path plain = path;
  if (!plain.has_filename()) plain = plain.parent_path();
  const fs::path parent = plain.parent_path().empty() ? "." : plain.parent_path();
  const auto existing_parent = resolved(parent.string());
  if (!existing_parent) fail_io("open the folder", parent.string(), errno);
  return fs::path(*existing_parent) / plain.filename();
}

/// Throws InvalidArgument unless `path` may be deleted in favour of a new folder of `format`.
void check_replaceable(const std::string& path, const std::string& format) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return;
    fail_io("examine", path, errno);
  }
  check_argument(S_ISDIR(status.st_mode), "[folder] ", path, " exists and is not a folder");
  std::error_code error;
  fs::directory_iterator entries(path, error);
  if (error) fail_io("list", path, error.value());
  if (entries == fs::directory_iterator()) return;
  FolderManifest manifest;
  try {
    manifest = FolderManifest::read(path);
  } catch (const Error& e) {
    fail(Status::kInvalidArgument, "[folder] ", path, " is not empty and not a ", format,
         " folder, so it is not replaced; delete it or choose another path (", e.what(), ")");
  }
  check_argument(manifest.format == format, "[folder] ", path, " is a ", manifest.format,
                 " folder, not a ", format, "; it is not replaced");
  for (const fs::directory_entry& entry : entries) {
    const std::string name = entry.path().filename().string();
    check_argument(name == kManifestName || manifest.files.count(name) == 1, "[folder] ", path,
                   " holds ", name, ", which its manifest does not name; it is not replaced");
  }
}

std::string make_temporary(const std::string& parent, const std::string& name) {
  static std::atomic<uint64_t> counter{0};
  for (;;) {
    const std::string path = parent + "/." + name + ".tmp-" + std::to_string(::getpid()) + "-" +
                             std::to_string(counter.fetch_add(1));
    if (::mkdir(path.c_str(), 0777) == 0) return path;
    if (errno != EEXIST) fail_io("create", path, errno);
  }
}

/// Puts `from` in the place of `to`; what stood there, if anything, ends up at `from`.
void move_into_place(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return;
  if (errno != ENOENT && errno != EINVAL && errno != ENOSYS) fail_io("replace", to, errno);
  if (::rename(from.c_str(), to.c_str()) == 0) return;
  if (errno != ENOTEMPTY && errno != EEXIST) fail_io("rename to", to, errno);
  replace_by_two_renames(from, to);
}

}  // namespace

void replace_by_two_renames(const std::string& from, const std::string& to) {
  const std::string aside = from + "-old";
  if (::rename(to.c_str(), aside.c_str()) != 0) fail_io("move aside", to, errno);
  if (::rename(from.c_str(), to.c_str()) != 0) {
    const int error = errno;
    ::rename(aside.c_str(), to.c_str());
    fail_io("rename to", to, error);
  }
  if (::rename(aside.c_str(), from.c_str()) != 0) fail_io("rename to", from, errno);
}

AtomicFolderWriter::AtomicFolderWriter(const std::string& path, std::string format)
    : format_(std::move(format)) {
  const fs::path target = absolute_target(path);
  check_argument(target.has_filename() && target.filename() != "." && target.filename() != "..",
                 "[folder] \"", path, "\" names no folder that could be written");
  path_ = target.string();
  parent_ = target.parent_path().string();
  check_replaceable(path_, format_);
  temporary_ = make_temporary(parent_, target.filename().string());
}

AtomicFolderWriter::~AtomicFolderWriter() { remove_temporary(); }

void AtomicFolderWriter::remove_temporary() noexcept {
  std::error_code ignored;  // what cannot be deleted is harmless: nobody reads a temporary
  fs::remove_all(temporary_, ignored);
}

OutputFile& AtomicFolderWriter::create(const std::string& name) {
  files_.push_back({name, std::make_unique<OutputFile>(temporary_ + "/" + name)});
  return *files_.back().file;
}

void AtomicFolderWriter::commit() {
  FolderManifest manifest;
  manifest.format = format_;
  for (const NamedFile& f : files_) {
    f.file->sync_and_close();
    manifest.files[f.name] = {f.file->bytes(), f.file->checksum()};
  }
  OutputFile file(temporary_ + "/" + kManifestName);
  file.write(manifest.to_json());
  file.sync_and_close();
  sync_folder(temporary_);
  check_replaceable(path_, format_);
  move_into_place(temporary_, path_);
  remove_temporary();  // the older folder, if there was one
  sync_folder(parent_);
}

}  // namespace longer
