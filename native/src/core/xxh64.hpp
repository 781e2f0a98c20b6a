#pragma once
#include <cstdint>

namespace longer {

/// XXH64 with seed 0 (xxhash.com, "XXH64 algorithm description"): the id of a text.
uint64_t xxh64(const void* bytes, int64_t count);

}  // namespace longer
