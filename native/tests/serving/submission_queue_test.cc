#include "serving/submission_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "serving/ranking_request.hpp"
#include "support/cases.hpp"
#include "support/random_model.hpp"
#include "support/thrown_error.hpp"

namespace longer {
namespace {

using testing::expect_error;
using testing::random_model;
using testing::RankingRequest;
using testing::thrown_by;

constexpr int64_t kLongWait = 60'000;

class SubmissionQueueTest : public ::testing::Test {
 protected:
  SubmissionOutcome next(SubmissionQueue& queue, int64_t timeout_ms = kLongWait) {
    SubmissionOutcome outcome;
    outcome.tag = -1;
    queue.poll(timeout_ms, [&](const SubmissionOutcome& o) { outcome = o; });
    return outcome;
  }

  /// Slow enough that one worker cannot keep up with a caller that only copies.
  static Config slow_config() {
    Config config = testing::film_config();
    config.max_history = 2000;
    config.event_width = 16;
    config.heads = 4;
    config.queries = 100;
    return config;
  }

  Config config_ = testing::film_config();
  Ranker ranker_{random_model(config_, 1), int64_t{1} << 30};
  Config slow_config_ = slow_config();
  Ranker slow_ranker_{random_model(slow_config_, 1, 1), 0};
  RankingRequest slow_{slow_config_, 2000, 50, 1};
};

TEST_F(SubmissionQueueTest, RanksEverySubmissionOnce) {
  SubmissionQueue queue(ranker_, 100);
  std::map<int64_t, std::vector<float>> expected;
  for (int64_t tag = 0; tag < 40; ++tag) {
    const RankingRequest request(config_, tag, 1 + tag % 7, static_cast<uint64_t>(tag));
    expected[tag] = request.scores(ranker_, CacheMode::kNone);
    queue.submit(request.with(tag % 2 == 0 ? CacheMode::kNone : CacheMode::kUse, tag, 1), tag);
  }
  std::map<int64_t, std::vector<float>> scores;
  for (int i = 0; i < 40; ++i) {
    const SubmissionOutcome outcome = next(queue);
    EXPECT_EQ(outcome.status, Status::kOk);
    EXPECT_FALSE(outcome.is_cache_miss);
    scores[outcome.tag] = outcome.scores;
  }
  EXPECT_EQ(scores, expected);
  EXPECT_EQ(next(queue, 0).tag, -1);
}

TEST_F(SubmissionQueueTest, CopiesWhatItWasGiven) {
  SubmissionQueue queue(slow_ranker_, 100);
  const std::vector<float> expected = slow_.scores(slow_ranker_, CacheMode::kNone);
  queue.submit(slow_.with(CacheMode::kNone), 1);
  RankingRequest changing = slow_;
  queue.submit(changing.with(CacheMode::kNone), 2);
  testing::OwnedBatch& batch = changing.columns;
  for (auto* values : {&batch.event_offsets, &batch.candidate_offsets, &batch.event_times,
                       &batch.first_ordinals, &batch.reference_times}) {
    std::fill(values->begin(), values->end(), -12345);
  }
  for (auto* columns : {&batch.event_columns, &batch.user_columns, &batch.candidate_columns}) {
    for (testing::OwnedColumn& column : *columns)
      std::fill(column.ids.begin(), column.ids.end(), -12345);
  }
  EXPECT_EQ(next(queue).scores, expected);
  EXPECT_EQ(next(queue).scores, expected);
}

TEST_F(SubmissionQueueTest, AcceptsColumnsThatMayBeNull) {
  Config config = config_;
  config.time = TimeMode::kNone;
  Ranker ranker(random_model(config, 1), 0);
  const RankingRequest request(config, 9, 3, 1);
  RankRequest sparse = request.with(CacheMode::kNone);
  sparse.batch.first_ordinals = nullptr;
  sparse.batch.event_times = nullptr;
  sparse.batch.reference_times = nullptr;
  SubmissionQueue queue(ranker, 4);
  queue.submit(sparse, 1);
  EXPECT_EQ(next(queue).scores, request.scores(ranker, sparse));
}

TEST_F(SubmissionQueueTest, ReportsCacheMissesAndFailures) {
  SubmissionQueue queue(ranker_, 4);
  const RankingRequest request(config_, 9, 3, 1);
  queue.submit(request.with(CacheMode::kOnly, 5, 5), 7);
  SubmissionOutcome outcome = next(queue);
  EXPECT_EQ(outcome.tag, 7);
  EXPECT_EQ(outcome.status, Status::kOk);
  EXPECT_TRUE(outcome.is_cache_miss);
  EXPECT_TRUE(outcome.scores.empty());

  Config config = config_;
  config.time = TimeMode::kEventRelative;
  Ranker ranker(random_model(config, 1), int64_t{1} << 30);
  SubmissionQueue failing(ranker, 4);
  RankingRequest early(config, 9, 3, 1);
  early.scores(ranker, CacheMode::kUse, 1, 1);
  early.columns.reference_times[0] = 0;
  failing.submit(early.with(CacheMode::kOnly, 1, 1), 8);
  outcome = next(failing);
  EXPECT_EQ(outcome.tag, 8);
  EXPECT_EQ(outcome.status, Status::kInvalidArgument);
  EXPECT_NE(outcome.message.find("lies before the newest event"), std::string::npos)
      << outcome.message;
}

TEST_F(SubmissionQueueTest, RejectsMalformedRequestsAtOnce) {
  SubmissionQueue queue(ranker_, 4);
  const RankingRequest request(config_, 9, 3, 1);
  RankRequest bad = request.with(CacheMode::kNone);
  bad.batch.candidate_columns = nullptr;
  expect_error(Status::kInvalidArgument, "candidate_columns is null",
               [&] { queue.submit(bad, 1); });
  EXPECT_EQ(next(queue, 0).tag, -1);
  expect_error(Status::kInvalidArgument, "capacity must be positive; got 0",
               [&] { SubmissionQueue(ranker_, 0); });
}

TEST_F(SubmissionQueueTest, KeepsAnOutcomeThatWasNotTaken) {
  SubmissionQueue queue(ranker_, 4);
  queue.submit(RankingRequest(config_, 9, 3, 1).with(CacheMode::kNone), 1);
  expect_error(Status::kInvalidArgument, "too small", [&] {
    queue.poll(kLongWait,
               [](const SubmissionOutcome&) { fail(Status::kInvalidArgument, "too small"); });
  });
  EXPECT_EQ(next(queue, 0).tag, 1);
}

TEST_F(SubmissionQueueTest, PollWaitsNoLongerThanAsked) {
  SubmissionQueue queue(ranker_, 4);
  for (const int64_t timeout : {int64_t{0}, int64_t{-1}, INT64_MIN, int64_t{20}}) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(next(queue, timeout).tag, -1);
    const auto waited = std::chrono::steady_clock::now() - begin;
    EXPECT_GE(waited, std::chrono::milliseconds(std::max<int64_t>(timeout, 0)));
    EXPECT_LT(waited, std::chrono::seconds(20));
  }
  queue.submit(RankingRequest(config_, 9, 3, 1).with(CacheMode::kNone), 1);
  EXPECT_EQ(next(queue, INT64_MAX).tag, 1) << "the longest timeout must not wrap around";
}

TEST_F(SubmissionQueueTest, IsOverloadedWhenFull) {
  SubmissionQueue queue(slow_ranker_, 3);
  std::set<int64_t> accepted;
  int64_t refused = 0;
  for (int64_t tag = 0; tag < 30; ++tag) {
    const auto error = thrown_by([&] { queue.submit(slow_.with(CacheMode::kNone), tag); });
    if (error.status == Status::kOk) {
      accepted.insert(tag);
    } else {
      ASSERT_EQ(error.status, Status::kOverloaded) << error.message;
      EXPECT_NE(error.message.find("3 submissions are waiting"), std::string::npos)
          << error.message;
      ++refused;
    }
  }
  EXPECT_GE(accepted.size(), 3U);
  EXPECT_GT(refused, 0);
  std::set<int64_t> finished;
  for (size_t i = 0; i < accepted.size(); ++i) finished.insert(next(queue).tag);
  EXPECT_EQ(finished, accepted);
  queue.submit(slow_.with(CacheMode::kNone), 99);
  EXPECT_EQ(next(queue).tag, 99) << "room again";
}

TEST_F(SubmissionQueueTest, CancelsWhatHasNotStarted) {
  SubmissionQueue queue(slow_ranker_, 100);
  for (int64_t tag = 0; tag < 10; ++tag) queue.submit(slow_.with(CacheMode::kNone), tag);
  EXPECT_TRUE(queue.cancel(9));
  EXPECT_FALSE(queue.cancel(9));
  EXPECT_FALSE(queue.cancel(12345));
  std::vector<int64_t> finished;
  for (int i = 0; i < 9; ++i) finished.push_back(next(queue).tag);
  EXPECT_EQ(finished, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8}))
      << "one worker keeps the order";
  EXPECT_FALSE(queue.cancel(0));
  EXPECT_EQ(next(queue, 50).tag, -1);
}

TEST_F(SubmissionQueueTest, EndsWhileSubmissionsWait) {
  auto queue = std::make_unique<SubmissionQueue>(slow_ranker_, 100);
  for (int64_t tag = 0; tag < 20; ++tag) queue->submit(slow_.with(CacheMode::kNone), tag);
  queue.reset();
  const int64_t started = slow_ranker_.stats().requests;
  EXPECT_LT(started, 20);
  EXPECT_EQ(slow_.scores(slow_ranker_, CacheMode::kNone).size(), 50U);
  EXPECT_EQ(slow_ranker_.stats().requests, started + 1);
}

}  // namespace
}  // namespace longer
