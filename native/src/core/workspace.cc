#include "core/workspace.hpp"

#include <algorithm>

#include "longer/error.hpp"

namespace longer {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kSmallestBlock = size_t{1} << 18;
constexpr size_t kMostBytes = size_t{1} << 62;
constexpr size_t kLargestGrowth = size_t{1} << 26;  // beyond it blocks are as large as asked for

}  // namespace

Workspace::~Workspace() {
  for (const Block& block : blocks_) memory_->release(block.data);
}

size_t Workspace::capacity_bytes() const {
  size_t sum = 0;
  for (const Block& block : blocks_) sum += block.bytes;
  return sum;
}

void* Workspace::allocate_elements(int64_t count, size_t element_bytes) {
  if (count < 0 || static_cast<size_t>(count) > kMostBytes / element_bytes) {
    fail(Status::kOutOfMemory, "[workspace] no room for ", count, " elements of ", element_bytes,
         " bytes");
  }
  const size_t wanted = static_cast<size_t>(count) * element_bytes;
  const size_t bytes = std::max(kAlignment, (wanted + kAlignment - 1) / kAlignment * kAlignment);
  if (current_ < blocks_.size() && bytes <= blocks_[current_].bytes - used_) {
    std::byte* data = blocks_[current_].data + used_;
    used_ += bytes;
    return data;
  }
  // All blocks behind the current one are free.
  size_t next = blocks_.empty() ? 0 : current_ + 1;
  while (next < blocks_.size() && blocks_[next].bytes < bytes) ++next;
  if (next == blocks_.size()) {
    const size_t growth = std::clamp(capacity_bytes(), kSmallestBlock, kLargestGrowth);
    const size_t block_bytes = std::max(bytes, growth);
    next = blocks_.empty() ? 0 : current_ + 1;
    const auto position = blocks_.begin() + static_cast<std::ptrdiff_t>(next);
    const auto inserted = blocks_.insert(position, Block{nullptr, 0});
    try {
      inserted->data = static_cast<std::byte*>(memory_->allocate(block_bytes));
    } catch (...) {
      blocks_.erase(inserted);
      throw;
    }
    inserted->bytes = block_bytes;
  }
  current_ = next;
  used_ = bytes;
  return blocks_[current_].data;
}

Workspace& thread_workspace() {
  thread_local Workspace workspace;
  return workspace;
}

}  // namespace longer
