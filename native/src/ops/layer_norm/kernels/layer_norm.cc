// Rows go through the loops kRows at a time, so that their sums, one chain of additions over the
// columns each, overlap. A row gets the same bits in a group and alone.
#include "core/vec.hpp"
#include "ops/layer_norm/layer_norm_kernels.hpp"

namespace longer::LONGER_TIER {
namespace {

constexpr float kEpsilon = 1e-5F;
constexpr unsigned kRows = kParts == 4 ? 2 : 4;  // kRows · kParts sums fit the register file

/// Ones in the lanes that exist: centring must leave the others 0.
LONGER_INLINE vec ones(int64_t lanes) {
  if (lanes == kVecLanes) return vec_splat(1.0F);
  ivec lane{};
#pragma GCC unroll 16
  for (int32_t i = 0; i < kVecLanes; ++i) lane[i] = i;
  return vec_select(lane < static_cast<int32_t>(lanes), vec_splat(1.0F), vec{});
}

/// body(row, rows as a constant) over `rows` rows, kRows at a time where there are as many.
template <unsigned N>
struct RowCount {
  static constexpr unsigned count = N;
};
template <class Body>
LONGER_INLINE void for_row_groups(int64_t rows, const Body& body) {
  int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) body(r, RowCount<kRows>{});
  for (; r < rows; ++r) body(r, RowCount<1>{});
}

// `p` by value: stores to rows could otherwise change it, as far as the compiler knows.
template <unsigned R>
LONGER_INLINE void forward_rows(LayerNormBlock p, int64_t first) {
  const float scale = 1.0F / static_cast<float>(p.cols);
  const float* x = p.x + first * p.x_stride;
  float* y = p.y + first * p.y_stride;
  vec sum[R][kParts] = {};
  for_parts(p.cols, [&](int64_t c, int64_t lanes, unsigned part) {
#pragma GCC unroll 4
    for (unsigned r = 0; r < R; ++r) sum[r][part] += vec_load(x + r * p.x_stride + c, lanes);
  });
  float mean[R];
#pragma GCC unroll 4
  for (unsigned r = 0; r < R; ++r) mean[r] = scale * reduce_parts(sum[r]);
  vec squares[R][kParts] = {};
  for_parts(p.cols, [&](int64_t c, int64_t lanes, unsigned part) {
    const vec exists = ones(lanes);
#pragma GCC unroll 4
    for (unsigned r = 0; r < R; ++r) {
      const vec centred = (vec_load(x + r * p.x_stride + c, lanes) - mean[r]) * exists;
      squares[r][part] += centred * centred;
    }
  });
  float rstd[R];
#pragma GCC unroll 4
  for (unsigned r = 0; r < R; ++r)
    rstd[r] = 1.0F / __builtin_sqrtf(reduce_parts(squares[r]) * scale + kEpsilon);
  for_vecs(p.cols, [&](int64_t c, int64_t lanes) {
    const vec weight = vec_load(p.weight + c, lanes);
    const vec bias = vec_load(p.bias + c, lanes);
#pragma GCC unroll 4
    for (unsigned r = 0; r < R; ++r) {
      const vec normed =
          vec_finished((vec_load(x + r * p.x_stride + c, lanes) - mean[r]) * rstd[r]);
      vec_store(y + r * p.y_stride + c, normed * weight + bias, lanes);
    }
  });
  for (unsigned r = 0; r < R; ++r) {
    if (p.mean != nullptr) p.mean[first + r] = mean[r];
    if (p.rstd != nullptr) p.rstd[first + r] = rstd[r];
  }
}

void forward(const LayerNormBlock& p) {
  for_row_groups(p.rows, [&](int64_t r, auto rows) { forward_rows<rows.count>(p, r); });
}

template <unsigned R>
LONGER_INLINE void backward_rows(LayerNormGradientBlock p, int64_t first) {
  const float scale = 1.0F / static_cast<float>(p.cols);
  const float* x = p.x + first * p.x_stride;
  const float* dy = p.dy + first * p.dy_stride;
  float* dx = p.dx + first * p.dx_stride;
  const float* mean = p.mean + first;
  const float* rstd = p.rstd + first;
  const auto normed = [&](unsigned r, int64_t c, int64_t lanes) {
    return vec_finished((vec_load(x + r * p.x_stride + c, lanes) - mean[r]) * rstd[r]);
  };
  vec sum[R][kParts] = {};       // of dy · weight
  vec products[R][kParts] = {};  // of dy · weight · normed
  for_parts(p.cols, [&](int64_t c, int64_t lanes, unsigned part) {
    const vec weight = vec_load(p.weight + c, lanes);
#pragma GCC unroll 4
    for (unsigned r = 0; r < R; ++r) {
      const vec gradient = vec_finished(vec_load(dy + r * p.dy_stride + c, lanes) * weight);
      sum[r][part] += gradient;
      products[r][part] += gradient * normed(r, c, lanes);
    }
  });
  float mean_gradient[R];
  float mean_product[R];
#pragma GCC unroll 4
  for (unsigned r = 0; r < R; ++r) {
    mean_gradient[r] = scale * reduce_parts(sum[r]);
    mean_product[r] = scale * reduce_parts(products[r]);
  }
  for_vecs(p.cols, [&](int64_t c, int64_t lanes) {
    const vec weight = vec_load(p.weight + c, lanes);
    vec d_weight = vec_load(p.d_weight + c, lanes);
    vec d_bias = vec_load(p.d_bias + c, lanes);
#pragma GCC unroll 4
    for (unsigned r = 0; r < R; ++r) {
      const vec n = normed(r, c, lanes);
      const vec d = vec_load(dy + r * p.dy_stride + c, lanes);
      const vec gradient = vec_finished(d * weight);
      vec change = vec_finished((gradient - mean_gradient[r] - n * mean_product[r]) * rstd[r]);
      if (p.adds) change += vec_load(dx + r * p.dx_stride + c, lanes);
      vec_store(dx + r * p.dx_stride + c, change, lanes);
      d_weight += d * n;
      d_bias += d;
    }
    vec_store(p.d_weight + c, d_weight, lanes);
    vec_store(p.d_bias + c, d_bias, lanes);
  });
}

void backward(const LayerNormGradientBlock& p) {
  for_vecs(p.cols, [&](int64_t c, int64_t lanes) {
    vec_store(p.d_weight + c, vec{}, lanes);
    vec_store(p.d_bias + c, vec{}, lanes);
  });
  for_row_groups(p.rows, [&](int64_t r, auto rows) { backward_rows<rows.count>(p, r); });
}

}  // namespace

const LayerNormKernels kLayerNormKernels = {forward, backward};

}  // namespace longer::LONGER_TIER
