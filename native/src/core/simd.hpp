#pragma once
// Sixteen-lane vectors for the CPU kernels, on every tier. Included only by sources under kernels/
// (see core/vec.hpp).
#include "core/vec_math.hpp"

namespace longer::LONGER_TIER {

/// Sixteen floats on every tier: one AVX-512 register, two AVX2 ones, four SSE ones. Lane order and
/// the order of sums are the same on all of them.
using f32x16 = float __attribute__((vector_size(64)));
using i32x16 = int32_t __attribute__((vector_size(64)));

LONGER_INLINE f32x16 splat(float value) { return value - f32x16{}; }
LONGER_INLINE f32x16 load(const float* p) {
  f32x16 v;
  __builtin_memcpy(&v, p, sizeof(v));
  return v;
}
LONGER_INLINE void store(float* p, f32x16 v) { __builtin_memcpy(p, &v, sizeof(v)); }
LONGER_INLINE f32x16 select(i32x16 mask, f32x16 yes, f32x16 no) { return mask ? yes : no; }
LONGER_INLINE f32x16 max(f32x16 a, f32x16 b) { return select(a > b, a, b); }

// Sixteen lanes as registers.
LONGER_INLINE Vecs<kParts> parts_of(f32x16 v) {
  Vecs<kParts> parts;
  __builtin_memcpy(&parts, &v, sizeof(v));
  return parts;
}
LONGER_INLINE f32x16 whole_of(const Vecs<kParts>& parts) {
  f32x16 v;
  __builtin_memcpy(&v, &parts, sizeof(v));
  return v;
}
LONGER_INLINE f32x16 exp(f32x16 x) { return whole_of(vec_exp(parts_of(x))); }
/// The first `count` lanes from memory, zeros in the others; touches no other memory.
LONGER_INLINE f32x16 load_partial(const float* p, int64_t count) {
  return whole_of(vecs_of<kParts>([&](unsigned i) {
    const int64_t rest = count - i * kVecLanes;
    return rest >= kVecLanes ? vec_load(p + i * kVecLanes)
           : rest > 0        ? vec_load_partial(p + i * kVecLanes, rest)
                             : vec{};
  }));
}
LONGER_INLINE void store_partial(float* p, f32x16 v, int64_t count) {
  const auto parts = parts_of(v);
#pragma GCC unroll 4
  for (unsigned i = 0; i < kParts; ++i) {
    const int64_t rest = count - i * kVecLanes;
    if (rest > 0) vec_store(p + i * kVecLanes, parts.part[i], rest < kVecLanes ? rest : kVecLanes);
  }
}
/// Sum of the lanes, as a fixed binary tree: lanes 8 apart first, on every tier.
LONGER_INLINE float reduce_add(f32x16 v) {
  auto parts = parts_of(v);
  return reduce_parts(parts.part);
}
LONGER_INLINE float reduce_max(f32x16 v) {
  auto parts = parts_of(v);
#pragma GCC unroll 4
  for (unsigned i = 1; i < kParts; ++i) parts.part[0] = vec_max(parts.part[0], parts.part[i]);
  return vec_reduce_max(parts.part[0]);
}

}  // namespace longer::LONGER_TIER
