#include "core/growable_array.hpp"

#include <sys/mman.h>

#include <algorithm>

#include "longer/error.hpp"

namespace longer {
namespace {

constexpr size_t kFirstBytes = size_t{1} << 16;

}  // namespace

GrowableBytes::~GrowableBytes() {
  if (data_ != nullptr) munmap(data_, capacity_);
}

void GrowableBytes::reserve(size_t bytes) {
  if (bytes <= capacity_) return;
  size_t wanted = std::max(capacity_, kFirstBytes);
  while (wanted < bytes) wanted *= 2;
  void* moved = data_ == nullptr ? mmap(nullptr, wanted, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                 : mremap(data_, capacity_, wanted, MREMAP_MAYMOVE);
  if (moved == MAP_FAILED) fail(Status::kOutOfMemory, "[memory] no room for ", wanted, " bytes");
  data_ = moved;
  capacity_ = wanted;
}

}  // namespace longer
