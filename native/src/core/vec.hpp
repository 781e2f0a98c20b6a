#pragma once
// The registers of a CPU tier. Included only by sources under kernels/, which are compiled once per
// tier; all names live in the tier's namespace so that no two tiers share a symbol.
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define LONGER_INLINE inline __attribute__((always_inline))

namespace longer::LONGER_TIER {

/// The widest registers of the tier, for loops that keep sums in them: GCC holds wider vectors in
/// memory.
#if defined(__AVX512F__)
inline constexpr int64_t kVecLanes = 16;
#elif defined(__AVX2__)
inline constexpr int64_t kVecLanes = 8;
#else
inline constexpr int64_t kVecLanes = 4;
#endif
using vec = float __attribute__((vector_size(kVecLanes * 4)));
using ivec = int32_t __attribute__((vector_size(kVecLanes * 4)));

#if defined(__AVX512F__)
// GCC 12 warns of an undefined source operand in the unmasked forms of some intrinsics, so the
// masked ones are used.
inline constexpr __mmask16 kAllLanes = 0xFFFF;
#endif

LONGER_INLINE vec vec_splat(float value) { return value - vec{}; }
LONGER_INLINE vec vec_load(const float* p) {
  vec v;
  __builtin_memcpy(&v, p, sizeof(v));
  return v;
}
LONGER_INLINE void vec_store(float* p, vec v) { __builtin_memcpy(p, &v, sizeof(v)); }
/// The first `count` ≤ kVecLanes lanes from memory, zeros in the others; touches no other memory.
LONGER_INLINE vec vec_load_partial(const float* p, int64_t count) {
#if defined(__AVX512F__)
  return (vec)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1U), p);
#elif defined(__AVX2__)
  return (vec)_mm256_maskload_ps(
      p, (__m256i)(ivec{0, 1, 2, 3, 4, 5, 6, 7} < static_cast<int32_t>(count)));
#else
  vec v{};
  for (int64_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
#endif
}
LONGER_INLINE void vec_store_partial(float* p, vec v, int64_t count) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1U << count) - 1U), (__m512)v);
#elif defined(__AVX2__)
  _mm256_maskstore_ps(p, (__m256i)(ivec{0, 1, 2, 3, 4, 5, 6, 7} < static_cast<int32_t>(count)),
                      (__m256)v);
#else
  for (int64_t i = 0; i < count; ++i) p[i] = v[i];
