#include <algorithm>
#include <array>

#include "core/random.hpp"
#include "core/thread_pool.hpp"
#include "ops/dropout/dropout.hpp"

namespace longer {
namespace {

constexpr int64_t kElementsPerItem = 4096;
constexpr uint32_t kSites = 4;

uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

}  // namespace

uint64_t dropout_key(uint64_t seed, int64_t step) {
  return mix_bits(seed ^ mix_bits(static_cast<uint64_t>(step)));
}

void apply_dropout(ThreadPool* pool, const Dropout& p, DropoutSite site, ConstMatrixView x,
                   ConstMatrixView residual, MatrixView y) {
  const auto threshold = static_cast<uint32_t>(p.probability * 4294967296.0);
  const auto scale = static_cast<float>(1.0 / (1.0 - p.probability));
  const uint32_t place = static_cast<uint32_t>(p.layer) * kSites + static_cast<uint32_t>(site);
  const std::array<uint32_t, 2> key = {low(p.key), high(p.key)};
  const int64_t rows_per_item =
      std::max<int64_t>(1, kElementsPerItem / std::max<int64_t>(1, x.cols));
  parallel_for(pool, (x.rows + rows_per_item - 1) / rows_per_item, [&](int64_t item) {
    const int64_t end = std::min(x.rows, (item + 1) * rows_per_item);
    for (int64_t r = item * rows_per_item; r < end; ++r) {
      const float* from = x.row(r);
      const float* base = residual.data != nullptr ? residual.row(r) : nullptr;
      float* to = y.row(r);
      for (int64_t begin = 0; begin < x.cols; begin += 4) {
        const std::array<uint32_t, 4> words = philox4x32(
            {static_cast<uint32_t>(begin / 4), p.rows[r].ordinal, p.rows[r].request, place}, key);
        const int64_t count = std::min<int64_t>(4, x.cols - begin);
        for (int64_t i = 0; i < count; ++i) {
          const float kept = words[static_cast<size_t>(i)] < threshold ? 0.0F : scale;
          const float value = kept * from[begin + i];
          to[begin + i] = base != nullptr ? base[begin + i] + value : value;
        }
      }
    }
  });
}

}  // namespace longer
