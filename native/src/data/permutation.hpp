#pragma once
#include <array>
#include <cstdint>

namespace longer {

/// A permutation of 0 … size − 1 that is computed, not stored: a Feistel network over the smallest
/// even number of bits that holds `size`, walked until it lands inside (cycle walking: J. Black and
/// P. Rogaway, "Ciphers with arbitrary finite domains", 2002). Each (seed, epoch) has its own.
/// Immutable; safe from any thread.
class Permutation {
 public:
  /// 0 ≤ size ≤ 2^62.
  Permutation(int64_t size, uint64_t seed, uint64_t epoch);

  int64_t size() const { return size_; }
  /// Where position i goes, 0 ≤ i < size. Fewer than four network passes on average.
  int64_t operator()(int64_t i) const;

 private:
  static constexpr int kRounds = 8;

  uint64_t pass(uint64_t value) const;

  int64_t size_;
  int half_bits_ = 1;
  std::array<uint64_t, kRounds> keys_{};
};

}  // namespace longer
