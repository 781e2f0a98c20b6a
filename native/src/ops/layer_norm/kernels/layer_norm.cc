#include "core/simd.hpp"
#include "ops/layer_norm/layer_norm_kernels.hpp"

namespace longer::LONGER_TIER {
namespace {

constexpr float kEpsilon = 1e-5F;

/// Sums of term(c, lanes) over the columns, in two chains by turns so that additions overlap; then a fixed tree.
template <class Term>
LONGER_INLINE float sum_columns(int64_t cols, const Term& term) {
  vec even{};
  vec odd{};
  int64_t c = 0;
  for (; c + 2 * kVecLanes <= cols; c += 2 * kVecLanes) {
    even += term(c, kVecLanes);
    odd += term(c + kVecLanes, kVecLanes);
  }
  if (c + kVecLanes <= cols) {
    even += term(c, kVecLanes);
    c += kVecLanes;
  }
  if (c < cols) odd += term(c, cols - c);
  return vec_reduce_add(even + odd);
}

/// 1 in the first `lanes` lanes.
LONGER_INLINE vec present(int64_t lanes) {
  if (lanes == kVecLanes) return vec_splat(1.0F);
  vec ones{};
  for (int64_t i = 0; i < lanes; ++i) ones[i] = 1.0F;
  return ones;
}

void forward(const LayerNormBlock& p) {
  const float scale = 1.0F / static_cast<float>(p.cols);
  for (int64_t r = 0; r < p.rows; ++r) {
    const float* x = p.x + r * p.x_stride;
    float* y = p.y + r * p.y_stride;
    const float mean = scale * sum_columns(p.cols, [&](int64_t c, int64_t lanes) { return vec_load(x + c, lanes); });
    const float squares = sum_columns(p.cols, [&](int64_t c, int64_t lanes) {
      const vec centred = (vec_load(x + c, lanes) - mean) * present(lanes);
      return vec_finished(centred * centred);
    });
    const float rstd = 1.0F / __builtin_sqrtf(squares * scale + kEpsilon);
    if (p.mean != nullptr) p.mean[r] = mean;
    if (p.rstd != nullptr) p.rstd[r] = rstd;
    for_vecs(p.cols, [&](int64_t c, int64_t lanes) {
      const vec normed = vec_finished((vec_load(x + c, lanes) - mean) * rstd);
      vec_store(y + c, normed * vec_load(p.weight + c, lanes) + vec_load(p.bias + c, lanes), lanes);
    });
  }
}

void backward(const LayerNormGradientBlock& p) {
  const float scale = 1.0F / static_cast<float>(p.cols);
  for_vecs(p.cols, [&](int64_t c, int64_t lanes) {
    vec_store(p.d_weight + c, vec{}, lanes);
    vec_store(p.d_bias + c, vec{}, lanes);
  });
  for (int64_t r = 0; r < p.rows; ++r) {
    const float* x = p.x + r * p.x_stride;
    const float* dy = p.dy + r * p.dy_stride;
    float* dx = p.dx + r * p.dx_stride;
    const float mean = p.mean[r];
    const float rstd = p.rstd[r];
    const auto normed = [&](int64_t c, int64_t lanes) {
      return vec_finished((vec_load(x + c, lanes) - mean) * rstd);
    };
    const auto gradient = [&](int64_t c, int64_t lanes) {
      return vec_finished(vec_load(dy + c, lanes) * vec_load(p.weight + c, lanes));
    };
    const float mean_gradient = scale * sum_columns(p.cols, gradient);
    const float mean_product = scale * sum_columns(p.cols, [&](int64_t c, int64_t lanes) {
      return vec_finished(gradient(c, lanes) * normed(c, lanes));
    });
    for_vecs(p.cols, [&](int64_t c, int64_t lanes) {
      const vec n = normed(c, lanes);
      const vec d = vec_load(dy + c, lanes);
      vec change = vec_finished((gradient(c, lanes) - mean_gradient - n * mean_product) * rstd);
      if (p.adds) change += vec_load(dx + c, lanes);
      vec_store(p.d_weight + c, vec_load(p.d_weight + c, lanes) + d * n, lanes);
      vec_store(p.d_bias + c, vec_load(p.d_bias + c, lanes) + d, lanes);
      vec_store(dx + c, change, lanes);
    });
  }
}

}  // namespace

const LayerNormKernels kLayerNormKernels = {forward, backward};

}  // namespace longer::LONGER_TIER
