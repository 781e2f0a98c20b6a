#include <algorithm>
#include <cmath>

#include "ops/optimizer/optimizer.hpp"
#include "ops/optimizer/optimizer_kernels.hpp"

namespace longer {
namespace {

constexpr int64_t kElementsPerItem = 16384;
constexpr int64_t kRowsPerItem = 256;
constexpr int64_t kNormItems = 64;

}  // namespace

AdamwCoefficients adamw_coefficients(const AdamwStep& p, bool is_decayed) {
  AdamwCoefficients c{};
  c.gradient_scale = static_cast<float>(p.gradient_scale);
  c.beta1 = static_cast<float>(p.beta1);
  c.beta2 = static_cast<float>(p.beta2);
  c.rest1 = static_cast<float>(1.0 - p.beta1);
  c.rest2 = static_cast<float>(1.0 - p.beta2);
  c.epsilon = static_cast<float>(p.epsilon);
  c.step_size =
      static_cast<float>(p.learning_rate / (1.0 - std::pow(p.beta1, static_cast<double>(p.step))));
  c.second_correction =
      static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(p.beta2, static_cast<double>(p.step))));
  c.shrink = is_decayed ? static_cast<float>(1.0 - p.learning_rate * p.weight_decay) : 1.0F;
  return c;
}

void adamw_step(ThreadPool* pool, const AdamwStep& p) {
  const OptimizerKernels& kernels = optimizer_kernels();
  for (const DecayRange& range : *p.ranges) {
    const AdamwCoefficients c = adamw_coefficients(p, range.is_decayed);
    const int64_t count = range.end - range.begin;
    parallel_for(pool, (count + kElementsPerItem - 1) / kElementsPerItem, [&](int64_t item) {
      const int64_t begin = range.begin + item * kElementsPerItem;
      kernels.adamw(c, p.gradients + begin, p.weights + begin, p.first_moment + begin,
                    p.second_moment + begin, std::min(kElementsPerItem, range.end - begin));
    });
  }
}

void row_wise_adagrad_step(ThreadPool* pool, const RowWiseAdagradStep& p) {
  const OptimizerKernels& kernels = optimizer_kernels();
  parallel_for(pool, (p.num_rows + kRowsPerItem - 1) / kRowsPerItem, [&](int64_t item) {
    const int64_t begin = item * kRowsPerItem;
    kernels.adagrad({p.table, p.states, p.rows + begin, p.gradients + begin * p.width,
                     std::min(kRowsPerItem, p.num_rows - begin), p.width,
                     static_cast<float>(p.learning_rate), static_cast<float>(p.epsilon),
                     static_cast<float>(p.gradient_scale)});
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
