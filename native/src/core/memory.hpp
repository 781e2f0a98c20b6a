#pragma once
#include <cstddef>

namespace longer {

/// Memory that the stages of a backend read and write. Safe from any thread. An operation is done
/// when it returns; it sees what a stream enqueued only after that stream was synchronized.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual bool is_host() const = 0;
  /// At least `bytes`, aligned to 64 bytes, not initialised. Throws OutOfMemory.
  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void* data) noexcept = 0;
  virtual void zero(void* data, size_t bytes) = 0;
  /// Either side may be host memory.
  virtual void copy(void* to, const void* from, size_t bytes) = 0;
};

Memory& host_memory();

}  // namespace longer
