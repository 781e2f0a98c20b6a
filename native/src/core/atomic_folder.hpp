#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.hpp"

namespace longer {

/// A folder that appears whole or not at all: files go to a temporary sibling, each is flushed to the disk, MANIFEST.json
/// lists their sizes and checksums, and one rename puts the folder in place of an older one, which stays whole until then.
/// Destroyed without commit, it removes what it wrote. One thread at a time.
class AtomicFolderWriter {
 public:
  /// Creates the temporary sibling of `path`. Throws IoError, InvalidArgument for an empty path.
  explicit AtomicFolderWriter(std::string path);
  ~AtomicFolderWriter();
  AtomicFolderWriter(const AtomicFolderWriter&) = delete;
  AtomicFolderWriter& operator=(const AtomicFolderWriter&) = delete;

  /// Starts a file; write to it, then hand it to `close`.
  std::unique_ptr<OutputFile> open(const std::string& name);
  void close(const std::string& name, OutputFile& file);
  void write_text(const std::string& name, std::string_view text);
  /// Writes the manifest and swaps the folder in. Throws IoError and leaves the old folder as it was.
  void commit();

 private:
  struct Entry {
    std::string name;
    int64_t bytes;
    uint32_t checksum;
  };
  void remove_temporary() noexcept;

  std::string path_;
  std::string temporary_;
  std::vector<Entry> entries_;
  bool is_committed_ = false;
};

/// Maps a file of such a folder after checking its size and checksum against the manifest. Throws IoError when folder,
/// manifest or file cannot be read, CorruptData naming the file when they disagree.
class AtomicFolderReader {
 public:
  explicit AtomicFolderReader(std::string path);
  bool contains(std::string_view name) const;
  MappedFile open(const std::string& name) const;

 private:
  struct Entry {
    std::string name;
    int64_t bytes;
    uint32_t checksum;
  };
  std::string path_;
  std::vector<Entry> entries_;
};

}  // namespace longer
