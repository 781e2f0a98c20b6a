#pragma once
#include <cstddef>
#include <cstdint>

namespace longer {

/// An array of trivial elements, zero-initialised, that grows in place: addresses are reserved once
/// and given memory as the array grows, so that pointers to elements stay valid. Not copyable.
class GrowableBytes {
 public:
  /// Reserves addresses for at most `max_bytes`, less where the machine's memory or the process's
  /// limit (`ulimit -v`) could never fill them. Throws OutOfMemory.
  explicit GrowableBytes(size_t max_bytes);
  ~GrowableBytes();
  GrowableBytes(const GrowableBytes&) = delete;
  GrowableBytes& operator=(const GrowableBytes&) = delete;

  /// Makes room for at least `bytes`; new bytes are 0. Throws OutOfMemory and keeps what it holds.
  void reserve(size_t bytes);
  void* data() const { return data_; }
  size_t capacity() const { return capacity_; }
  /// Bytes that addresses are reserved for.
  size_t most() const { return most_; }

 private:
  void* data_ = nullptr;
  size_t capacity_ = 0;
  size_t most_ = 0;
};

template <class T>
class GrowableArray {
 public:
  explicit GrowableArray(int64_t max_count) : bytes_(static_cast<size_t>(max_count) * sizeof(T)) {}
  void reserve(int64_t count) { bytes_.reserve(static_cast<size_t>(count) * sizeof(T)); }
  T* data() const { return static_cast<T*>(bytes_.data()); }
  T& operator[](int64_t i) const { return data()[i]; }
  int64_t bytes() const { return static_cast<int64_t>(bytes_.capacity()); }

 private:
  GrowableBytes bytes_;
};

}  // namespace longer
