#include "core/growable_array.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <limits>

#include "longer/error.hpp"

namespace longer {
namespace {

constexpr size_t kFirstBytes = size_t{1} << 16;
// A model has three arrays a table; the rest of a limited address space is left to everybody else.
constexpr size_t kShareOfLimit = 64;

size_t round_up(size_t bytes) { return (bytes + kFirstBytes - 1) / kFirstBytes * kFirstBytes; }

/// What the machine could ever back with memory.
size_t machine_bytes() {
  struct sysinfo info {};
  if (::sysinfo(&info) != 0) return std::numeric_limits<size_t>::max() / 2;
  return (static_cast<size_t>(info.totalram) + info.totalswap) * info.mem_unit;
}

/// The process's share for one array; unlimited in most processes.
size_t address_space_share() {
  struct rlimit limit {};
  const bool is_limited = ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return is_limited ? std::max(kFirstBytes, static_cast<size_t>(limit.rlim_cur) / kShareOfLimit)
                    : std::numeric_limits<size_t>::max() / 2;
}

}  // namespace

GrowableBytes::GrowableBytes(size_t max_bytes)
    : most_(round_up(std::min({max_bytes, machine_bytes(), address_space_share()}))) {
  for (;; most_ = round_up(most_ / 2)) {
    void* addresses =
        ::mmap(nullptr, most_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (addresses != MAP_FAILED) {
      data_ = addresses;
      return;
    }
    if (most_ <= kFirstBytes) {
      fail(Status::kOutOfMemory, "[memory] no addresses left for an array of ", most_, " bytes");
    }
  }
}

GrowableBytes::~GrowableBytes() { ::munmap(data_, most_); }

void GrowableBytes::reserve(size_t bytes) {
  if (bytes <= capacity_) return;
  if (bytes > most_) {
    fail_out_of_memory(
        static_cast<int64_t>(bytes), -1, "[memory] an array of ", bytes, " bytes outgrows the ",
        most_,
        " bytes of addresses reserved for it; the machine's memory or ulimit -v bounds them");
  }
  size_t wanted = std::max(capacity_, kFirstBytes);
  while (wanted < bytes) wanted *= 2;
  wanted = std::min(wanted, most_);
  auto* grown = static_cast<std::byte*>(data_) + capacity_;
  if (::mprotect(grown, wanted - capacity_, PROT_READ | PROT_WRITE) != 0) {
    fail_out_of_memory(static_cast<int64_t>(wanted), -1, "[memory] no room for ", wanted, " bytes");
  }
  capacity_ = wanted;
}

}  // namespace longer
