#include "data/permutation.hpp"

#include "core/random.hpp"
#include "longer/error.hpp"

namespace longer {
namespace {

uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

/// Any function of both arguments keeps a Feistel network a permutation; this one spreads every bit
/// of the half over all bits.
uint64_t round_function(uint64_t half, uint64_t key) {
  uint64_t x = (half ^ key) * 0x9E3779B97F4A7C15U;
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93U;
  return x ^ x >> 32;
}

}  // namespace

Permutation::Permutation(int64_t size, uint64_t seed, uint64_t epoch) : size_(size) {
  check_argument(size >= 0 && size <= int64_t{1} << 62,
                 "[permutation] size must be in 0 … 2^62; got ", size);
  while (half_bits_ < 31 && (int64_t{1} << 2 * half_bits_) < size) ++half_bits_;
  for (size_t round = 0; round < keys_.size(); ++round) {
    const auto words = philox4x32({static_cast<uint32_t>(round), low(epoch), high(epoch), 0},
                                  {low(seed), high(seed)});
    keys_[round] = uint64_t{words[0]} << 32 | words[1];
  }
}

uint64_t Permutation::pass(uint64_t value) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t left = value >> half_bits_;
  uint64_t right = value & mask;
  for (const uint64_t key : keys_) {
    const uint64_t next = left ^ (round_function(right, key) & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

int64_t Permutation::operator()(int64_t i) const {
  check_argument(i >= 0 && i < size_, "[permutation] position must be in 0 … ", size_ - 1, "; got ",
                 i);
  auto value = static_cast<uint64_t>(i);
  do {
    value = pass(value);
  } while (value >= static_cast<uint64_t>(size_));
  return static_cast<int64_t>(value);
}

}  // namespace longer
