#pragma once
#include <atomic>
#include <cstdint>

namespace longer {

/// A process-wide count that tests and the doctor read.
class LiveCount {
 public:
  void add(int64_t amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

/// Handles of the C ABI that are open.
LiveCount& live_handles();
/// Bytes held by models, trainers and caches.
LiveCount& live_bytes();

}  // namespace longer
