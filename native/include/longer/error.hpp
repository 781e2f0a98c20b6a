#pragma once
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace longer {

/// Outcome of a call; the values are those of `longer_status` in the C ABI.
enum class Status : int32_t {
  kOk = 0,
  kInvalidArgument = 1,
  kInvalidState = 2,
  kOutOfMemory = 3,
  kDeviceError = 4,
  kUnsupported = 5,
  kIoError = 6,
  kCorruptData = 7,
  kOverloaded = 8,
  kCancelled = 9,
  kInternal = 10,
};

/// The one exception type of the native core. `what()` reads `[where] what was wrong; got X,
/// expected Y`.
class Error : public std::runtime_error {
 public:
  Error(Status status, const std::string& message) : std::runtime_error(message), status_(status) {}
  Status status() const noexcept { return status_; }

 private:
  Status status_;
};

/// Throws `Error` whose message is the concatenation of `parts`.
template <class... Parts>
[[noreturn]] void fail(Status status, Parts&&... parts) {
  std::ostringstream message;
  (message << ... << std::forward<Parts>(parts));
  throw Error(status, message.str());
}

/// Throws `InvalidArgument` with the concatenated `parts` unless `holds`.
template <class... Parts>
void check_argument(bool holds, Parts&&... parts) {
  if (!holds) fail(Status::kInvalidArgument, std::forward<Parts>(parts)...);
}

}  // namespace longer
