#pragma once
#include <cstdint>

#include "ops/cuda_stream.hpp"

namespace longer {

/// Two arrays of pairs in device memory; sorting writes back and forth between them.
struct SortedPairs {
  uint32_t* keys[2] = {nullptr, nullptr};
  int32_t* values[2] = {nullptr, nullptr};
};

/// Sorts `count` pairs, which stand in the first arrays, by the lowest `bits` bits of their keys;
/// pairs of equal keys keep their order. Returns which arrays hold the result. Enqueues on the
/// stream.
int radix_sort_cuda(CudaStream& stream, const SortedPairs& pairs, int64_t count, int bits);

/// Bits that hold every number up to `largest`.
inline int bits_of(int64_t largest) {
  int bits = 1;
  while (bits < 32 && largest >> bits != 0) ++bits;
  return bits;
}

}  // namespace longer
