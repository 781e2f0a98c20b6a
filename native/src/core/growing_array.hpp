#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/memory.hpp"

namespace longer {

/// An array of trivial elements that grows at its end, in host memory or in that of a device. Added
/// elements are 0.
template <class T>
class GrowingArray {
 public:
  explicit GrowingArray(Memory& memory) : memory_(&memory) {}
  ~GrowingArray() {
    if (data_ != nullptr) memory_->release(data_);
  }
  GrowingArray(const GrowingArray&) = delete;
  GrowingArray& operator=(const GrowingArray&) = delete;
  GrowingArray& operator=(GrowingArray&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  GrowingArray(GrowingArray&& other) noexcept
      : memory_(other.memory_),
        data_(std::exchange(other.data_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)) {}

  T* data() const { return data_; }
  /// Elements there is room for.
  int64_t capacity() const { return capacity_; }
  int64_t bytes() const { return capacity_ * static_cast<int64_t>(sizeof(T)); }

  /// Whether `reserve` moves the array: then nobody may be using it.
  bool moves(int64_t count) const { return count > capacity_; }
  void reserve(int64_t count) {
    if (!moves(count)) return;
    const int64_t wanted = std::max(count, 2 * capacity_);
    auto* larger = static_cast<T*>(memory_->allocate(size_of(wanted)));
    memory_->zero(larger + capacity_, size_of(wanted - capacity_));
    if (data_ != nullptr) {
      memory_->copy(larger, data_, size_of(capacity_));
      memory_->release(data_);
    }
    data_ = larger;
    capacity_ = wanted;
  }

 private:
  static size_t size_of(int64_t count) { return static_cast<size_t>(count) * sizeof(T); }

  Memory* memory_;
  T* data_ = nullptr;
  int64_t capacity_ = 0;
};

}  // namespace longer
