#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.hpp"

namespace longer {

/// A folder that appears under its name whole or not at all.
///
/// Files go to a temporary sibling `.<name>.tmp-…`; `commit` flushes them to the disk, adds
/// MANIFEST.json with their sizes and checksums (core/folder_manifest.hpp) and renames the sibling
/// into place. An older folder stays whole until that rename and is deleted after it. On an error,
/// and when destroyed without commit, the temporary is removed and the older folder is as it was.
/// One thread at a time. When several write the same folder side by side, one may fail; what stands
/// there is always whole.
class AtomicFolderWriter {
 public:
  /// `path` may be absent, an empty folder, or a folder of the same `format` that holds only what
  /// its manifest names; InvalidArgument for anything else, because commit would delete it. Its
  /// parent must exist. Throws IoError.
  AtomicFolderWriter(const std::string& path, std::string format);
  ~AtomicFolderWriter();
  AtomicFolderWriter(const AtomicFolderWriter&) = delete;
  AtomicFolderWriter& operator=(const AtomicFolderWriter&) = delete;

  /// Starts a file of the folder; it lives as long as the writer. Throws IoError.
  OutputFile& create(const std::string& name);
  void write_text(const std::string& name, std::string_view text) { create(name).write(text); }
  /// Puts the folder in place; the last call. Throws IoError, and InvalidArgument when `path` may
  /// no longer be replaced.
  void commit();

 private:
  struct NamedFile {
    std::string name;
    std::unique_ptr<OutputFile> file;
  };
  void remove_temporary() noexcept;

  std::string format_;
  std::string parent_;
  std::string path_;
  std::string temporary_;
  std::vector<NamedFile> files_;
};

/// Puts folder `from` in the place of folder `to` on a file system that cannot exchange names; what
/// stood there ends up at `from`. `to` is absent between two renames; when the second fails the
/// first is undone. Throws IoError.
void replace_by_two_renames(const std::string& from, const std::string& to);

}  // namespace longer
