#include "core/vec.hpp"
#include "ops/optimizer/optimizer_kernels.hpp"

namespace longer::LONGER_TIER {
namespace {

void adamw(const AdamwCoefficients& c, const float* gradients, float* weights, float* first,
           float* second, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradients[i] * c.gradient_scale;
    const float m = c.beta1 * first[i] + c.rest1 * g;
    const float v = c.beta2 * second[i] + c.rest2 * (g * g);
    first[i] = m;
    second[i] = v;
    weights[i] = weights[i] * c.shrink -
                 c.step_size * m / (__builtin_sqrtf(v) * c.second_correction + c.epsilon);
  }
}

void adagrad(const AdagradRows& p) {
  for (int64_t i = 0; i < p.num_rows; ++i) {
    const float* gradient = p.gradients + i * p.width;
    float* row = p.table + p.rows[i] * p.width;
    vec squares{};
    for_vecs(p.width, [&](int64_t c, int64_t lanes) {
      const vec g = vec_load(gradient + c, lanes) * p.gradient_scale;
      squares += g * g;
    });
    float& state = p.states[p.rows[i]];
    state += vec_reduce_add(squares) / static_cast<float>(p.width);
    const float factor = p.learning_rate * p.gradient_scale / (__builtin_sqrtf(state) + p.epsilon);
    for_vecs(p.width, [&](int64_t c, int64_t lanes) {
      vec_store(row + c, vec_load(row + c, lanes) - vec_load(gradient + c, lanes) * factor, lanes);
    });
  }
}

double squared_sum(const float* x, int64_t count) {
  constexpr int64_t kSums = 8;
  double sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= count; i += kSums) {
    for (int64_t j = 0; j < kSums; ++j) {
      sums[j] += static_cast<double>(x[i + j]) * static_cast<double>(x[i + j]);
    }
  }
  for (int64_t j = 0; i < count; ++i, ++j) {
    sums[j] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  }
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

}  // namespace

const OptimizerKernels kOptimizerKernels = {adamw, adagrad, squared_sum};

}  // namespace longer::LONGER_TIER
