#pragma once
// Vectors for the CPU kernels. Included only by sources under kernels/, which are compiled once per tier; all names live in
// the tier's namespace so that no two tiers share a symbol.
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define LONGER_INLINE inline __attribute__((always_inline))

namespace longer::LONGER_TIER {

/// Sixteen floats on every tier: one AVX-512 register, two AVX2 ones, four SSE ones. Lane order and the order of sums are
/// the same on all of them.
using f32x16 = float __attribute__((vector_size(64)));
using i32x16 = int32_t __attribute__((vector_size(64)));
inline constexpr int64_t kLanes = 16;

LONGER_INLINE f32x16 splat(float value) { return value - f32x16{}; }
LONGER_INLINE f32x16 load(const float* p) {
  f32x16 v;
  __builtin_memcpy(&v, p, sizeof(v));
  return v;
}
LONGER_INLINE void store(float* p, f32x16 v) { __builtin_memcpy(p, &v, sizeof(v)); }
/// The first `count` lanes from memory, zeros in the others.
LONGER_INLINE f32x16 load_partial(const float* p, int64_t count) {
  f32x16 v{};
  __builtin_memcpy(&v, p, static_cast<unsigned long>(count) * sizeof(float));
  return v;
}
LONGER_INLINE void store_partial(float* p, f32x16 v, int64_t count) {
  __builtin_memcpy(p, &v, static_cast<unsigned long>(count) * sizeof(float));
}
LONGER_INLINE f32x16 select(i32x16 mask, f32x16 yes, f32x16 no) { return mask ? yes : no; }
LONGER_INLINE f32x16 max(f32x16 a, f32x16 b) { return select(a > b, a, b); }
/// Sum of the lanes, as a fixed binary tree.
LONGER_INLINE float reduce_add(f32x16 v) {
  for (int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (int64_t i = 0; i < half; ++i) v[i] += v[i + half];
  }
  return v[0];
}
LONGER_INLINE float reduce_max(f32x16 v) {
  float m = v[0];
  for (int64_t i = 1; i < kLanes; ++i) m = v[i] > m ? v[i] : m;
  return m;
}

/// e^x. Polynomial of degree 6 on [−ln2/2, ln2/2], about 1 ulp; 0 below −87.3, ∞ above 88.7, NaN stays NaN.
LONGER_INLINE f32x16 exp(f32x16 x) {
  constexpr float kLow = -87.33654F;
  constexpr float kHigh = 88.72283F;
  constexpr float kMagic = 12582912.0F;  // 1.5·2^23: adding it rounds to an integer
  f32x16 t = select(x < splat(kLow), splat(kLow), x);
  t = select(t > splat(kHigh), splat(kHigh), t);
  const f32x16 shifted = t * splat(1.44269504F) + splat(kMagic);
  const f32x16 n = shifted - splat(kMagic);
  f32x16 r = t - n * splat(0.693359375F);
  r = r + n * splat(2.12194440e-4F);
  f32x16 p = splat(1.3981999507e-3F);
  p = p * r + splat(8.3334519073e-3F);
  p = p * r + splat(4.1665795894e-2F);
  p = p * r + splat(1.6666665459e-1F);
  p = p * r + splat(5.0000001201e-1F);
  p = p * r * r + r + splat(1.0F);
  // Two factors, so that 2^128 and 2^−127 need no exponent outside the format.
  const i32x16 k = (i32x16)shifted - (i32x16)splat(kMagic);
  const i32x16 half = k >> 1;
  const f32x16 scale1 = (f32x16)((half + 127) << 23);
  const f32x16 scale2 = (f32x16)((k - half + 127) << 23);
  const f32x16 y = p * scale1 * scale2;
  const f32x16 capped = select(x > splat(kHigh), splat(__builtin_inff()), y);
  return select(x < splat(kLow), splat(0.0F), capped);
}

/// gelu(u) = ½u(1 + tanh z) = u / (1 + e^(−2z)), z = √(2/π)·(u + 0.044715u³).
LONGER_INLINE f32x16 gelu(f32x16 u) {
  const f32x16 z2 = u * (u * u * splat(0.0713548163F) + splat(1.59576912F));
  return u / (splat(1.0F) + exp(-z2));
}

/// gelu'(u) = s + u·s·(1 − s)·2z', s = 1 / (1 + e^(−2z)).
LONGER_INLINE f32x16 gelu_gradient(f32x16 u) {
  const f32x16 square = u * u;
  const f32x16 z2 = u * (square * splat(0.0713548163F) + splat(1.59576912F));
  const f32x16 s = splat(1.0F) / (splat(1.0F) + exp(-z2));
  const f32x16 slope = square * splat(0.214064449F) + splat(1.59576912F);
  return s + u * (s * (splat(1.0F) - s)) * slope;
}

/// The widest registers of the tier, for loops that keep sums in them: GCC holds wider vectors in memory.
#if defined(__AVX512F__)
inline constexpr int64_t kVecLanes = 16;
#elif defined(__AVX2__)
inline constexpr int64_t kVecLanes = 8;
#else
inline constexpr int64_t kVecLanes = 4;
#endif
using vec = float __attribute__((vector_size(kVecLanes * 4)));
using ivec = int32_t __attribute__((vector_size(kVecLanes * 4)));

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
  return (vec)_mm256_maskload_ps(p, (__m256i)(ivec{0, 1, 2, 3, 4, 5, 6, 7} < static_cast<int32_t>(count)));
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
  _mm256_maskstore_ps(p, (__m256i)(ivec{0, 1, 2, 3, 4, 5, 6, 7} < static_cast<int32_t>(count)), (__m256)v);
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
LONGER_INLINE vec vec_max(vec a, vec b) { return vec_select(a > b, a, b); }
/// Sum of the lanes, as a fixed binary tree.
LONGER_INLINE float vec_reduce_add(vec v) {
  for (int64_t half = kVecLanes / 2; half > 0; half /= 2) {
    for (int64_t i = 0; i < half; ++i) v[i] += v[i + half];
  }
  return v[0];
}
/// Keeps the compiler from merging the operation that made `v` with the one that uses it: a product that ends a function
/// would otherwise become a fused multiply-add at some call sites and not at others, with other bits.
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

/// eˣ to 2 units in the last place; 0 below −104, +∞ above 88.73, NaN for NaN.
LONGER_INLINE vec vec_exp(vec x) {
  const vec lowest = vec_splat(-104.0F);
  const vec highest = vec_splat(89.0F);
  x = vec_select(x < lowest, lowest, x);
  x = vec_select(x > highest, highest, x);
  // x = n·ln 2 + r. Adding 1.5·2²³ rounds to an integer and leaves it in the low bits.
  const vec magic = vec_splat(12582912.0F);
  const vec shifted = vec_finished(x * 1.44269504F + magic);
  const vec n = shifted - magic;
  const vec r = x - n * 0.693145752F - n * 1.42860677e-6F;
  // eʳ = 1 + r + r²·q(r); q is the polynomial of least relative error on |r| ≤ ½ ln 2.
  vec q = vec_splat(0.0013814465F);
  q = q * r + 0.008368781F;
  q = q * r + 0.041668393F;
  q = q * r + 0.1666652F;
  q = q * r + 0.49999994F;
  const vec p = (q * r) * r + r + 1.0F;
  // Two factors: 2ⁿ alone would leave the exponent's range at both ends.
  const ivec exponent = (ivec)shifted - (ivec)magic;
  const ivec half = exponent >> 1;
  const ivec bias = ivec{} + 127;
  return vec_finished(p * (vec)((half + bias) << 23) * (vec)((exponent - half + bias) << 23));
}

/// σ(2√(2/π)(u + 0.044715u³)): gelu(u) = u · gelu_gate(u), by 1 + tanh z = 2σ(2z).
LONGER_INLINE vec vec_gelu_gate(vec u) {
  const vec z = u * (u * u * -0.0713548162726F - 1.59576912161F);
  return vec_finished(1.0F / (1.0F + vec_exp(vec_finished(z))));
}
LONGER_INLINE vec vec_gelu(vec u) { return vec_finished(u * vec_gelu_gate(u)); }
LONGER_INLINE vec vec_gelu_gradient(vec u) {
  const vec gate = vec_gelu_gate(u);
  const vec slope = u * u * 0.2140644488178F + 1.59576912161F;
  return vec_finished(gate + (u * gate) * ((1.0F - gate) * slope));
}

/// body(c, count) for columns c, c + kVecLanes, … of `cols`; count = lanes that exist.
template <class Body>
LONGER_INLINE void for_vecs(int64_t cols, const Body& body) {
  int64_t c = 0;
  for (; c + kVecLanes <= cols; c += kVecLanes) body(c, kVecLanes);
  if (c < cols) body(c, cols - c);
}

}  // namespace longer::LONGER_TIER
