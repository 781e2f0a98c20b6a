#include "serving/ranker.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "serving/ranking_request.hpp"
#include "support/cases.hpp"
#include "support/random_model.hpp"
#include "support/thrown_error.hpp"
#include "training/trainer.hpp"

namespace longer {
namespace {

using testing::BatchMaker;
using testing::expect_error;
using testing::model_cases;
using testing::ModelCase;
using testing::OwnedBatch;
using testing::random_model;
using testing::RankingRequest;
using testing::RequestShape;

constexpr int64_t kLargeCache = int64_t{1} << 30;

std::vector<int64_t> history_lengths(const Config& c) {
  const std::set<int64_t> lengths = {0,
                                     1,
                                     c.merge_factor - 1,
                                     c.merge_factor,
                                     c.merge_factor + 1,
                                     c.merge_factor * c.queries + 1,
                                     c.max_history,
                                     c.max_history + 3};
  return {lengths.begin(), lengths.end()};
}

class RankerCase : public ::testing::TestWithParam<ModelCase> {
 protected:
  const Config& config() const { return GetParam().config; }
  std::shared_ptr<const LongerModel> model_ = random_model(GetParam().config, 7);
};

INSTANTIATE_TEST_SUITE_P(Models, RankerCase, ::testing::ValuesIn(model_cases()),
                         testing::model_case_name);

TEST_P(RankerCase, ScoresTheSameBitsFromTheCacheAndInFull) {
  Ranker ranker(model_, kLargeCache);
  for (const int64_t length : history_lengths(config())) {
    SCOPED_TRACE(length);
    const RankingRequest request(config(), length, 5, static_cast<uint64_t>(length));
    const std::vector<float> full = request.scores(ranker, CacheMode::kNone);
    for (const float score : full) ASSERT_TRUE(score > 0 && score < 1) << score;
    EXPECT_EQ(request.scores(ranker, CacheMode::kUse, length, 3), full) << "miss";
    EXPECT_EQ(request.scores(ranker, CacheMode::kUse, length, 3), full) << "hit";
    EXPECT_EQ(request.scores(ranker, CacheMode::kOnly, length, 3), full) << "without the history";
  }
  const auto lengths = static_cast<int64_t>(history_lengths(config()).size());
  EXPECT_EQ(ranker.stats().cache.misses, lengths);
  EXPECT_EQ(ranker.stats().cache.hits, 2 * lengths);
  EXPECT_EQ(ranker.stats().cache.entries, lengths);
}

TEST_P(RankerCase, ScoresTheSameBitsTogetherAndApart) {
  Ranker ranker(model_, kLargeCache);
  const int64_t candidates = 70;
  const RankingRequest request(config(), config().max_history - 1, candidates, 5);
  for (const CacheMode mode : {CacheMode::kNone, CacheMode::kUse}) {
    const std::vector<float> together = request.scores(ranker, mode);
    for (int64_t c = 0; c < candidates; ++c) {
      const std::vector<float> apart = request.only(c).scores(ranker, mode);
      for (size_t task = 0; task < apart.size(); ++task) {
        ASSERT_EQ(apart[task], together[task * candidates + static_cast<size_t>(c)])
            << c << ", task " << task;
      }
    }
  }
}

TEST_P(RankerCase, ScoresTheSameBitsInABatchAndOnSeveralThreads) {
  const std::vector<RequestShape> shapes = {
      {0, 2}, {config().max_history, 3}, {5, 0}, {config().merge_factor, 33}};
  const OwnedBatch batch = BatchMaker(config(), 11).make(shapes);
  Trainer trainer(*model_, {}, testing::test_backend(1));
  const auto tasks = config().tasks.size();
  const auto total = static_cast<size_t>(batch.num_candidates());
  std::vector<float> expected(tasks * total);
  trainer.predict(batch.view(), expected.data());

  for (const int threads : {1, 3}) {
    Ranker ranker(random_model(config(), 7, threads), 0);
    for (int64_t b = 0; b < batch.num_requests(); ++b) {
      const RankingRequest request(config(), testing::request_of(config(), batch, b));
      const std::vector<float> scores = request.scores(ranker, CacheMode::kNone);
      const auto candidates = static_cast<size_t>(request.columns.num_candidates());
      for (size_t task = 0; task < tasks; ++task) {
        for (size_t c = 0; c < candidates; ++c) {
          const size_t in_batch =
              task * total + static_cast<size_t>(batch.candidate_offsets[static_cast<size_t>(b)]) +
              c;
          ASSERT_EQ(scores[task * candidates + c], expected[in_batch])
              << b << " " << c << ", threads " << threads;
        }
      }
    }
  }
}

TEST_P(RankerCase, RepresentsWhatItScores) {
  Ranker ranker(model_, kLargeCache);
  const int64_t width = config().model_width();
  const int64_t globals = config().num_request_rows();
  const int64_t block = config().rows_per_candidate();
  const int64_t candidates = 4;
  const RankingRequest request(config(), 2 * config().merge_factor + 1, candidates, 3);
  const std::vector<float> scores = request.scores(ranker, CacheMode::kNone);

  const auto represent = [&](const RankRequest& r) {
    std::vector<float> rows(static_cast<size_t>((globals + candidates * block) * width + 1),
                            -77.0F);
    EXPECT_TRUE(ranker.represent(r, rows.data(), rows.data() + globals * width));
    EXPECT_EQ(rows.back(), -77.0F);
    return rows;
  };
  const std::vector<float> rows = represent(request.with(CacheMode::kNone));
  EXPECT_EQ(represent(request.with(CacheMode::kUse, 1, 1)), rows);
  EXPECT_EQ(represent(request.with(CacheMode::kOnly, 1, 1)), rows);

  if (config().head != Head::kGlobals) return;  // it reads rows that are not represented
  // The head over the represented rows, in double: a candidate's user tokens stand last in its
  // block and come first in the head.
  const ParameterLayout& layout = model_->state().layout;
  const float* weight = layout.at(model_->state().dense.data(), "head.fc1.weight");
  const float* bias = layout.at(model_->state().dense.data(), "head.fc1.bias");
  const float* fc2_weight = layout.at(model_->state().dense.data(), "head.fc2.weight");
  const float* fc2_bias = layout.at(model_->state().dense.data(), "head.fc2.bias");
  const auto tasks = static_cast<int64_t>(config().tasks.size());
  const int64_t own = static_cast<int64_t>(config().candidate_tokens.size()) * width;
  for (int64_t c = 0; c < candidates; ++c) {
    const float* next_weight = weight;
    std::vector<double> input(rows.begin(), rows.begin() + globals * width);
    const auto begin = rows.begin() + (globals + c * block) * width;
    input.insert(input.end(), begin + own, begin + block * width);
    input.insert(input.end(), begin, begin + own);
    std::vector<double> hidden;
    for (int64_t o = 0; o < width; ++o) {
      double u = static_cast<double>(bias[o]);
      for (size_t i = 0; i < input.size(); ++i) u += static_cast<double>(*next_weight++) * input[i];
      hidden.push_back(
          0.5 * u *
          (1.0 + std::tanh(std::sqrt(2.0 / 3.14159265358979323846) * (u + 0.044715 * u * u * u))));
    }
    for (int64_t t = 0; t < tasks; ++t) {
      double logit = static_cast<double>(fc2_bias[t]);
      for (int64_t i = 0; i < width; ++i)
        logit += static_cast<double>(fc2_weight[t * width + i]) * hidden[static_cast<size_t>(i)];
      const double odds =
          config().tasks[static_cast<size_t>(t)].negative_sampling_rate * std::exp(logit);
      EXPECT_NEAR(static_cast<double>(scores[static_cast<size_t>(t * candidates + c)]),
                  odds / (1.0 + odds), 1e-5);
    }
  }
}

Config film(TimeMode time) {
  Config config = testing::film_config();
  config.time = time;
  return config;
}

TEST(Ranker, TellsHistoriesApartByEveryKindOfValue) {
  Config config;
  for (const testing::ModelCase& model_case : testing::model_cases()) {
    if (model_case.name == "EveryKindOfFeature") config = model_case.config;
  }
  config.time = TimeMode::kNone;
  Ranker ranker(random_model(config, 1), kLargeCache);
  const RankingRequest first(config, 9, 2, 1);
  const auto misses_after = [&](const auto& change) {
    RankingRequest other = first;
    first.scores(ranker, CacheMode::kUse, 1);
    change(other.columns.event_columns);
    const int64_t before = ranker.stats().cache.misses;
    EXPECT_EQ(other.scores(ranker, CacheMode::kUse, 1), other.scores(ranker, CacheMode::kNone));
    return ranker.stats().cache.misses - before;
  };
  // movie, price, words, genre
  EXPECT_EQ(misses_after([](testing::OwnedColumns&) {}), 0);
  EXPECT_EQ(misses_after([](testing::OwnedColumns& c) { c[1].numbers[4] += 0.5F; }), 1);
  EXPECT_EQ(misses_after([](testing::OwnedColumns& c) { c[1].numbers[4] = NAN; }), 1);
  EXPECT_EQ(misses_after([](testing::OwnedColumns& c) { c[2].ids.back() ^= 1; }), 1);
  EXPECT_EQ(misses_after([](testing::OwnedColumns& c) { c[3].valid[0] ^= 0x10; }), 1);
  // The same ids, one of them an event later.
  EXPECT_EQ(misses_after([](testing::OwnedColumns& c) {
              for (size_t i = 1; i + 1 < c[2].offsets.size(); ++i) {
                if (c[2].offsets[i] > c[2].offsets[i - 1]) {
                  --c[2].offsets[i];
                  break;
                }
              }
            }),
            1);
}

TEST(Ranker, TakesACachedHistoryOnlyForItsVersionAndReferenceTime) {
  for (const TimeMode time :
       {TimeMode::kRequestRelative, TimeMode::kEventRelative, TimeMode::kNone}) {
    const Config config = film(time);
    Ranker ranker(random_model(config, 1), kLargeCache);
    RankingRequest request(config, 9, 2, 1);
    request.scores(ranker, CacheMode::kUse, 42, 5);
    EXPECT_TRUE(request.scores(ranker, CacheMode::kOnly, 43, 5).empty());
    EXPECT_TRUE(request.scores(ranker, CacheMode::kOnly, 42, 6).empty());
    EXPECT_FALSE(request.scores(ranker, CacheMode::kOnly, 42, 5).empty());

    request.columns.reference_times[0] += 100'000;
    const bool matches = time != TimeMode::kRequestRelative;
    EXPECT_EQ(request.scores(ranker, CacheMode::kOnly, 42, 5).empty(), !matches);
    const std::vector<float> full = request.scores(ranker, CacheMode::kNone);
    EXPECT_EQ(request.scores(ranker, CacheMode::kUse, 42, 5), full);
  }
}

/// A window shorter than a group may keep no event of a history; the newest one's time still
/// counts.
TEST(Ranker, ScoresTheSameBitsWhenTheWindowKeepsNoEvent) {
  Config config = film(TimeMode::kRequestRelative);
  config.anchor = Anchor::kOldest;
  config.max_history = 1;
  Ranker ranker(random_model(config, 1), kLargeCache);
  RankingRequest request(config, 2, 2, 1);
  request.columns.first_ordinals[0] = 0;
  request.columns.reference_times[0] = request.columns.event_times.back();
  const std::vector<float> full = request.scores(ranker, CacheMode::kNone);
  EXPECT_EQ(request.scores(ranker, CacheMode::kUse, 1, 1), full);
  EXPECT_EQ(request.scores(ranker, CacheMode::kOnly, 1, 1), full);
}

TEST(Ranker, TellsHistoriesApartByTheirHash) {
  const Config config = film(TimeMode::kRequestRelative);
  Ranker ranker(random_model(config, 1), kLargeCache);
  const RankingRequest first(config, 9, 2, 1);
  const auto misses_after = [&](const auto& change) {
    RankingRequest other = first;
    first.scores(ranker, CacheMode::kUse, 1);
    change(other.columns);
    const int64_t before = ranker.stats().cache.misses;
    EXPECT_EQ(other.scores(ranker, CacheMode::kUse, 1), other.scores(ranker, CacheMode::kNone));
    return ranker.stats().cache.misses - before;
  };
  EXPECT_EQ(misses_after([](OwnedBatch&) {}), 0);
  EXPECT_EQ(misses_after([](OwnedBatch& b) { b.candidate_columns[0].ids[0] ^= 1; }), 0);
  EXPECT_EQ(misses_after([](OwnedBatch& b) { b.event_columns[0].ids[3] ^= 1; }), 1);
  EXPECT_EQ(misses_after([](OwnedBatch& b) { b.event_columns[0].ids.back() ^= 1; }), 1);
  EXPECT_EQ(misses_after([](OwnedBatch& b) { b.event_times[0] -= 1; }), 1);
  EXPECT_EQ(misses_after([](OwnedBatch& b) { b.first_ordinals[0] += 1; }), 1);
}

TEST(Ranker, RejectsAReferenceTimeBeforeACachedHistory) {
  const Config config = film(TimeMode::kEventRelative);
  Ranker ranker(random_model(config, 1), kLargeCache);
  RankingRequest request(config, 9, 2, 1);
  request.scores(ranker, CacheMode::kUse, 1, 1);
  request.columns.reference_times[0] = request.columns.event_times.back() - 1;
  expect_error(Status::kInvalidArgument, "lies before the newest event",
               [&] { request.scores(ranker, CacheMode::kOnly, 1, 1); });
}

TEST(Ranker, AnswersRequestsWithoutCandidatesOrHistory) {
  const Config config = film(TimeMode::kRequestRelative);
  Ranker ranker(random_model(config, 1), kLargeCache);
  const RankingRequest no_candidates(config, 9, 0, 1);
  EXPECT_TRUE(ranker.rank(no_candidates.with(CacheMode::kNone), nullptr));
  EXPECT_FALSE(ranker.rank(no_candidates.with(CacheMode::kOnly, 1, 1), nullptr));
  EXPECT_TRUE(ranker.rank(no_candidates.with(CacheMode::kUse, 1, 1), nullptr));
  EXPECT_TRUE(ranker.rank(no_candidates.with(CacheMode::kOnly, 1, 1), nullptr))
      << "a request may warm the cache";
  const RankingRequest nothing(config, 0, 0, 1);
  EXPECT_TRUE(ranker.rank(nothing.with(CacheMode::kNone), nullptr));

  const RankingRequest no_history(config, 0, 3, 1);
  const std::vector<float> full = no_history.scores(ranker, CacheMode::kNone);
  EXPECT_EQ(full.size(), 3U);
  EXPECT_EQ(no_history.scores(ranker, CacheMode::kUse, 2, 1), full);
  EXPECT_EQ(no_history.scores(ranker, CacheMode::kOnly, 2, 1), full);
}

TEST(Ranker, WithoutRoomInTheCacheStillScores) {
  const Config config = film(TimeMode::kRequestRelative);
  Ranker ranker(random_model(config, 1), 0);
  const RankingRequest request(config, 9, 2, 1);
  const std::vector<float> full = request.scores(ranker, CacheMode::kNone);
  EXPECT_EQ(request.scores(ranker, CacheMode::kUse, 1, 1), full);
  EXPECT_EQ(request.scores(ranker, CacheMode::kUse, 1, 1), full);
  EXPECT_EQ(ranker.stats().cache.hits, 0);
  EXPECT_EQ(ranker.stats().cache.bytes, 0);
}

TEST(Ranker, CountsRequestsCandidatesAndEvictions) {
  const Config config = film(TimeMode::kRequestRelative);
  Ranker ranker(random_model(config, 1), kLargeCache);
  const RankingRequest request(config, 9, 3, 1);
  request.scores(ranker, CacheMode::kUse, 1, 1);
  request.scores(ranker, CacheMode::kUse, 1, 1);
  EXPECT_TRUE(ranker.evict(1));
  EXPECT_FALSE(ranker.evict(1));
  EXPECT_TRUE(request.scores(ranker, CacheMode::kOnly, 1, 1).empty());
  const RankerStats stats = ranker.stats();
  EXPECT_EQ(stats.requests, 2);
  EXPECT_EQ(stats.candidates, 6);
  EXPECT_EQ(stats.cache.hits, 1);
  EXPECT_EQ(stats.cache.misses, 1);
  EXPECT_EQ(stats.cache.evictions, 1);
  EXPECT_EQ(stats.cache.entries, 0);
  EXPECT_EQ(stats.cache.bytes, 0);
}

TEST(Ranker, CountsOnceARequestThatIsRepeatedWithItsHistory) {
  const Config config = film(TimeMode::kRequestRelative);
  Ranker ranker(random_model(config, 1), kLargeCache);
  const RankingRequest request(config, 9, 3, 1);
  EXPECT_TRUE(request.scores(ranker, CacheMode::kOnly, 1, 1).empty());
  EXPECT_FALSE(request.scores(ranker, CacheMode::kUse, 1, 1).empty());
  const RankerStats stats = ranker.stats();
  EXPECT_EQ(stats.requests, 1);
  EXPECT_EQ(stats.candidates, 3);
  EXPECT_EQ(stats.cache.misses, 1);
}

TEST(Ranker, EncodesAgainWhatIsTooOld) {
  const Config config = film(TimeMode::kEventRelative);
  auto now = std::make_shared<int64_t>(0);
  Ranker ranker(random_model(config, 1), {kLargeCache, 1000}, [now] { return *now; });
  const RankingRequest request(config, 9, 3, 1);
  const std::vector<float> full = request.scores(ranker, CacheMode::kUse, 1, 1);
  *now = 999'999'999;
  EXPECT_EQ(request.scores(ranker, CacheMode::kOnly, 1, 1), full);
  *now += 1;
  EXPECT_TRUE(request.scores(ranker, CacheMode::kOnly, 1, 1).empty());
  EXPECT_EQ(request.scores(ranker, CacheMode::kUse, 1, 1), full);
  EXPECT_EQ(ranker.stats().cache.expired, 1);
  EXPECT_EQ(ranker.stats().cache.misses, 2);
}

/// A version that a caller forgot to change does not hide that there are more or other events.
TEST(Ranker, TakesNoCachedHistoryOfAnotherExtent) {
  for (const Anchor anchor : {Anchor::kNewest, Anchor::kOldest}) {
    Config config = film(TimeMode::kEventRelative);
    config.anchor = anchor;
    Ranker ranker(random_model(config, 1), kLargeCache);
    RankingRequest nine(config, 9, 3, 1);
    nine.columns.first_ordinals[0] = 0;
    RankingRequest ten(config, 10, 3, 1);
    ten.columns.first_ordinals[0] = 0;
    nine.scores(ranker, CacheMode::kUse, 1, 7);
    EXPECT_EQ(ten.scores(ranker, CacheMode::kUse, 1, 7), ten.scores(ranker, CacheMode::kNone));
    EXPECT_EQ(ranker.stats().cache.hits, 0);
    ten.columns.first_ordinals[0] = 40;
    EXPECT_EQ(ten.scores(ranker, CacheMode::kUse, 1, 7), ten.scores(ranker, CacheMode::kNone));
    EXPECT_EQ(ranker.stats().cache.hits, anchor == Anchor::kNewest ? 1 : 0);
  }
}

TEST(Ranker, RejectsMalformedRequests) {
  const Config config = film(TimeMode::kRequestRelative);
  const auto model = random_model(config, 1);
  expect_error(Status::kInvalidArgument, "user_cache_bytes must not be negative; got -1",
               [&] { Ranker(model, -1); });
  expect_error(Status::kInvalidArgument, "time_to_live_ms must be in 0", [&] {
    Ranker(model, UserKvCacheLimits{0, -1});
  });
  Ranker ranker(model, kLargeCache);
  const RankingRequest request(config, 9, 2, 1);
  const auto reject = [&](const std::string& part, const auto& change) {
    RankRequest bad = request.with(CacheMode::kUse, 1, 1);
    change(bad);
    expect_error(Status::kInvalidArgument, part, [&] { request.scores(ranker, bad); });
  };
  const OwnedBatch two = BatchMaker(config, 1).make({{1, 1}, {1, 1}});
  reject("got num_requests 2", [&](RankRequest& r) { r.batch = two.view(); });
  reject("cache_mode must be 0, 1 or 2; got 3",
         [](RankRequest& r) { r.cache_mode = static_cast<CacheMode>(3); });
  reject("CACHE_ONLY takes no history", [](RankRequest& r) { r.cache_mode = CacheMode::kOnly; });
  reject("event_columns is null", [](RankRequest& r) { r.batch.event_columns = nullptr; });
  const int64_t early = 0;
  reject("after the reference time 0", [&](RankRequest& r) { r.batch.reference_times = &early; });
  RankRequest unversioned = request.with(CacheMode::kOnly, 1, 0);
  expect_error(Status::kInvalidArgument, "needs a history_version",
               [&] { request.scores(ranker, unversioned); });
}

}  // namespace
}  // namespace longer
