#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace longer {

/// Throws IoError `[where] cannot <doing> <path>: <text of error_number>`.
[[noreturn]] void fail_io(const char* doing, const std::string& path, int error_number);

/// A new file being written; knows its size and CRC-32C. One thread at a time.
class OutputFile {
 public:
  /// Creates `path`, which must not exist. Throws IoError.
  explicit OutputFile(std::string path);
  /// Closes without a promise that the bytes are on disk.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Appends; buffers nothing. Throws IoError (disk full, size limit …).
  void write(const void* data, size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Flushes to the disk and closes, once: again it does nothing. Throws IoError.
  void sync_and_close();

  const std::string& path() const { return path_; }
  int64_t bytes() const { return bytes_; }
  uint32_t checksum() const { return checksum_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  int64_t bytes_ = 0;
  uint32_t checksum_ = 0;
};

/// A file mapped for reading; safe from any thread. The file must not be shortened while it is
/// mapped (model folders are replaced by renaming, never in place).
class MappedFile {
 public:
  /// Throws IoError when `path` cannot be read or is no regular file.
  explicit MappedFile(std::string path);
  /// A file whose bytes lie in memory already: borrowed, not copied. `path` is what errors call it.
  MappedFile(std::string path, std::string_view content);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  MappedFile& operator=(MappedFile&&) = delete;

  /// Reads will jump, not run from front to back as the constructor tells the system.
  void expect_random_access() const;

  const std::string& path() const { return path_; }
  const std::byte* data() const { return data_; }
  int64_t bytes() const { return bytes_; }
  std::string_view text() const {
    return {reinterpret_cast<const char*>(data_), static_cast<size_t>(bytes_)};
  }

 private:
  std::string path_;
  const std::byte* data_ = nullptr;
  int64_t bytes_ = 0;
  bool is_mapped_ = false;  // else borrowed
};

}  // namespace longer
