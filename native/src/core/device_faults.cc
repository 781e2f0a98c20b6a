#include "core/device_faults.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <mutex>

#include "longer/error.hpp"

namespace longer {
namespace {

constexpr int kOutOfMemory = 2;

/// Checked against the toolkit's names in ops/cuda_status.cu.
constexpr int kFatal[] = {
    214,  // uncorrectable ECC error
    220,  // uncorrectable NVLink error
    226,  // contained error
    700,  // illegal address
    702,  // launch timeout
    709,  // context is destroyed
    710,  // assert
    714,  // hardware stack error
    715,  // illegal instruction
    716,  // misaligned address
    717,  // invalid address space
    718,  // invalid program counter
    719,  // launch failure
    721,  // tensor memory leak
    810,  // MPS client terminated
    911,  // external device
};

constexpr int kEveryDevice = -1;

class LostDevices {
 public:
  void mark(int device, const std::string& why) {
    const std::lock_guard<std::mutex> lock(mutex_);
    reasons_.emplace(device, why);
    is_any_lost_.store(true, std::memory_order_release);
  }
  bool is_lost(int device) {
    if (!is_any_lost_.load(std::memory_order_acquire)) return false;
    const std::lock_guard<std::mutex> lock(mutex_);
    return find(device) != reasons_.end();
  }
  void check(int device) {
    if (!is_any_lost_.load(std::memory_order_acquire)) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = find(device);
    if (found == reasons_.end()) return;
    throw Error(Status::kDeviceError,
                "[device] CUDA device " + std::to_string(device) +
                    " is lost for this process, which must be restarted to use it again; the first "
                    "error was: " +
                    found->second,
                {true});
  }

 private:
  using Reasons = std::map<int, std::string>;
  Reasons::const_iterator find(int device) const {
    const auto own = reasons_.find(device);
    return own != reasons_.end() ? own : reasons_.find(kEveryDevice);
  }

  std::atomic<bool> is_any_lost_{false};
  std::mutex mutex_;
  Reasons reasons_;
};

/// Never destroyed: handles that are freed while the process ends ask it.
LostDevices& lost_devices() {
  static auto* devices = new LostDevices;
  return *devices;
}

}  // namespace

bool is_fatal_cuda_error(int code) noexcept {
  return std::find(std::begin(kFatal), std::end(kFatal), code) != std::end(kFatal);
}

void fail_cuda(const CudaFailure& failure) {
  const std::string text = std::string("[cuda] ") + failure.what + ": " + failure.description +
                           " (" + failure.name + ")";
  if (failure.code == kOutOfMemory) fail_out_of_memory(-1, failure.bytes_free, text);
  if (!is_fatal_cuda_error(failure.code)) fail(Status::kDeviceError, text);
  mark_device_lost(failure.device, text);
  throw Error(Status::kDeviceError, text + "; the device is lost for this process", {true});
}

void mark_device_lost(int device, const std::string& why) { lost_devices().mark(device, why); }

bool is_device_lost(int device) noexcept { return lost_devices().is_lost(device); }

void check_device_not_lost(int device) { lost_devices().check(device); }

}  // namespace longer
