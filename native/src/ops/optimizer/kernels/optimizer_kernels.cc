#include "ops/optimizer/kernels/optimizer_kernels.hpp"

#include "core/simd.hpp"

namespace longer::LONGER_TIER {
namespace {

void adamw(const AdamwCoefficients& c, const float* gradients, float* weights, float* first, float* second,
           int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradients[i] * c.gradient_scale;
    const float m = c.beta1 * first[i] + (1.0F - c.beta1) * g;
    const float v = c.beta2 * second[i] + (1.0F - c.beta2) * (g * g);
    first[i] = m;
    second[i] = v;
    weights[i] = weights[i] * c.shrink - c.step_size * m / (__builtin_sqrtf(v) * c.second_correction + c.epsilon);
  }
}

double squared_sum(const float* x, int64_t count) {
  constexpr int64_t kSums = 8;
  double sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= count; i += kSums) {
    for (int64_t j = 0; j < kSums; ++j) sums[j] += static_cast<double>(x[i + j]) * static_cast<double>(x[i + j]);
  }
  for (int64_t j = 0; i < count; ++i, ++j) sums[j] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

}  // namespace

extern const OptimizerKernels kOptimizerKernels;
const OptimizerKernels kOptimizerKernels = {adamw, squared_sum};

}  // namespace longer::LONGER_TIER
