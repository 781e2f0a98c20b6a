#pragma once
#include "core/aligned_buffer.hpp"

namespace longer {

/// Numbers of a host buffer where the stages of a backend read and write them: the buffer itself
/// where that is host memory, else a copy. The buffer outlives it.
class PlacedFloats {
 public:
  PlacedFloats(AlignedBuffer& host, Memory& memory)
      : host_(&host), copy_(memory.is_host() ? 0 : host.size(), memory) {
    if (copy_.size() > 0) memory.copy(copy_.data(), host.data(), num_bytes());
  }
  float* data() { return copy_.size() > 0 ? copy_.data() : host_->data(); }
  int64_t size() const { return host_->size(); }
  /// Bytes of the copy.
  int64_t bytes() const { return copy_.bytes(); }
  /// Brings the host's buffer up to date.
  void fetch() {
    if (copy_.size() > 0) copy_.memory().copy(host_->data(), copy_.data(), num_bytes());
  }

 private:
  size_t num_bytes() const { return static_cast<size_t>(host_->size()) * sizeof(float); }

  AlignedBuffer* host_;
  AlignedBuffer copy_;
};

}  // namespace longer
