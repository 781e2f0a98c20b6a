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

/// What some errors say in numbers.
struct ErrorDetails {
  bool is_fatal = false;     // of DeviceError: the device is lost for this process
  int64_t bytes_asked = -1;  // of OutOfMemory; -1: not known
  int64_t bytes_free = -1;   // of OutOfMemory, where it was asked for; -1: not known
};

/// The one exception type of the native core. `what()` reads `[where] what was wrong; got X,
/// expected Y`.
class Error : public std::runtime_error {
 public:
  Error(Status status, const std::string& message, const ErrorDetails& details = {})
      : std::runtime_error(message), status_(status), details_(details) {}
  Status status() const noexcept { return status_; }
  const ErrorDetails& details() const noexcept { return details_; }

 private:
  Status status_;
  ErrorDetails details_;
};

/// Throws `Error` whose message is the concatenation of `parts`.
template <class... Parts>
[[noreturn]] void fail(Status status, Parts&&... parts) {
  std::ostringstream message;
  (message << ... << std::forward<Parts>(parts));
  throw Error(status, message.str());
}

/// Throws `OutOfMemory` for `bytes_asked` where `bytes_free` were free (-1: not known).
template <class... Parts>
[[noreturn]] void fail_out_of_memory(int64_t bytes_asked, int64_t bytes_free, Parts&&... parts) {
  std::ostringstream message;
  (message << ... << std::forward<Parts>(parts));
  throw Error(Status::kOutOfMemory, message.str(), {false, bytes_asked, bytes_free});
}

/// Throws `InvalidArgument` with the concatenated `parts` unless `holds`.
template <class... Parts>
void check_argument(bool holds, Parts&&... parts) {
  if (!holds) fail(Status::kInvalidArgument, std::forward<Parts>(parts)...);
}

}  // namespace longer