#endif
}
/// As vec_load and vec_store for the first `count` lanes, where all of them is the usual case.
LONGER_INLINE vec vec_load(const float* p, int64_t count) {
  return count == kVecLanes ? vec_load(p) : vec_load_partial(p, count);
}
LONGER_INLINE void vec_store(float* p, vec v, int64_t count) {
  if (count == kVecLanes) {
    vec_store(p, v);
  } else {
    vec_store_partial(p, v, count);
  }
}
LONGER_INLINE vec vec_select(ivec mask, vec yes, vec no) { return mask ? yes : no; }
/// The larger and the smaller lanes; b where one is undefined.
LONGER_INLINE vec vec_max(vec a, vec b) {
#if defined(__AVX512F__)
  return (vec)_mm512_maskz_max_ps(kAllLanes, (__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (vec)_mm256_max_ps((__m256)a, (__m256)b);
#else
  return vec_select(a > b, a, b);
#endif
}
LONGER_INLINE vec vec_min(vec a, vec b) {
#if defined(__AVX512F__)
  return (vec)_mm512_maskz_min_ps(kAllLanes, (__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (vec)_mm256_min_ps((__m256)a, (__m256)b);
#else
  return vec_select(a < b, a, b);
#endif
}
/// Lane i of the result is lane lanes[i] of `a` followed by `b`.
LONGER_INLINE vec vec_shuffle(vec a, vec b, ivec lanes) {
#if defined(__clang__)
  // Knows shuffles by constants only. The fuzzers are built with it.
  vec v{};
  constexpr auto kCount = static_cast<int32_t>(kVecLanes);
  for (int32_t i = 0; i < kCount; ++i) {
    v[i] = lanes[i] < kCount ? a[lanes[i]] : b[lanes[i] - kCount];
  }
  return v;
#else
  return __builtin_shuffle(a, b, lanes);
#endif
}
/// Lane i of the result is lane i XOR kDistance of `v`.
template <unsigned kDistance>
LONGER_INLINE vec vec_exchange(vec v) {
  ivec lanes{};
#pragma GCC unroll 16
  for (int32_t i = 0; i < kVecLanes; ++i) lanes[i] = i ^ static_cast<int32_t>(kDistance);
  return vec_shuffle(v, v, lanes);
}
/// Sum of the lanes, as a fixed binary tree: lanes half a register apart first.
template <unsigned kDistance = kVecLanes / 2>
LONGER_INLINE float vec_reduce_add(vec v) {
  v += vec_exchange<kDistance>(v);
  if constexpr (kDistance > 1) return vec_reduce_add<kDistance / 2>(v);
  return v[0];
}
template <unsigned kDistance = kVecLanes / 2>
LONGER_INLINE float vec_reduce_max(vec v) {
  v = vec_max(v, vec_exchange<kDistance>(v));
  if constexpr (kDistance > 1) return vec_reduce_max<kDistance / 2>(v);
  return v[0];
}
/// Turns kVecLanes rows into columns in place: swaps the off-diagonal quarters of blocks of 2, 4, …
/// lanes.
template <unsigned kHalf = 1>
LONGER_INLINE void vec_transpose(vec (&rows)[kVecLanes]) {
  constexpr auto kDistance = static_cast<int32_t>(kHalf);
  constexpr auto kCount = static_cast<int32_t>(kVecLanes);
  ivec low{};
  ivec high{};
#pragma GCC unroll 16
  for (int32_t i = 0; i < kCount; ++i) {
    low[i] = (i & kDistance) != 0 ? kCount + i - kDistance : i;
    high[i] = (i & kDistance) != 0 ? kCount + i : i + kDistance;
  }
#pragma GCC unroll 16
  for (int32_t i = 0; i < kCount; ++i) {
    if ((i & kDistance) != 0) continue;
    const vec a = rows[i];
    const vec b = rows[i + kDistance];
    rows[i] = vec_shuffle(a, b, low);
    rows[i + kDistance] = vec_shuffle(a, b, high);
  }
  if constexpr (2 * kHalf < kVecLanes) vec_transpose<2 * kHalf>(rows);
}
/// Keeps the compiler from merging the operation that made `v` with the one that uses it: a product
/// that ends a function would otherwise become a fused multiply-add at some call sites and not at
/// others, with other bits.
LONGER_INLINE vec vec_finished(vec v) {
#if defined(__AVX512F__)
  asm("" : "+v"(v));
#elif defined(__x86_64__)
  asm("" : "+x"(v));
#elif defined(__aarch64__)
  asm("" : "+w"(v));
#endif
  return v;
}

// Sums over columns run in sixteen lanes on every tier, held in kParts registers: AVX2 and AVX-512
// give the same bits.
inline constexpr int64_t kLanes = 16;
inline constexpr unsigned kParts = kLanes / kVecLanes;

/// body(c, count, part) for columns c, c + kVecLanes, … of `cols`: `count` lanes exist, and they
/// belong to register `part` of the sums.
template <class Body>
LONGER_INLINE void for_parts(int64_t cols, const Body& body) {
  int64_t c = 0;
  for (; c + kLanes <= cols; c += kLanes) {
#pragma GCC unroll 4
    for (unsigned part = 0; part < kParts; ++part) body(c + part * kVecLanes, kVecLanes, part);
  }
#pragma GCC unroll 4
  for (unsigned part = 0; part < kParts; ++part) {
    const int64_t rest = cols - c - part * kVecLanes;
    if (rest > 0) body(c + part * kVecLanes, rest < kVecLanes ? rest : kVecLanes, part);
  }
}
/// Sum of sixteen lanes as a fixed binary tree: lanes 8 apart first.
LONGER_INLINE float reduce_parts(vec (&parts)[kParts]) {
#pragma GCC unroll 4
  for (unsigned half = kParts / 2; half > 0; half /= 2) {
#pragma GCC unroll 4
    for (unsigned i = 0; i < half; ++i) parts[i] += parts[i + half];
  }
  return vec_reduce_add(parts[0]);
}

/// body(c, count) for columns c, c + kVecLanes, … of `cols`; count = lanes that exist.
template <class Body>
LONGER_INLINE void for_vecs(int64_t cols, const Body& body) {
  int64_t c = 0;
  for (; c + kVecLanes <= cols; c += kVecLanes) body(c, kVecLanes);
  if (c < cols) body(c, cols - c);
}

}  // namespace longer::LONGER_TIER
