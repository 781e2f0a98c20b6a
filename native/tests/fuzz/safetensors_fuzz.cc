// Any file is either rejected as corrupt or every byte of every tensor that the reader names can be
// read.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "core/file.hpp"
#include "core/safetensors.hpp"
#include "longer/error.hpp"

namespace {

/// A file in memory, gone when closed.
class MemoryFile {
 public:
  MemoryFile(const uint8_t* data, size_t size) : descriptor_(memfd_create("safetensors", 0)) {
    if (descriptor_ < 0 || write(descriptor_, data, size) != static_cast<ssize_t>(size)) {
      std::abort();
    }
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const MemoryFile file(data, size);
  try {
    const longer::SafetensorsReader reader{longer::MappedFile(file.path())};
    unsigned sum = 0;
    for (const auto& [name, tensor] : reader.tensors()) {
      int64_t elements = 1;
      for (const int64_t dimension : tensor.shape) elements *= dimension;
      if (elements * longer::dtype_bytes(tensor.dtype) != tensor.bytes) std::abort();
      for (int64_t i = 0; i < tensor.bytes; ++i) sum += std::to_integer<unsigned>(tensor.data[i]);
    }
    volatile unsigned sink = sum;
    static_cast<void>(sink);
  } catch (const longer::Error& error) {
    if (error.status() != longer::Status::kCorruptData) std::abort();
  }
  return 0;
}
