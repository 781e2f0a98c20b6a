#include "core/scratch.hpp"

#include <array>
#include <optional>

#include "core/aligned_buffer.hpp"

namespace longer {

float* thread_scratch(ScratchUse use, int64_t count) {
  thread_local std::array<std::optional<AlignedBuffer>, static_cast<size_t>(ScratchUse::kCount)> buffers;
  std::optional<AlignedBuffer>& buffer = buffers[static_cast<size_t>(use)];
  if (!buffer.has_value() || buffer->size() < count) buffer.emplace(count + count / 4);
  return buffer->data();
}

}  // namespace longer
