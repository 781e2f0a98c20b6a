#include "core/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/checksum.hpp"
#include "longer/error.hpp"

namespace longer {

void fail_io(const char* doing, const std::string& path, int error_number) {
  fail(Status::kIoError, "[file] cannot ", doing, " ", path, ": ",
       std::generic_category().message(error_number), " (errno ", error_number, ")");
}

OutputFile::OutputFile(std::string path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_io("create", path_, errno);
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void OutputFile::write(const void* data, size_t bytes) {
  constexpr size_t kLargestWrite = size_t{1} << 30;  // Linux writes at most 2 GiB − 4 KiB at once
  const auto* next = static_cast<const std::byte*>(data);
  while (bytes > 0) {
    const ssize_t written = ::write(descriptor_, next, std::min(bytes, kLargestWrite));
    if (written < 0) {
      if (errno == EINTR) continue;
      fail_io("write", path_, errno);
    }
    const auto count = static_cast<size_t>(written);
    checksum_ = crc32c(next, count, checksum_);
    bytes_ += written;
    next += count;
    bytes -= count;
  }
}

void OutputFile::sync_and_close() {
  if (descriptor_ < 0) return;
  if (::fsync(descriptor_) != 0) fail_io("flush", path_, errno);
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0 && errno != EINTR) fail_io("close", path_, errno);
}

MappedFile::MappedFile(std::string path) : path_(std::move(path)) {
  // O_NONBLOCK: opening a named pipe must not wait for its writer.
  const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) fail_io("open", path_, errno);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    const int error_number = errno;
    ::close(descriptor);
    fail_io("examine", path_, error_number);
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor);
    fail(Status::kIoError, "[file] cannot read ", path_, ": it is not a regular file");
  }
  bytes_ = status.st_size;
  if (bytes_ > 0) {
    void* mapping =
        ::mmap(nullptr, static_cast<size_t>(bytes_), PROT_READ, MAP_PRIVATE, descriptor, 0);
    const int error_number = errno;
    ::close(descriptor);
    if (mapping == MAP_FAILED) fail_io("map", path_, error_number);
    ::madvise(mapping, static_cast<size_t>(bytes_), MADV_SEQUENTIAL);
    data_ = static_cast<const std::byte*>(mapping);
    is_mapped_ = true;
  } else {
    ::close(descriptor);
  }
}

MappedFile::MappedFile(std::string path, std::string_view content)
    : path_(std::move(path)),
      data_(reinterpret_cast<const std::byte*>(content.data())),
      bytes_(static_cast<int64_t>(content.size())) {}

MappedFile::~MappedFile() {
  if (is_mapped_) ::munmap(const_cast<std::byte*>(data_), static_cast<size_t>(bytes_));
}

void MappedFile::expect_random_access() const {
  if (is_mapped_) {
    // Not MADV_RANDOM, which reads single pages: what is read at one place spans several.
    ::madvise(const_cast<std::byte*>(data_), static_cast<size_t>(bytes_), MADV_NORMAL);
  }
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      is_mapped_(std::exchange(other.is_mapped_, false)) {}

}  // namespace longer
