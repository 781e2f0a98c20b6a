#include "core/memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "longer/error.hpp"

namespace longer {
namespace {

constexpr size_t kAlignment = 64;

class HostMemory final : public Memory {
 public:
  bool is_host() const override { return true; }
  void* allocate(size_t bytes) override {
    const size_t whole = (std::max<size_t>(1, bytes) + kAlignment - 1) / kAlignment * kAlignment;
    void* data = std::aligned_alloc(kAlignment, whole);
    if (data == nullptr) {
      fail_out_of_memory(static_cast<int64_t>(whole), -1, "[memory] no room for ", whole, " bytes");
    }
    return data;
  }
  void release(void* data) noexcept override { std::free(data); }
  void zero(void* data, size_t bytes) override { std::memset(data, 0, bytes); }
  void copy(void* to, const void* from, size_t bytes) override {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
};

}  // namespace

Memory& host_memory() {
  static HostMemory memory;
  return memory;
}

}  // namespace longer
