#pragma once
#include <cstdint>

namespace longer {

/// Who uses a thread's scratch memory; uses that nest on one thread must differ.
enum class ScratchUse { kWeightGradient, kAttention, kLayerNorm, kEventEncoder, kCount };

/// At least `count` floats of this thread's own memory, 64-byte aligned and not initialised; valid until the next request
/// for the same use. Grows only.
float* thread_scratch(ScratchUse use, int64_t count);

}  // namespace longer
