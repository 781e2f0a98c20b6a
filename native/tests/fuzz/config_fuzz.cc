// Any text is either rejected with the documented errors or has a normal form that is its own
// normal form.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "longer/config.hpp"
#include "longer/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const std::string normal =
        longer::Config::parse({reinterpret_cast<const char*>(data), size}).to_json();
    if (longer::Config::parse(normal).to_json() != normal) std::abort();
  } catch (const longer::Error& error) {
    if (error.status() != longer::Status::kInvalidArgument &&
        error.status() != longer::Status::kUnsupported) {
      std::abort();
    }
  }
  return 0;
}
