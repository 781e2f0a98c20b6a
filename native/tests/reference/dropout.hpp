#pragma once
// Dropout's masks, written from native/docs/model.md, "Dropout".
#include <array>
#include <cmath>
#include <cstdint>

namespace longer::reference {

/// Philox4x32 with ten rounds (Salmon et al., SC'11, figure 2).
inline std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    if (round > 0) {
      k[0] += 0x9E3779B9U;
      k[1] += 0xBB67AE85U;
    }
    const uint64_t left = static_cast<uint64_t>(c[0]) * 0xD2511F53U;
    const uint64_t right = static_cast<uint64_t>(c[2]) * 0xCD9E8D57U;
    c = {static_cast<uint32_t>(right >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(right),
         static_cast<uint32_t>(left >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(left)};
  }
  return c;
}

/// MurmurHash3's finaliser.
inline uint64_t murmur_mix(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCDU;
  x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53U;
  return x ^ (x >> 33);
}

/// One optimizer step's masks.
struct DropoutMasks {
  double probability = 0.0;
  uint64_t seed = 0;
  int64_t step = 1;

  /// 0 for a dropped element, 1 / (1 − probability) for the others. site: 0 attention, 1
  /// feed-forward, 2 head.
  double factor(int layer, int site, uint32_t request, uint32_t ordinal, uint32_t column) const {
    if (probability == 0.0) return 1.0;
    const uint64_t key = murmur_mix(seed ^ murmur_mix(static_cast<uint64_t>(step)));
    const auto words =
        philox({column / 4, ordinal, request, static_cast<uint32_t>(4 * layer + site)},
               {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)});
    const bool is_dropped =
        static_cast<double>(words[column % 4]) < std::floor(probability * 4294967296.0);
    return is_dropped ? 0.0 : 1.0 / (1.0 - probability);
  }
};

}  // namespace longer::reference
