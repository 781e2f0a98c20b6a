#pragma once
#include <cuda_runtime.h>

#include <cstdint>

namespace longer {

/// One slot of an IdIndex.
struct alignas(16) IdSlot {
  int64_t id;
  int32_t row;    // 0 = none yet
  int32_t count;  // occurrences counted of an id without a row
};

/// Open addressing by id in device memory: capacity slots, a power of two, and one more for the id
/// that marks free ones. Threads insert together; where an id ends up depends on their order, what
/// is found there does not.
struct IdIndex {
  static constexpr int64_t kFree = INT64_MIN;
  IdSlot* slots;
  int64_t capacity;
  int32_t* num_used;

  __device__ static uint64_t scatter(uint64_t x) {  // SplitMix64's finaliser
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
  }
  /// Slot of an id, −1 when it has none.
  __device__ int32_t find(int64_t id) const {
    if (id == kFree) return static_cast<int32_t>(capacity);
    for (auto at = static_cast<int64_t>(scatter(static_cast<uint64_t>(id))) & (capacity - 1);;
         at = (at + 1) & (capacity - 1)) {
      const int64_t seen = slots[at].id;
      if (seen == id) return static_cast<int32_t>(at);
      if (seen == kFree) return -1;
    }
  }
  /// As find, taking a free slot when it has none.
  __device__ int32_t find_or_take(int64_t id) const {
    if (id == kFree) return static_cast<int32_t>(capacity);
    for (auto at = static_cast<int64_t>(scatter(static_cast<uint64_t>(id))) & (capacity - 1);;
         at = (at + 1) & (capacity - 1)) {
      int64_t seen = slots[at].id;
      if (seen == kFree) {
        seen = static_cast<int64_t>(atomicCAS(reinterpret_cast<unsigned long long*>(&slots[at].id),
                                              static_cast<unsigned long long>(kFree),
                                              static_cast<unsigned long long>(id)));
        if (seen == kFree) {
          atomicAdd(num_used, 1);
          return static_cast<int32_t>(at);
        }
      }
      if (seen == id) return static_cast<int32_t>(at);
    }
  }
};

}  // namespace longer
