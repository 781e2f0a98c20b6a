#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace longer {

/// Philox4x32-10 (Salmon et al., SC'11): the counter-based generator behind every random number, so
/// that a value depends only on its key and counter, never on the order of calls.
constexpr std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter,
                                             std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

/// Spreads every input bit over all output bits (the finaliser of MurmurHash3).
uint64_t mix_bits(uint64_t x);

/// FNV-1a hash that turns a parameter or table name into a generator stream.
uint64_t stream_of(std::string_view name);

/// Fills `values[0 … count)` with normal numbers of the given deviation; value i depends on (seed,
/// stream, item, i) only.
void fill_normal(uint64_t seed, uint64_t stream, uint64_t item, float deviation, float* values,
                 int64_t count);

}  // namespace longer
