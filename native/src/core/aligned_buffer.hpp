#pragma once
#include <cstdint>
#include <utility>

#include "core/memory.hpp"

namespace longer {

/// An owned, 64-byte aligned, zero-initialised array of floats of fixed size, in host memory or in
/// that of a device, which it must not outlive.
class AlignedBuffer {
 public:
  explicit AlignedBuffer(int64_t size = 0, Memory& memory = host_memory())
      : memory_(&memory), size_(size) {
    if (size <= 0) return;
    data_ = static_cast<float*>(memory.allocate(num_bytes()));
    memory.zero(data_, num_bytes());
  }
  ~AlignedBuffer() {
    if (data_ != nullptr) memory_->release(data_);
  }
  AlignedBuffer(const AlignedBuffer& other) : AlignedBuffer(other.size_, *other.memory_) {
    if (data_ != nullptr) memory_->copy(data_, other.data_, num_bytes());
  }
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : memory_(other.memory_),
        size_(std::exchange(other.size_, 0)),
        data_(std::exchange(other.data_, nullptr)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
  }

  float* data() { return data_; }
  const float* data() const { return data_; }
  Memory& memory() const { return *memory_; }
  int64_t size() const { return size_; }
  int64_t bytes() const { return static_cast<int64_t>(num_bytes()); }

 private:
  size_t num_bytes() const { return static_cast<size_t>(size_) * sizeof(float); }

  Memory* memory_;
  int64_t size_;
  float* data_ = nullptr;
};

}  // namespace longer
