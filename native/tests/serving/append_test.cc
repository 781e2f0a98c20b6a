// Appending to a cached history equals encoding it anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "core/live_count.hpp"
#include "model/window.hpp"
#include "serving/user_history.hpp"
#include "support/counting_backend.hpp"
#include "support/random_model.hpp"
#include "support/thrown_error.hpp"
#include "training/trainer.hpp"

namespace longer {
namespace {

using testing::CountingBackend;
using testing::expect_error;
using testing::LayerWork;
using testing::ModelCase;
using testing::random_model;
using testing::RankingRequest;
using testing::UserHistory;

constexpr int64_t kLargeCache = int64_t{1} << 30;
constexpr int64_t kUser = -5;

Config append_config() {
  Config config = testing::film_config();
  config.anchor = Anchor::kOldest;
  config.time = TimeMode::kEventRelative;
  return config;
}

/// Every option that an append must get right, each against the others.
std::vector<ModelCase> append_cases() {
  std::vector<ModelCase> cases;
  for (const int64_t merge : {1, 2, 4, 8, 16}) {
    for (const int64_t self_layers : {0, 1, 3}) {
      for (const int64_t query_block : {1, 16}) {
        for (const int64_t inner_layers : {0, 2}) {
          ModelCase c{"", append_config(), true};
          c.config.merge_factor = merge;
          c.config.event_width = std::max<int64_t>(2, 16 / merge);
          c.config.self_layers = self_layers;
          c.config.query_block = query_block;
          c.config.inner_layers = inner_layers;
          c.config.queries = 3;
          c.config.max_history = 24 * merge;
          c.config.time = cases.size() % 3 == 0 ? TimeMode::kNone : TimeMode::kEventRelative;
          const auto step = static_cast<int>(cases.size() / 12 + cases.size() % 2);
          c.config.head = static_cast<Head>(step % 3);
          const auto visibility = static_cast<int>((cases.size() / 4 + cases.size() / 12) % 3);
          c.config.global_visibility = static_cast<GlobalVisibility>(visibility);
          c.name = "Merge" + std::to_string(merge) + "Self" + std::to_string(self_layers) +
                   "Block" + std::to_string(query_block) + "Inner" + std::to_string(inner_layers) +
                   (c.config.time == TimeMode::kNone ? "Timeless" : "") + "Head" +
                   std::to_string(step % 3) + "Visibility" + std::to_string(visibility);
          cases.push_back(c);
        }
      }
    }
  }
  for (ModelCase c : testing::model_cases()) {
    if (c.config.query_strategy != QueryStrategy::kRecent) continue;
    c.config.anchor = Anchor::kOldest;
    if (c.config.time == TimeMode::kRequestRelative) c.config.time = TimeMode::kEventRelative;
    c.config.max_history = 24 * c.config.merge_factor;
    cases.push_back(c);
  }
  return cases;
}

class AppendCase : public ::testing::TestWithParam<ModelCase> {};
INSTANTIATE_TEST_SUITE_P(Options, AppendCase, ::testing::ValuesIn(append_cases()),
                         testing::model_case_name);

/// Scores of a cached user, without the history.
std::vector<float> cached(Ranker& ranker, const RankingRequest& request, int64_t version) {
  return request.scores(ranker, CacheMode::kOnly, kUser, version);
}

TEST_P(AppendCase, InvariantKAppendEqualsRebuild) {
  const Config& config = GetParam().config;
  const int64_t k = config.merge_factor;
  const uint64_t seed = testing::test_seed();
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto one_of = [&random](const std::vector<int64_t>& values) {
    return values[std::uniform_int_distribution<size_t>(0, values.size() - 1)(random)];
  };
  Ranker ranker(random_model(config, 3), kLargeCache);
  int64_t appended = 0;
  int64_t rebuilt = 0;
  for (int64_t history = 0; history < 6; ++history) {
    const int64_t first_ordinal = one_of({0, 0, 1, k, 5 * k + 1});
    const UserHistory user(config, 3 * config.max_history, 3, seed + static_cast<uint64_t>(history),
                           first_ordinal);
    int64_t count = one_of({0, 0, 1, k - 1, k, k + 1, 3 * k, 10 * k + 1, config.max_history - 1});
    user.until(count).scores(ranker, CacheMode::kUse, kUser, 1);
    for (int64_t version = 1; count < user.num_events(); ++version) {
      int64_t added = one_of({0, 1, 1, k - 1, k, k + 1, 2 * k, 7 * k + 1, config.max_history / 2});
      added = std::min(added, user.num_events() - count);
      SCOPED_TRACE(std::to_string(first_ordinal) + ": " + std::to_string(count) + " + " +
                   std::to_string(added));
      const bool moves = Window::origin(config, first_ordinal + count) !=
                         Window::origin(config, first_ordinal + count + added);
      ASSERT_NE(user.append(ranker, kUser, count, count + added, version, version + 1), moves);
      const RankingRequest now = user.until(count + added);
      const std::vector<float> full = now.scores(ranker, CacheMode::kNone);
      if (moves) {
        ++rebuilt;
        const RankingRequest before = user.until(count);
        EXPECT_EQ(cached(ranker, before, version), before.scores(ranker, CacheMode::kNone))
            << "what is cached stays as it was";
        now.scores(ranker, CacheMode::kUse, kUser, version + 1);
      } else {
        ++appended;
        const int64_t hits = ranker.stats().cache.hits;
        ASSERT_EQ(cached(ranker, now, version + 1), full);
        ASSERT_EQ(now.scores(ranker, CacheMode::kUse, kUser, version + 1), full);
        ASSERT_EQ(ranker.stats().cache.hits, hits + 2);
        EXPECT_TRUE(cached(ranker, now, version).empty() || added == 0);
      }
      count += added;
    }
    ranker.evict(kUser);
  }
  EXPECT_GT(appended, 10);
  EXPECT_GT(rebuilt, 3);
  const RankerStats stats = ranker.stats();
  EXPECT_EQ(stats.cache.appended, appended);
  EXPECT_EQ(stats.rebuilt, rebuilt);
  EXPECT_EQ(stats.cache.bytes, 0);
}

/// Long sequences of single events, so that rows move through their room several times.
TEST_P(AppendCase, InvariantKHoldsEventByEvent) {
  const Config& config = GetParam().config;
  Ranker ranker(random_model(config, 4), kLargeCache);
  const int64_t count = config.max_history;
  const UserHistory user(config, count, 2, 9);
  user.until(0).scores(ranker, CacheMode::kUse, kUser, 1);
  for (int64_t i = 0; i < count; ++i) {
    ASSERT_TRUE(user.append(ranker, kUser, i, i + 1, i + 1, i + 2)) << i;
    if (i % 5 != 4 && i + 1 < count) continue;
    const RankingRequest now = user.until(i + 1);
    ASSERT_EQ(cached(ranker, now, i + 2), now.scores(ranker, CacheMode::kNone)) << i;
  }
}

/// What each layer computes, for 24 groups of 2 with 8 queries and three self layers.
class AppendWork : public ::testing::Test {
 protected:
  std::vector<LayerWork> work(int64_t query_block, int64_t before, int64_t added,
                              int64_t self_layers = 3) {
    Config config = append_config();
    config.merge_factor = 2;
    config.max_history = 60;
    config.queries = 8;
    config.self_layers = self_layers;
    config.query_block = query_block;
    backend_ = std::make_shared<CountingBackend>(testing::test_backend(1));
    Ranker ranker(std::make_shared<const LongerModel>(testing::random_state(config, 2), backend_),
                  kLargeCache);
    const UserHistory user(config, before + added, 2, 1);
    user.until(before).scores(ranker, CacheMode::kUse, kUser, 1);
    backend_->forget();
    EXPECT_TRUE(user.append(ranker, kUser, before, before + added));
    return backend_->layers;
  }
  std::shared_ptr<CountingBackend> backend_;
};

TEST_F(AppendWork, WithoutAMovingStartIsTheNewGroupsAlone) {
  // 24 groups: the first query row is group 16 whether there are 24 or 30.
  EXPECT_EQ(work(16, 48, 1), (std::vector<LayerWork>{{1, 1}, {1, 1}, {1, 1}, {1, 0}}));
  EXPECT_EQ(backend_->events, 1);
  EXPECT_EQ(work(16, 49, 1), (std::vector<LayerWork>{{1, 1}, {1, 1}, {1, 1}, {1, 0}}));
  EXPECT_EQ(backend_->events, 2) << "the ragged group's event and the new one";
  EXPECT_EQ(work(16, 49, 6), (std::vector<LayerWork>{{4, 4}, {4, 4}, {4, 4}, {4, 0}}));
  EXPECT_EQ(backend_->groups, 4);
}

TEST_F(AppendWork, WhenTheStartMovesKeepsWhatTheCrossLayerLeft) {
  // The new group is encoded; the 7 query rows that stay give layer 1 their queries alone.
  EXPECT_EQ(work(1, 48, 1), (std::vector<LayerWork>{{1, 1}, {1, 8}, {8, 8}, {8, 0}}));
  EXPECT_EQ(backend_->events, 1);
  // From group 0 to group 16 with the 24th group: of 23 query rows 7 stay.
  EXPECT_EQ(work(16, 46, 2), (std::vector<LayerWork>{{1, 1}, {1, 8}, {8, 8}, {8, 0}}));
  // Without layers after it layer 1 needs no queries.
  EXPECT_EQ(work(1, 48, 1, 1), (std::vector<LayerWork>{{1, 1}, {1, 0}}));
  EXPECT_EQ(work(1, 48, 1, 0), (std::vector<LayerWork>{{1, 0}}));
}

TEST_F(AppendWork, IsNoneWithoutEvents) {
  EXPECT_TRUE(work(1, 49, 0).empty());
  EXPECT_EQ(backend_->events, 0);
}

TEST(Append, ContinuesTheHash) {
  const Config config = append_config();
  Ranker ranker(random_model(config, 1), kLargeCache);
  const UserHistory user(config, 25, 2, 1);
  user.until(9).scores(ranker, CacheMode::kUse, kUser);
  for (int64_t count = 9; count < 25; count += 4) {
    EXPECT_TRUE(user.append(ranker, kUser, count, count + 4));
    user.until(count + 4).scores(ranker, CacheMode::kUse, kUser);
  }
  EXPECT_EQ(ranker.stats().cache.misses, 1);
  EXPECT_EQ(ranker.stats().cache.hits, 4);
}

TEST(Append, IsForOneVersionAndOrdinal) {
  const Config config = append_config();
  Ranker ranker(random_model(config, 1), kLargeCache);
  const UserHistory user(config, 20, 2, 1);
  EXPECT_FALSE(user.append(ranker, kUser, 9, 10, 1, 2)) << "nothing is cached";
  user.until(9).scores(ranker, CacheMode::kUse, kUser, 1);
  EXPECT_FALSE(user.append(ranker, kUser + 1, 9, 10, 1, 2));
  EXPECT_FALSE(user.append(ranker, kUser, 9, 10, 7, 8)) << "another version";
  EXPECT_FALSE(user.append(ranker, kUser, 10, 11, 1, 2)) << "an event is missing";
  EXPECT_FALSE(user.append(ranker, kUser, 8, 11, 1, 2)) << "an event comes twice";
  EXPECT_TRUE(user.append(ranker, kUser, 9, 10, 1, 2));
  EXPECT_FALSE(user.append(ranker, kUser, 9, 10, 1, 2)) << "the second of two";
  EXPECT_TRUE(user.append(ranker, kUser, 10, 12, 0, 3)) << "whatever the version";
  const RankingRequest now = user.until(12);
  EXPECT_EQ(cached(ranker, now, 3), now.scores(ranker, CacheMode::kNone));
  EXPECT_EQ(ranker.stats().cache.appended, 2);
  EXPECT_EQ(ranker.stats().rebuilt, 0);
}

TEST(Append, IsARebuildWithOtherOptions) {
  std::vector<Config> configs(3, append_config());
  configs[0].anchor = Anchor::kNewest;
  configs[1].time = TimeMode::kRequestRelative;
  configs[2].query_strategy = QueryStrategy::kLearnable;
  for (const Config& config : configs) {
    Ranker ranker(random_model(config, 1), kLargeCache);
    const UserHistory user(config, 10, 2, 1);
    user.until(9).scores(ranker, CacheMode::kUse, kUser, 1);
    EXPECT_FALSE(user.append(ranker, kUser, 9, 10, 1, 2));
    EXPECT_EQ(ranker.stats().rebuilt, 1);
    EXPECT_FALSE(cached(ranker, user.until(9), 1).empty());
  }
}

TEST(Append, RejectsMalformedEvents) {
  const Config config = append_config();
  Ranker ranker(random_model(config, 1), kLargeCache);
  const UserHistory user(config, 12, 2, 1);
  user.until(9).scores(ranker, CacheMode::kUse, kUser, 1);
  const auto reject = [&](const std::string& part, const auto& change) {
    RankingRequest request = user.events(9, 12);
    RankRequest bad = request.with(CacheMode::kUse, kUser, 1);
    change(request, bad);
    expect_error(Status::kInvalidArgument, part, [&] { ranker.append(bad, 2); });
  };
  const RankingRequest with_candidates = user.until(9);
  reject("no candidates are wanted; got num_requests 1, num_candidates 2",
         [&](auto&, RankRequest& r) { r = with_candidates.with(CacheMode::kUse, kUser, 1); });
  reject("event_times is null", [](auto&, RankRequest& r) { r.batch.event_times = nullptr; });
  reject("event_columns is null", [](auto&, RankRequest& r) { r.batch.event_columns = nullptr; });
  reject("event 1 is older than the one before it",
         [](RankingRequest& request, auto&) { request.columns.event_times[1] = -1; });
  reject("is older than the newest event of the history", [](RankingRequest& request, auto&) {
    request.columns.event_times = {0, 0, 0};
  });
  const int64_t negative = -1;
  reject("first_ordinal must be in 0",
         [&](auto&, RankRequest& r) { r.batch.first_ordinals = &negative; });
  EXPECT_TRUE(user.append(ranker, kUser, 9, 12, 1, 2)) << "nothing was changed";
}

TEST(Append, ReadsNoReferenceTimeAndNoUserColumns) {
  const Config config = append_config();
  Ranker ranker(random_model(config, 1), kLargeCache);
  const UserHistory user(config, 12, 2, 1);
  user.until(9).scores(ranker, CacheMode::kUse, kUser, 1);
  const RankingRequest events = user.events(9, 12);
  RankRequest request = events.with(CacheMode::kUse, kUser, 1);
  request.batch.reference_times = nullptr;
  request.batch.user_columns = nullptr;
  request.batch.candidate_offsets = nullptr;
  EXPECT_TRUE(ranker.append(request, 2));
  EXPECT_EQ(cached(ranker, user.until(12), 2), user.until(12).scores(ranker, CacheMode::kNone));
}

TEST(Append, AccountsForEveryByte) {
  const Config config = append_config();
  const auto model = random_model(config, 1);
  const int64_t before = live_bytes().value();
  {
    Ranker ranker(model, kLargeCache);
    const UserHistory user(config, 30, 2, 1);
    user.until(0).scores(ranker, CacheMode::kUse, kUser);
    user.until(0).scores(ranker, CacheMode::kUse, kUser + 1);
    for (int64_t i = 0; i < 30; ++i) {
      ASSERT_TRUE(user.append(ranker, kUser, i, i + 1));
      ASSERT_EQ(ranker.stats().cache.bytes, live_bytes().value() - before);
    }
    EXPECT_EQ(ranker.stats().cache.entries, 2);
  }
  EXPECT_EQ(live_bytes().value(), before);
}

TEST(Append, EvictsOthersAndAtLastItself) {
  Config config = append_config();
  config.max_history = 400;
  const auto model = random_model(config, 1);
  const UserHistory user(config, 400, 2, 1);
  int64_t small = 0;
  int64_t large = 0;
  {
    Ranker ranker(model, kLargeCache);
    user.until(1).scores(ranker, CacheMode::kUse, kUser);
    small = ranker.stats().cache.bytes;
    user.until(400).scores(ranker, CacheMode::kUse, kUser);
    large = ranker.stats().cache.bytes;
  }
  Ranker ranker(model, large - 1);
  ASSERT_LT(2 * small, large);
  user.until(1).scores(ranker, CacheMode::kUse, kUser + 1);
  user.until(1).scores(ranker, CacheMode::kUse, kUser);
  EXPECT_EQ(ranker.stats().cache.entries, 2);
  int64_t count = 1;
  for (; count < 400 && user.append(ranker, kUser, count, count + 1); ++count) {
    EXPECT_LT(ranker.stats().cache.bytes, large);
  }
  EXPECT_LT(count, 400) << "it grew beyond the limit";
  EXPECT_EQ(ranker.stats().cache.entries, 0);
  EXPECT_EQ(ranker.stats().cache.bytes, 0);
  EXPECT_EQ(ranker.stats().cache.evictions, 2);
  const RankingRequest now = user.until(count + 1);
  EXPECT_EQ(now.scores(ranker, CacheMode::kUse, kUser), now.scores(ranker, CacheMode::kNone));
}

TEST(Append, RenewsTheTimeToLive) {
  const Config config = append_config();
  auto now = std::make_shared<int64_t>(0);
  Ranker ranker(random_model(config, 1), {kLargeCache, 10}, [now] { return *now; });
  const UserHistory user(config, 12, 2, 1);
  user.until(9).scores(ranker, CacheMode::kUse, kUser, 1);
  *now = 9'000'000;
  EXPECT_TRUE(user.append(ranker, kUser, 9, 10, 1, 2));
  *now = 18'000'000;
  EXPECT_FALSE(cached(ranker, user.until(10), 2).empty());
  *now = 19'000'000;
  EXPECT_FALSE(user.append(ranker, kUser, 10, 11, 2, 3));
  EXPECT_EQ(ranker.stats().cache.expired, 1);
}

/// Training and serving see the same model: in a batch, in full, from the cache, after appends.
TEST_P(AppendCase, ServesWhatTrainingPredicts) {
  const Config& config = GetParam().config;
  const auto model = random_model(config, 6);
  Trainer trainer(*model, {}, testing::test_backend(2));
  Ranker ranker(model, kLargeCache);
  const int64_t k = config.merge_factor;
  const UserHistory user(config, 12 * k, 4, 2);
  user.until(k + 1).scores(ranker, CacheMode::kUse, kUser, 1);
  ASSERT_TRUE(user.append(ranker, kUser, k + 1, 7 * k, 1, 2));
  ASSERT_TRUE(user.append(ranker, kUser, 7 * k, 12 * k, 2, 3));
  const RankingRequest now = user.until(12 * k);
  std::vector<float> predicted = now.buffer();
  trainer.predict(now.columns.view(), predicted.data());
  EXPECT_EQ(now.scores(ranker, CacheMode::kNone), predicted) << "in full";
  EXPECT_EQ(cached(ranker, now, 3), predicted) << "after appends";
  EXPECT_EQ(now.scores(ranker, CacheMode::kUse, kUser + 1, 3), predicted) << "into the cache";
  EXPECT_EQ(now.scores(ranker, CacheMode::kOnly, kUser + 1, 3), predicted) << "from the cache";

  const auto explain = [&](Ranker& r) {
    std::vector<float> shares(static_cast<size_t>(now.columns.num_events()));
    r.explain(now.with(CacheMode::kUse, kUser, 3), 1, 0, shares.data());
    return shares;
  };
  Ranker fresh(model, 0);
  EXPECT_EQ(explain(ranker), explain(fresh)) << "an explanation does not read the cache";
}

}  // namespace
}  // namespace longer
