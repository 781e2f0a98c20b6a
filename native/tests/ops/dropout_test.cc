#include "ops/dropout/dropout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/thread_pool.hpp"
#include "reference/dropout.hpp"
#include "support/compare.hpp"
#include "support/random_data.hpp"

namespace longer {
namespace {

using testing::are_same_bits;
using testing::random_floats;

std::vector<DropoutRow> some_rows(int64_t count) {
  std::vector<DropoutRow> rows;
  for (int64_t r = 0; r < count; ++r) {
    rows.push_back({static_cast<uint32_t>(r / 3), static_cast<uint32_t>(r * 7 % 5 + (r << 28))});
  }
  return rows;
}

MatrixView view_of(std::vector<float>& values, int64_t rows, int64_t cols) {
  return {values.data(), rows, cols};
}

TEST(Dropout, MasksAreThoseOfTheReference) {
  for (const int64_t num_rows : {0, 1, 3, 65}) {
    for (const int64_t cols : {1, 3, 4, 17, 64}) {
      const std::vector<DropoutRow> rows = some_rows(num_rows);
      for (const double probability : {0.1, 0.5, 0.9}) {
        for (const int layer : {-2, -1, 0, 3}) {
          for (const DropoutSite site :
               {DropoutSite::kAttention, DropoutSite::kFeedForward, DropoutSite::kHead}) {
            const reference::DropoutMasks masks{probability, 77, 5};
            const Dropout p{probability, dropout_key(77, 5), layer, rows.data()};
            std::vector<float> x = random_floats(num_rows * cols, 3);
            std::vector<float> residual = random_floats(num_rows * cols, 4);
            std::vector<float> plain(x.size());
            std::vector<float> added(x.size());
            apply_dropout(nullptr, p, site, view_of(x, num_rows, cols), {},
                          view_of(plain, num_rows, cols));
            apply_dropout(nullptr, p, site, view_of(x, num_rows, cols),
                          view_of(residual, num_rows, cols), view_of(added, num_rows, cols));
            for (size_t i = 0; i < x.size(); ++i) {
              const auto row = i / static_cast<size_t>(cols);
              const double factor =
                  masks.factor(layer, static_cast<int>(site), rows[row].request, rows[row].ordinal,
                               static_cast<uint32_t>(i % static_cast<size_t>(cols)));
              const auto value = static_cast<double>(x[i]);
              const auto base = static_cast<double>(residual[i]);
              ASSERT_NEAR(static_cast<double>(plain[i]), factor * value, 1e-6 * factor);
              ASSERT_NEAR(static_cast<double>(added[i]), base + factor * value, 1e-5);
              if (factor == 0.0) {
                ASSERT_EQ(added[i], residual[i]);
              }
            }
          }
        }
      }
    }
  }
}

TEST(Dropout, DropsTheWantedShareOnAverage) {
  constexpr int64_t kRows = 400;
  constexpr int64_t kCols = 250;
  const std::vector<DropoutRow> rows = some_rows(kRows);
  std::vector<float> ones(kRows * kCols, 1.0F);
  for (const double probability : {0.0625, 0.3, 0.75}) {
    std::vector<float> y(ones.size());
    apply_dropout(nullptr, {probability, dropout_key(1, 1), 0, rows.data()}, DropoutSite::kHead,
                  view_of(ones, kRows, kCols), {}, view_of(y, kRows, kCols));
    const auto dropped = static_cast<double>(std::count(y.begin(), y.end(), 0.0F));
    // Five standard deviations of a binomial over 100 000 elements.
    EXPECT_NEAR(dropped / 1e5, probability, 5.0 * std::sqrt(probability * (1 - probability) / 1e5));
  }
}

TEST(Dropout, ChangesWithEverythingThatNamesAnElement) {
  const std::vector<DropoutRow> rows = {{0, 0}, {0, 1}, {1, 0}};
  std::vector<float> ones(3 * 64, 1.0F);
  const auto masked = [&](uint64_t seed, int64_t step, int layer, DropoutSite site) {
    std::vector<float> y(ones.size());
    apply_dropout(nullptr, {0.5, dropout_key(seed, step), layer, rows.data()}, site,
                  view_of(ones, 3, 64), {}, view_of(y, 3, 64));
    return y;
  };
  const std::vector<float> base = masked(1, 1, 0, DropoutSite::kAttention);
  EXPECT_NE(masked(2, 1, 0, DropoutSite::kAttention), base);
  EXPECT_NE(masked(1, 2, 0, DropoutSite::kAttention), base);
  EXPECT_NE(masked(1, 1, 1, DropoutSite::kAttention), base);
  EXPECT_NE(masked(1, 1, -1, DropoutSite::kAttention), base);
  EXPECT_NE(masked(1, 1, 0, DropoutSite::kFeedForward), base);
  const auto row = [&base](int64_t r) {
    return std::vector<float>(base.begin() + r * 64, base.begin() + (r + 1) * 64);
  };
  EXPECT_NE(row(0), row(1));
  EXPECT_NE(row(0), row(2));
  EXPECT_NE(row(1), row(2));
}

TEST(Dropout, HasTheSameBitsForAnyThreadsAndAnyCutOfTheRows) {
  constexpr int64_t kRows = 211;
  constexpr int64_t kCols = 63;
  const std::vector<DropoutRow> rows = some_rows(kRows);
  const Dropout p{0.4, dropout_key(9, 2), 1, rows.data()};
  std::vector<float> x = random_floats(kRows * kCols, 5);
  std::vector<float> expected(x.size());
  apply_dropout(nullptr, p, DropoutSite::kHead, view_of(x, kRows, kCols), {},
                view_of(expected, kRows, kCols));
  for (const int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    std::vector<float> y(x.size());
    apply_dropout(&pool, p, DropoutSite::kHead, view_of(x, kRows, kCols), {},
                  view_of(y, kRows, kCols));
    EXPECT_TRUE(are_same_bits(y, expected));
  }
  std::vector<float> pieces(x.size());
  for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, 5}, {5, 100}, {100, kRows}}) {
    apply_dropout(nullptr, p.from_row(begin), DropoutSite::kHead,
                  {x.data() + begin * kCols, end - begin, kCols}, {},
                  {pieces.data() + begin * kCols, end - begin, kCols});
  }
  EXPECT_TRUE(are_same_bits(pieces, expected));
}

}  // namespace
}  // namespace longer
