#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace longer {

/// Philox4x32-10 (Salmon et al., SC'11): the counter-based generator behind every random number, so
/// that a value depends only on its key and counter, never on the order of calls.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// FNV-1a hash that turns a parameter or table name into a generator stream.
uint64_t stream_of(std::string_view name);

/// Fills `values[0 … count)` with normal numbers of the given deviation; value i depends on (seed,
/// stream, item, i) only.
void fill_normal(uint64_t seed, uint64_t stream, uint64_t item, float deviation, float* values,
                 int64_t count);

}  // namespace longer
