#include "ops/event_encoder/kernels/inner_attention_kernels.hpp"

#include "core/simd.hpp"

namespace longer::LONGER_TIER {
namespace {

static_assert(kMaxGroup == kLanes, "a group's keys fill one vector");

/// lanes[j] = column e of the rows of one head, j-th row in lane j; lanes past n are 0.
LONGER_INLINE f32x16 column(const float* rows, int64_t stride, int64_t n, int64_t e) {
  alignas(64) float values[kLanes] = {};
  for (int64_t j = 0; j < n; ++j) values[j] = rows[j * stride + e];
  return load(values);
}

/// Σ_j weights[j] · rows[j] into target, in order of j, sixteen columns at a time.
LONGER_INLINE void weighted_rows(const float* weights, int64_t weight_stride, const float* rows, int64_t stride,
                                 int64_t n, int64_t width, float* target) {
  for (int64_t e = 0; e < width; e += kLanes) {
    const int64_t lanes = width - e < kLanes ? width - e : kLanes;
    f32x16 sum{};
    if (lanes == kLanes) {
      for (int64_t j = 0; j < n; ++j) sum = splat(weights[j * weight_stride]) * load(rows + j * stride + e) + sum;
      store(target + e, sum);
    } else {
      for (int64_t j = 0; j < n; ++j) {
        sum = splat(weights[j * weight_stride]) * load_partial(rows + j * stride + e, lanes) + sum;
      }
      store_partial(target + e, sum, lanes);
    }
  }
}

/// products[i] = Σ_e rows_i[e] · columns[e], keys in lanes.
LONGER_INLINE void products(const float* rows, int64_t stride, int64_t n, int64_t width, const f32x16* columns,
                            f32x16* out) {
  for (int64_t i = 0; i < n; ++i) {
    f32x16 sum{};
    for (int64_t e = 0; e < width; ++e) sum = splat(rows[i * stride + e]) * columns[e] + sum;
    out[i] = sum;
  }
}

LONGER_INLINE f32x16 softmax(f32x16 scores, i32x16 is_key, float scale) {
  const f32x16 scaled = select(is_key, scores * splat(scale), splat(-__builtin_inff()));
  const f32x16 p = exp(scaled - splat(reduce_max(scaled)));
  return p * splat(1.0F / reduce_add(p));
}

LONGER_INLINE i32x16 first_lanes(int64_t n) {
  const i32x16 index = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return index < static_cast<int32_t>(n);
}

constexpr int64_t kMaxHeadWidth = 1024;

void forward(const InnerAttention& p) {
  const int64_t head_width = p.width / p.heads;
  const int64_t stride = 3 * p.width;
  const float scale = 1.0F / __builtin_sqrtf(static_cast<float>(head_width));
  const i32x16 is_key = first_lanes(p.num_tokens);
  f32x16 columns[kMaxHeadWidth];
  f32x16 rows[kMaxGroup];
  for (int64_t h = 0; h < p.heads; ++h) {
    const float* q = p.qkv + h * head_width;
    const float* k = q + p.width;
    const float* v = k + p.width;
    for (int64_t e = 0; e < head_width; ++e) columns[e] = column(k, stride, p.num_tokens, e);
    products(q, stride, p.num_tokens, head_width, columns, rows);
    for (int64_t i = 0; i < p.num_tokens; ++i) {
      alignas(64) float probabilities[kLanes];
      store(probabilities, softmax(rows[i], is_key, scale));
      weighted_rows(probabilities, 1, v, stride, p.num_tokens, head_width, p.out + i * p.width + h * head_width);
    }
  }
}

void backward(const InnerAttention& p, const float* d_out, float* d_qkv) {
  const int64_t n = p.num_tokens;
  const int64_t head_width = p.width / p.heads;
  const int64_t stride = 3 * p.width;
  const float scale = 1.0F / __builtin_sqrtf(static_cast<float>(head_width));
  const i32x16 is_key = first_lanes(n);
  f32x16 columns[kMaxHeadWidth];
  f32x16 scores[kMaxGroup];
  f32x16 d_probabilities[kMaxGroup];
  alignas(64) float probabilities[kMaxGroup * kLanes];
  alignas(64) float d_scores[kMaxGroup * kLanes];
  for (int64_t h = 0; h < p.heads; ++h) {
    const float* q = p.qkv + h * head_width;
    const float* k = q + p.width;
    const float* v = k + p.width;
    const float* d_o = d_out + h * head_width;
    float* d_q = d_qkv + h * head_width;
    float* d_k = d_q + p.width;
    float* d_v = d_k + p.width;
    for (int64_t e = 0; e < head_width; ++e) columns[e] = column(k, stride, n, e);
    products(q, stride, n, head_width, columns, scores);
    for (int64_t e = 0; e < head_width; ++e) columns[e] = column(v, stride, n, e);
    products(d_o, p.width, n, head_width, columns, d_probabilities);
    for (int64_t i = 0; i < n; ++i) {
      const f32x16 probability = softmax(scores[i], is_key, scale);
      const f32x16 d_probability = select(is_key, d_probabilities[i], f32x16{});
      const float delta = reduce_add(probability * d_probability);
      store(probabilities + i * kLanes, probability);
      store(d_scores + i * kLanes, probability * (d_probability - splat(delta)) * splat(scale));
    }
    for (int64_t i = 0; i < n; ++i) {
      weighted_rows(d_scores + i * kLanes, 1, k, stride, n, head_width, d_q + i * stride);
      weighted_rows(d_scores + i, kLanes, q, stride, n, head_width, d_k + i * stride);
      weighted_rows(probabilities + i, kLanes, d_o, p.width, n, head_width, d_v + i * stride);
    }
  }
}

}  // namespace

extern const InnerAttentionKernels kInnerAttentionKernels;
const InnerAttentionKernels kInnerAttentionKernels = {forward, backward};

}  // namespace longer::LONGER_TIER
