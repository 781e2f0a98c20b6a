#include <algorithm>
#include <cmath>

#include "core/cpu_tier.hpp"
#include "ops/optimizer/kernels/optimizer_kernels.hpp"
#include "ops/optimizer/optimizer.hpp"

namespace longer {
namespace {

constexpr int64_t kElementsPerItem = 16384;
constexpr int64_t kRowsPerItem = 256;
constexpr int64_t kNormItems = 64;

const OptimizerKernels& optimizer_kernels() {
  switch (cpu_tier()) {
    case CpuTier::kAvx512:
      return avx512::kOptimizerKernels;
    case CpuTier::kAvx2:
      return avx2::kOptimizerKernels;
    case CpuTier::kPortable:
      break;
  }
  return portable::kOptimizerKernels;
}

}  // namespace

void adamw_step(ThreadPool* pool, const AdamwStep& p) {
  const OptimizerKernels& kernels = optimizer_kernels();
  AdamwCoefficients base{};
  base.gradient_scale = static_cast<float>(p.gradient_scale);
  base.beta1 = static_cast<float>(p.beta1);
  base.beta2 = static_cast<float>(p.beta2);
  base.epsilon = static_cast<float>(p.epsilon);
  base.step_size =
      static_cast<float>(p.learning_rate / (1.0 - std::pow(p.beta1, static_cast<double>(p.step))));
  base.second_correction =
      static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(p.beta2, static_cast<double>(p.step))));
  for (const DecayRange& range : *p.ranges) {
    AdamwCoefficients c = base;
    c.shrink = range.is_decayed ? static_cast<float>(1.0 - p.learning_rate * p.weight_decay) : 1.0F;
    const int64_t count = range.end - range.begin;
    parallel_for(pool, (count + kElementsPerItem - 1) / kElementsPerItem, [&](int64_t item) {
      const int64_t begin = range.begin + item * kElementsPerItem;
      kernels.adamw(c, p.gradients + begin, p.weights + begin, p.first_moment + begin,
                    p.second_moment + begin, std::min(kElementsPerItem, range.end - begin));
    });
  }
}

void row_wise_adagrad_step(ThreadPool* pool, const RowWiseAdagradStep& p) {
  const auto scale = static_cast<float>(p.gradient_scale);
  const auto rate = static_cast<float>(p.learning_rate);
  const auto epsilon = static_cast<float>(p.epsilon);
  parallel_for(pool, (p.num_rows + kRowsPerItem - 1) / kRowsPerItem, [&](int64_t item) {
    const int64_t end = std::min(p.num_rows, (item + 1) * kRowsPerItem);
    for (int64_t i = item * kRowsPerItem; i < end; ++i) {
      const float* gradient = p.gradients + i * p.width;
      float* row = p.table + p.rows[i] * p.width;
      float squares = 0.0F;
      for (int64_t c = 0; c < p.width; ++c)
        squares += (gradient[c] * scale) * (gradient[c] * scale);
      float& state = p.states[p.rows[i]];
      state += squares / static_cast<float>(p.width);
      const float factor = rate * scale / (std::sqrt(state) + epsilon);
      for (int64_t c = 0; c < p.width; ++c) row[c] -= factor * gradient[c];
    }
  });
}

double squared_norm(ThreadPool* pool, const float* x, int64_t count) {
  const OptimizerKernels& kernels = optimizer_kernels();
  double sums[kNormItems];
  parallel_for(pool, kNormItems, [&](int64_t item) {
    const int64_t begin = item * count / kNormItems;
    sums[item] = kernels.squared_sum(x + begin, (item + 1) * count / kNormItems - begin);
  });
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

}  // namespace longer
