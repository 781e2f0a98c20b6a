// Any file is either rejected as corrupt or every byte of every tensor that the reader names can be
// read. The file is a heap block of its size, so that the address sanitizer sees a step too far.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/safetensors.hpp"
#include "fuzz/file_mutation.hpp"
#include "fuzz/rejection.hpp"

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  fuzz::FileMutation mutation(seed, max_size);
  std::string file(reinterpret_cast<const char*>(data), size);
  mutation.change_safetensors(file);
  return mutation.put(file, data);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::accepts({longer::Status::kCorruptData}, [&] {
    const longer::SafetensorsReader reader{
        longer::MappedFile("file", {reinterpret_cast<const char*>(data), size})};
    unsigned sum = 0;
    for (const auto& [name, tensor] : reader.tensors()) {
      int64_t elements = 1;
      for (const int64_t dimension : tensor.shape) elements *= dimension;
      if (elements * longer::dtype_bytes(tensor.dtype) != tensor.bytes) std::abort();
      for (int64_t i = 0; i < tensor.bytes; ++i) sum += std::to_integer<unsigned>(tensor.data[i]);
    }
    volatile unsigned sink = sum;
    static_cast<void>(sink);
  });
  return 0;
}
