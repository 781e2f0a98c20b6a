#include "ops/segment_sum/segment_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "ops/segment_sum/segment_index.hpp"
#include "reference/segment_sum.hpp"
#include "support/compare.hpp"
#include "support/poison.hpp"
#include "support/random_data.hpp"

namespace longer {
namespace {

using testing::are_near;
using testing::are_same_bits;
using testing::Pass;
using testing::PoisonedMatrix;
using testing::random_floats;
using testing::tolerance;

/// What one stage sends to a table: the pair that SegmentIndex takes.
struct GradientSource {
  const int32_t* rows;
  const float* values;
  int64_t stride;
  int64_t count;
  const int32_t* offsets = nullptr;
};

/// Gradient rows for random table rows below `num_rows`, in a wider matrix than they need.
struct Source {
  Source(int64_t count, int64_t width, int32_t num_rows, uint64_t seed)
      : values(count, width, random_floats(count * width, seed)) {
    std::mt19937_64 random(seed);
    std::uniform_int_distribution<int32_t> row(0, num_rows - 1);
    for (int64_t i = 0; i < count; ++i) rows.push_back(row(random));
  }
  GradientSource view() {
    const MatrixView v = values.view();
    return {rows.data(), v.data, v.stride, v.rows};
  }
  std::vector<int32_t> rows;
  PoisonedMatrix values;
};

/// Sums as an optimizer step computes them on the CPU.
class SegmentSum {
 public:
  void add(ThreadPool* pool, const std::vector<GradientSource>& sources, int64_t width,
           int64_t num_table_rows) {
    width_ = width;
    CpuStream stream(pool);
    std::vector<RowSource> rows_of;
    std::vector<GradientRows> gradients;
    for (const GradientSource& s : sources) {
      rows_of.push_back({s.rows, s.count, s.offsets, 0});
      gradients.push_back({s.values, s.stride});
    }
    const Segments segments = index_.add(rows_of, gradients, width, num_table_rows);
    sums_.resize(rows().size() * static_cast<size_t>(width), 0.0F);
    add_segments_cpu(stream, segments, sums_.data());
  }
  void clear() {
    index_.clear();
    sums_.clear();
  }
  void compute(ThreadPool* pool, const std::vector<GradientSource>& sources, int64_t width,
               int64_t num_table_rows) {
    clear();
    add(pool, sources, width, num_table_rows);
  }
  void add_to(float* table) const {
    add_rows_cpu({rows().data(), static_cast<int64_t>(rows().size()), width_, sums_.data(), table});
  }
  const std::vector<int32_t>& rows() const { return index_.rows(); }
  const std::vector<float>& sums() const { return sums_; }

