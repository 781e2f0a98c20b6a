#pragma once
#include <cstddef>
#include <cstdint>

namespace longer {

/// An array of trivial elements in its own memory mapping, zero-initialised, that doubles without
/// copying pages. Elements may move when it grows. Not copyable.
class GrowableBytes {
 public:
  GrowableBytes() = default;
  ~GrowableBytes();
  GrowableBytes(const GrowableBytes&) = delete;
  GrowableBytes& operator=(const GrowableBytes&) = delete;

  /// Makes room for at least `bytes`; new bytes are 0. Throws OutOfMemory and keeps what it holds.
  void reserve(size_t bytes);
  void* data() const { return data_; }
  size_t capacity() const { return capacity_; }

 private:
  void* data_ = nullptr;
  size_t capacity_ = 0;
};

template <class T>
class GrowableArray {
 public:
  void reserve(int64_t count) { bytes_.reserve(static_cast<size_t>(count) * sizeof(T)); }
  T* data() const { return static_cast<T*>(bytes_.data()); }
  T& operator[](int64_t i) const { return data()[i]; }
  int64_t bytes() const { return static_cast<int64_t>(bytes_.capacity()); }

 private:
  GrowableBytes bytes_;
};

}  // namespace longer
