#pragma once
#include <cstdint>

namespace longer {

/// Where a model computes; the values are those of `longer_device_kind` in the C ABI.
enum class DeviceKind : int32_t { kCpu = 0, kCuda = 1 };

/// A device and, on the CPU, the number of threads to use (0 = the processors this process may
/// use).
struct Device {
  DeviceKind kind = DeviceKind::kCpu;
  int32_t index = 0;
  int32_t num_threads = 0;
};

}  // namespace longer
