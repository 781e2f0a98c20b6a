#pragma once
// exp and gelu for the CPU kernels, the same bits wherever they are used.
#include "core/vec.hpp"

namespace longer::LONGER_TIER {

/// p · 2ⁿ for |n| ≤ 150, where `shifted` is n + 1.5·2²³: n in the low bits of its pattern.
LONGER_INLINE vec vec_scale_by_power(vec p, vec shifted) {
  const vec magic = vec_splat(12582912.0F);
#if defined(__AVX512F__)
  return (vec)_mm512_maskz_scalef_ps(kAllLanes, (__m512)p, (__m512)(shifted - magic));
#else
  // Two factors: 2ⁿ alone would leave the exponent's range at both ends.
  const ivec n = (ivec)shifted - (ivec)magic;
  const ivec half = n >> 1;
  return p * (vec)((half + 127) << 23) * (vec)((n - half + 127) << 23);
#endif
}

/// N registers that go through a function side by side: one alone would leave the processor waiting
/// for each step of its chain. Every lane gets the bits that it would get alone.
template <unsigned N>
struct Vecs {
  vec part[N];
};
template <unsigned N, class Of>
LONGER_INLINE Vecs<N> vecs_of(const Of& of) {
  Vecs<N> result;
#pragma GCC unroll 8
  for (unsigned i = 0; i < N; ++i) result.part[i] = of(i);
  return result;
}
/// a · b + c, the only form in which products and sums meet below.
template <unsigned N>
LONGER_INLINE Vecs<N> multiply_add(const Vecs<N>& a, const Vecs<N>& b, float c) {
  return vecs_of<N>([&](unsigned i) { return a.part[i] * b.part[i] + c; });
}
template <unsigned N>
LONGER_INLINE Vecs<N> multiply_add(const Vecs<N>& a, float b, float c) {
  return vecs_of<N>([&](unsigned i) { return a.part[i] * b + c; });
}
template <unsigned N>
LONGER_INLINE Vecs<N> multiply_add(const Vecs<N>& a, float b, const Vecs<N>& c) {
  return vecs_of<N>([&](unsigned i) { return a.part[i] * b + c.part[i]; });
}
template <unsigned N>
LONGER_INLINE Vecs<N> multiply_add(const Vecs<N>& a, const Vecs<N>& b, const Vecs<N>& c) {
  return vecs_of<N>([&](unsigned i) { return a.part[i] * b.part[i] + c.part[i]; });
}
template <unsigned N>
LONGER_INLINE Vecs<N> product(const Vecs<N>& a, const Vecs<N>& b) {
  return vecs_of<N>([&](unsigned i) { return vec_finished(a.part[i] * b.part[i]); });
}

/// eˣ to 2 units in the last place; 0 below −104, +∞ above 88.73, NaN for NaN.
template <unsigned N>
LONGER_INLINE Vecs<N> vec_exp(const Vecs<N>& any) {
  const auto x = vecs_of<N>([&](unsigned i) {
    return vec_max(vec_splat(-104.0F), vec_min(vec_splat(89.0F), any.part[i]));
  });
  // x = n·ln 2 + r. Adding 1.5·2²³ rounds to an integer and leaves it in the low bits.
  const auto shifted = multiply_add(x, 1.44269504F, 12582912.0F);
  const auto n = vecs_of<N>([&](unsigned i) { return shifted.part[i] - 12582912.0F; });
  const auto r = multiply_add(n, -1.42860677e-6F, multiply_add(n, -0.693145752F, x));
  // eʳ = 1 + r + r²·q(r); q is the polynomial of least relative error on |r| ≤ ½ ln 2.
  auto q = multiply_add(r, 0.0013814465F, 0.008368781F);
  q = multiply_add(q, r, 0.041668393F);
  q = multiply_add(q, r, 0.1666652F);
  q = multiply_add(q, r, 0.49999994F);
  const auto p = multiply_add(product(q, r), r, r);
  return vecs_of<N>(
      [&](unsigned i) { return vec_scale_by_power(p.part[i] + 1.0F, shifted.part[i]); });
}

/// σ(2√(2/π)(u + 0.044715u³)): gelu(u) = u · gate, by 1 + tanh z = 2σ(2z).
template <unsigned N>
LONGER_INLINE Vecs<N> vec_gelu_gate(const Vecs<N>& u) {
  const auto z = product(u, multiply_add(product(u, u), -0.0713548162726F, -1.59576912161F));
  const auto e = vec_exp(z);
  return vecs_of<N>([&](unsigned i) { return 1.0F / (1.0F + e.part[i]); });
}
template <unsigned N>
LONGER_INLINE Vecs<N> vec_gelu(const Vecs<N>& u) {
  return product(u, vec_gelu_gate(u));
}
template <unsigned N>
LONGER_INLINE Vecs<N> vec_gelu_gradient(const Vecs<N>& u) {
  const auto gate = vec_gelu_gate(u);
  const auto slope = multiply_add(product(u, u), 0.2140644488178F, 1.59576912161F);
  const auto rest = vecs_of<N>([&](unsigned i) { return 1.0F - gate.part[i]; });
  return multiply_add(product(u, gate), product(rest, slope), gate);
}

LONGER_INLINE vec vec_exp(vec x) { return vec_exp(Vecs<1>{{x}}).part[0]; }

/// body(c, count, N) over columns c of `cols`, kUnroll registers at a time where there are as many;
/// `count` = lanes of each register that exist, N = registers as a constant.
template <unsigned N>
struct Registers {
  static constexpr unsigned count = N;
};
template <unsigned kUnroll, class Body>
LONGER_INLINE void for_vec_groups(int64_t cols, const Body& body) {
  constexpr auto kStep = static_cast<int64_t>(kUnroll) * kVecLanes;
  int64_t c = 0;
  for (; c + kStep <= cols; c += kStep) body(c, kVecLanes, Registers<kUnroll>{});
  for (; c + kVecLanes <= cols; c += kVecLanes) body(c, kVecLanes, Registers<1>{});
  if (c < cols) body(c, cols - c, Registers<1>{});
}

}  // namespace longer::LONGER_TIER
