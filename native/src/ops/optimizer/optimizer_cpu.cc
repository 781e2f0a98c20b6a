#include <algorithm>

#include "ops/optimizer/optimizer.hpp"
#include "ops/optimizer/optimizer_kernels.hpp"

namespace longer {
namespace {

constexpr int64_t kElementsPerItem = 16384;
constexpr int64_t kRowsPerItem = 256;
constexpr int64_t kNormItems = 64;

}  // namespace

void adamw_step(ThreadPool* pool, const AdamwStep& p) {
  if (p.numbers->is_skipped != 0) return;
  const OptimizerKernels& kernels = optimizer_kernels();
  for (int64_t r = 0; r < p.num_ranges; ++r) {
    const DecayRange& range = p.ranges[r];
    const AdamwCoefficients& c =
        range.is_decayed ? p.numbers->rates.decayed : p.numbers->rates.plain;
    const int64_t count = range.end - range.begin;
    parallel_for(pool, (count + kElementsPerItem - 1) / kElementsPerItem, [&](int64_t item) {
      const int64_t begin = range.begin + item * kElementsPerItem;
      kernels.adamw(c, p.gradients + begin, p.weights + begin, p.first_moment + begin,
                    p.second_moment + begin, std::min(kElementsPerItem, range.end - begin));
    });
  }
}

void row_wise_adagrad_step(ThreadPool* pool, const RowWiseAdagradStep& p) {
  if (p.numbers->is_skipped != 0) return;
  const UpdateRates& n = p.numbers->rates;
  const OptimizerKernels& kernels = optimizer_kernels();
  parallel_for(pool, (p.num_rows + kRowsPerItem - 1) / kRowsPerItem, [&](int64_t item) {
    const int64_t begin = item * kRowsPerItem;
    kernels.adagrad({p.table, p.states, p.rows + begin, p.gradients + begin * p.width,
                     std::min(kRowsPerItem, p.num_rows - begin), p.width, n.table_learning_rate,
                     n.table_epsilon, n.table_gradient_scale});
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
