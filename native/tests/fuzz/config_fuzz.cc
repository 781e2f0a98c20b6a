// Any text is either rejected with the documented errors or has a normal form that is its own
// normal form.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "fuzz/file_mutation.hpp"
#include "fuzz/rejection.hpp"
#include "longer/config.hpp"

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  fuzz::FileMutation mutation(seed, max_size);
  std::string text(reinterpret_cast<const char*>(data), size);
  mutation.change_json(text);
  return mutation.put(text, data);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using longer::Status;
  fuzz::accepts({Status::kInvalidArgument, Status::kUnsupported}, [&] {
    const std::string normal =
        longer::Config::parse({reinterpret_cast<const char*>(data), size}).to_json();
    if (longer::Config::parse(normal).to_json() != normal) std::abort();
  });
  return 0;
}
