#pragma once
#include <cstdint>

namespace longer {

/// Where a model computes; the values are those of `LONGER_DEVICE_…` in the C ABI. Best: the first
/// NVIDIA GPU where this library and this machine can use it, else the CPU.
enum class DeviceKind : int32_t { kCpu = 0, kCuda = 1, kBest = 2 };

/// A device and, on the CPU, the number of threads to use (0 = the processors this process may
/// use).
struct Device {
  DeviceKind kind = DeviceKind::kCpu;
  int32_t index = 0;
  int32_t num_threads = 0;
};

}  // namespace longer
