#pragma once
#include <algorithm>
#include <utility>

#include "core/aligned_buffer.hpp"

namespace longer {

/// An array of floats that grows at its end, in host memory or in that of a device. Added elements
/// are not initialised.
class GrowingFloats {
 public:
  explicit GrowingFloats(Memory& memory) : memory_(0, memory) {}

  float* data() { return memory_.data(); }
  const float* data() const { return memory_.data(); }
  int64_t size() const { return size_; }
  int64_t bytes() const { return memory_.bytes(); }

  /// Whether `resize` moves the array: then nobody may be using it.
  bool moves(int64_t size) const { return size > memory_.size(); }
  void resize(int64_t size) {
    if (moves(size)) {
      AlignedBuffer larger(std::max(size, 2 * memory_.size()), memory_.memory());
      const auto bytes = static_cast<size_t>(size_) * sizeof(float);
      if (bytes > 0) memory_.memory().copy(larger.data(), memory_.data(), bytes);
      memory_ = std::move(larger);
    }
    size_ = size;
  }

 private:
  AlignedBuffer memory_;
  int64_t size_ = 0;
};

}  // namespace longer