 private:
  SegmentIndex index_;
  int64_t width_ = 0;
  std::vector<float> sums_;
};

void expect_sums(const SegmentSum& sums, std::vector<Source*> sources, int64_t width) {
  reference::RowSums expected;
  std::vector<int32_t> first_seen;
  for (Source* source : sources) {
    const GradientSource v = source->view();
    for (const int32_t row : source->rows) {
      if (std::find(first_seen.begin(), first_seen.end(), row) == first_seen.end()) {
        first_seen.push_back(row);
      }
    }
    reference::add_segments(expected, v.rows, v.values, static_cast<size_t>(v.stride),
                            static_cast<size_t>(v.count), static_cast<size_t>(width));
  }
  ASSERT_EQ(sums.rows(), first_seen);
  ASSERT_EQ(sums.sums().size(), first_seen.size() * static_cast<size_t>(width));
  for (size_t i = 0; i < first_seen.size(); ++i) {
    EXPECT_TRUE(are_near(sums.sums().data() + static_cast<int64_t>(i) * width,
                         expected[first_seen[i]].data(), width,
                         tolerance("segment_sum", Pass::kForward)))
        << "row " << first_seen[i];
  }
}

TEST(SegmentSum, OfSeveralSourcesMatchesReference) {
  for (const int64_t width : {1, 3, 16, 33}) {
    SCOPED_TRACE("width " + std::to_string(width));
    Source events(3000, width, 40, 1);
    Source none(0, width, 40, 2);
    Source candidates(77, width, 55, 3);
    SegmentSum sums;
    sums.compute(nullptr, {events.view(), none.view(), candidates.view()}, width, 60);
    expect_sums(sums, {&events, &none, &candidates}, width);
  }
}

TEST(SegmentSum, OfBagsAndMissingValuesMatchesReference) {
  constexpr int64_t kBags = 900;
  constexpr int64_t kWidth = 6;
  PoisonedMatrix values(kBags, kWidth, random_floats(kBags * kWidth, 1));
  Source plain(500, kWidth, 30, 2);
  for (size_t i = 0; i < plain.rows.size(); i += 3) plain.rows[i] = -1;
  std::mt19937_64 random(3);
  std::vector<int32_t> rows;
  std::vector<int32_t> offsets = {0};
  reference::RowSums expected;
  for (int64_t i = 0; i < kBags; ++i) {
    for (auto left = random() % 4; left > 0; --left) {
      rows.push_back(random() % 10 == 0 ? -1 : static_cast<int32_t>(random() % 30));
      reference::add_segment(expected, rows.back(), values.row(i), kWidth);
    }
    offsets.push_back(static_cast<int32_t>(rows.size()));
  }
  const GradientSource p = plain.view();
  reference::add_segments(expected, p.rows, p.values, static_cast<size_t>(p.stride), 500, kWidth);

  std::vector<float> bits;
  for (const int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    SegmentSum sums;
    const MatrixView v = values.view();
    sums.compute(&pool, {{rows.data(), v.data, v.stride, kBags, offsets.data()}, p}, kWidth, 30);
    ASSERT_EQ(sums.rows().size(), expected.size());
    for (size_t s = 0; s < sums.rows().size(); ++s) {
      EXPECT_TRUE(are_near(sums.sums().data() + static_cast<int64_t>(s) * kWidth,
                           expected.at(sums.rows()[s]).data(), kWidth,
                           tolerance("segment_sum", Pass::kForward)))
          << "row " << sums.rows()[s];
    }
    if (bits.empty()) bits = sums.sums();
    EXPECT_TRUE(are_same_bits(sums.sums(), bits)) << threads << " threads";
  }
}

TEST(SegmentSum, OfASegmentLongerThanAPartMatchesReference) {
  // Parts hold 2048 rows: exactly one, one more, and several beside short segments.
  for (const int64_t count : {2047, 2048, 2049, 4096, 20000}) {
    SCOPED_TRACE("rows " + std::to_string(count));
    Source one(count, 5, 1, 1);
    Source few(300, 5, 30, 2);
    SegmentSum sums;
    sums.compute(nullptr, {one.view(), few.view()}, 5, 30);
    expect_sums(sums, {&one, &few}, 5);
  }
}

TEST(SegmentSum, OfSeveralBatchesIsThatOfAllTheirSources) {
  Source first(3000, 5, 30, 1);
  Source hot(5000, 5, 2, 2);
  Source last(200, 5, 80, 3);
  SegmentSum sums;
  Source before(50, 9, 90, 4);
  sums.compute(nullptr, {before.view()}, 9, 90);
  sums.clear();
  sums.add(nullptr, {first.view()}, 5, 30);
  sums.add(nullptr, {}, 5, 30);
  sums.add(nullptr, {hot.view(), last.view()}, 5, 80);  // the table grew in between
  expect_sums(sums, {&first, &hot, &last}, 5);
  ThreadPool pool(7);
  SegmentSum threaded;
  threaded.add(&pool, {first.view()}, 5, 30);
  threaded.add(&pool, {hot.view(), last.view()}, 5, 80);
  EXPECT_TRUE(are_same_bits(threaded.sums(), sums.sums()));
}

TEST(SegmentSum, OfNothingIsEmpty) {
  SegmentSum sums;
  sums.compute(nullptr, {}, 4, 10);
  EXPECT_TRUE(sums.rows().empty());
  EXPECT_TRUE(sums.sums().empty());
  Source none(0, 4, 10, 1);
  sums.compute(nullptr, {none.view()}, 4, 10);
  EXPECT_TRUE(sums.rows().empty());
}

TEST(SegmentSum, ForgetsTheCallBeforeAndFollowsAGrowingTable) {
  SegmentSum sums;
  Source before(5000, 8, 20, 1);
  sums.compute(nullptr, {before.view()}, 8, 20);
  Source after(500, 3, 2000, 2);
  sums.compute(nullptr, {after.view()}, 3, 2000);
  expect_sums(sums, {&after}, 3);
}

TEST(SegmentSum, HasTheSameBitsForAnyNumberOfThreads) {
  Source hot(9000, 7, 3, 1);
  Source cold(2000, 7, 700, 2);
  std::vector<float> expected;
  for (const int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    SegmentSum sums;
    sums.compute(&pool, {hot.view(), cold.view()}, 7, 700);
    if (expected.empty()) expected = sums.sums();
    EXPECT_TRUE(are_same_bits(sums.sums(), expected)) << threads << " threads";
  }
}

TEST(SegmentSum, AddsToADenseTable) {
  Source source(400, 6, 9, 1);
  reference::RowSums expected;
  const GradientSource v = source.view();
  reference::add_segments(expected, v.rows, v.values, static_cast<size_t>(v.stride), 400, 6);
  SegmentSum sums;
  sums.compute(nullptr, {v}, 6, 12);
  PoisonedMatrix table(1, 12 * 6, std::vector<float>(12 * 6, 2.0F));
  sums.add_to(table.row(0));
  for (int32_t row = 0; row < 12; ++row) {
    std::vector<double> whole = expected[row];
    whole.resize(6);
    for (double& value : whole) value += 2.0;
    EXPECT_TRUE(
        are_near(table.row(0) + row * 6, whole.data(), 6, tolerance("segment_sum", Pass::kForward)))
        << "row " << row;
  }
  EXPECT_TRUE(table.is_intact());
}

}  // namespace
}  // namespace longer
