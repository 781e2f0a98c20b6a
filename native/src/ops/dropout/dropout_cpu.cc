#include <algorithm>
#include <array>

#include "core/thread_pool.hpp"
#include "ops/dropout/dropout.hpp"

namespace longer {
namespace {

constexpr int64_t kElementsPerItem = 4096;

}  // namespace

uint64_t dropout_key(uint64_t seed, int64_t step) {
  return mix_bits(seed ^ mix_bits(static_cast<uint64_t>(step)));
}

void apply_dropout(ThreadPool* pool, const Dropout& p, DropoutSite site, ConstMatrixView x,
                   ConstMatrixView residual, MatrixView y) {
  const DropoutMask mask(p, site);
  const int64_t rows_per_item =
      std::max<int64_t>(1, kElementsPerItem / std::max<int64_t>(1, x.cols));
  parallel_for(pool, (x.rows + rows_per_item - 1) / rows_per_item, [&](int64_t item) {
    const int64_t end = std::min(x.rows, (item + 1) * rows_per_item);
    for (int64_t r = item * rows_per_item; r < end; ++r) {
      const float* from = x.row(r);
      const float* base = residual.data != nullptr ? residual.row(r) : nullptr;
      float* to = y.row(r);
      for (int64_t begin = 0; begin < x.cols; begin += 4) {
        const std::array<uint32_t, 4> words = mask.words(p.rows[r], begin);
        const int64_t count = std::min<int64_t>(4, x.cols - begin);
        for (int64_t i = 0; i < count; ++i) {
          const float value = mask.factor(words[static_cast<size_t>(i)]) * from[begin + i];
          to[begin + i] = base != nullptr ? base[begin + i] + value : value;
        }
      }
    }
  });
}

}  // namespace longer
