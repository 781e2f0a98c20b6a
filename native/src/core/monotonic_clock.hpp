#pragma once
#include <chrono>
#include <cstdint>
#include <functional>

namespace longer {

/// Nanoseconds from a fixed point in time, never descending. Tests put their own in its place.
using Clock = std::function<int64_t()>;

inline int64_t monotonic_nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace longer
