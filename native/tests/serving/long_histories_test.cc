// Histories far longer than the model reads, and models that read very long ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "serving/ranking_request.hpp"
#include "support/cases.hpp"
#include "support/compare.hpp"
#include "support/random_model.hpp"

namespace longer {
namespace {

using testing::are_same_bits;
using testing::OwnedBatch;
using testing::RankingRequest;

constexpr int64_t kEvents = 100'000;

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Processor time of one ranking call, the least of three.
double rank_seconds(const Config& config, int64_t num_events) {
  Ranker ranker(testing::random_model(config, 1), 0);
  RankingRequest request(config, num_events, 3, 5);
  double least = 1e9;
  for (int i = 0; i < 3; ++i) {
    const double before = thread_seconds();
    request.scores(ranker, CacheMode::kNone);
    least = std::min(least, thread_seconds() - before);
  }
  return least;
}

/// The newest `count` events of a request, with their ordinal.
RankingRequest newest(const Config& config, const RankingRequest& request, int64_t count) {
  OwnedBatch cut = request.columns;
  const int64_t dropped = cut.num_events() - count;
  std::vector<int64_t> rows;
  for (int64_t i = dropped; i < cut.num_events(); ++i) rows.push_back(i);
  cut.event_columns = testing::pick_rows(cut.event_columns, rows);
  cut.event_times.erase(cut.event_times.begin(), cut.event_times.begin() + dropped);
  cut.event_offsets = {0, count};
  cut.first_ordinals[0] += dropped;
  return {config, cut};
}

TEST(LongHistories, AreCutToWhatTheModelReads) {
  for (const testing::ModelCase& model_case : testing::tiny_model_cases()) {
    SCOPED_TRACE(model_case.name);
    const Config& config = model_case.config;
    Ranker ranker(testing::random_model(config, 1), 0);
    const RankingRequest whole(config, kEvents, 3, 5);
    std::vector<float> expected = whole.scores(ranker, CacheMode::kNone);
    // Twice the window: the event before the kept ones never counts.
    const RankingRequest cut = newest(config, whole, 2 * config.max_history);
    EXPECT_TRUE(are_same_bits(cut.scores(ranker, CacheMode::kNone), expected));
  }
}

TEST(LongHistories, CostNoMoreThanTheirLength) {
  // Ten times the events: at most ten times the work when all are read, less when they are cut.
  // Quadratic work would be a hundred times.
  Config config = testing::film_config();
  rank_seconds(config, kEvents / 10);  // warms up
  EXPECT_LT(rank_seconds(config, kEvents), 40 * rank_seconds(config, kEvents / 10));
  config.max_history = kEvents;
  EXPECT_LT(rank_seconds(config, kEvents), 40 * rank_seconds(config, kEvents / 10));
}

}  // namespace
}  // namespace longer
