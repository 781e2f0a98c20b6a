#include "core/random.hpp"

#include <algorithm>
#include <cmath>

namespace longer {
namespace {

uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

/// Two independent normal numbers from two uniform words (Box and Muller, 1958).
std::array<double, 2> normal_pair(uint32_t a, uint32_t b) {
  constexpr double kTwoPi = 6.283185307179586;
  constexpr double kUnit = 1.0 / 4294967296.0;
  const double radius = std::sqrt(-2.0 * std::log((a + 1.0) * kUnit));
  const double angle = kTwoPi * b * kUnit;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace

uint64_t mix_bits(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdU;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53U;
  return x ^ x >> 33;
}

uint64_t stream_of(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

void fill_normal(uint64_t seed, uint64_t stream, uint64_t item, float deviation, float* values,
                 int64_t count) {
  const uint64_t key = mix_bits(seed ^ mix_bits(stream));
  for (int64_t begin = 0; begin < count; begin += 4) {
    const auto block = static_cast<uint64_t>(begin / 4);
    const auto words =
        philox4x32({low(block), high(block), low(item), high(item)}, {low(key), high(key)});
    const auto first = normal_pair(words[0], words[1]);
    const auto second = normal_pair(words[2], words[3]);
    const std::array<double, 4> normals = {first[0], first[1], second[0], second[1]};
    const int64_t in_block = std::min<int64_t>(4, count - begin);
    for (int64_t i = 0; i < in_block; ++i) {
      values[begin + i] = static_cast<float>(deviation * normals[static_cast<size_t>(i)]);
    }
  }
}

}  // namespace longer
