// Rankers under everything at once: rank, append, evict, explain, expiry, closing.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/live_count.hpp"
#include "serving/user_history.hpp"
#include "support/random_model.hpp"

namespace longer {
namespace {

using std::chrono::steady_clock;
using testing::RankingRequest;
using testing::UserHistory;

constexpr int kThreads = 16;
constexpr int64_t kUsers = 6;
constexpr int64_t kEvents = 44;

/// LONGER_CHURN_SECONDS, or a few.
std::chrono::seconds churn_time() {
  const char* text = std::getenv("LONGER_CHURN_SECONDS");
  return std::chrono::seconds(text == nullptr ? 3 : std::strtoll(text, nullptr, 10));
}

/// A user in every state that it can be in: after each number of events, whose version is one more.
struct User {
  std::unique_ptr<UserHistory> history;
  std::vector<RankingRequest> states;
  std::vector<std::vector<float>> scores;
  std::vector<std::vector<float>> shares;
};

std::vector<User> users_of(const Config& config, Ranker& ranker) {
  std::vector<User> users;
  for (int64_t u = 0; u < kUsers; ++u) {
    User& user = users.emplace_back();
    user.history = std::make_unique<UserHistory>(config, kEvents, 2, static_cast<uint64_t>(u));
    for (int64_t count = 0; count <= kEvents; ++count) {
      user.states.push_back(user.history->until(count));
      user.scores.push_back(user.states.back().scores(ranker, CacheMode::kNone));
      std::vector<float>& shares = user.shares.emplace_back(static_cast<size_t>(count));
      ranker.explain(user.states.back().with(CacheMode::kNone), 1, 0, shares.data());
    }
  }
  return users;
}

struct Counts {
  std::atomic<int64_t> calls{0}, wrong{0}, hits{0}, appended{0}, refused{0}, evicted{0};
};

/// One call of some kind. Versions name states, so a score is right or wrong, whatever others do.
void call(Ranker& ranker, const std::vector<User>& users, std::mt19937_64& random, Counts& counts) {
  const auto below = [&random](int64_t end) {
    return std::uniform_int_distribution<int64_t>(0, end - 1)(random);
  };
  const int64_t key = below(kUsers);
  const User& user = users[static_cast<size_t>(key)];
  const int64_t count = below(kEvents + 1);
  const auto state = static_cast<size_t>(count);
  const RankingRequest& request = user.states[state];
  // Even users name their versions, odd ones are told apart by their hashes.
  const bool is_named = key % 2 == 0;
  const int64_t version = is_named ? count + 1 : 0;
  const int64_t kind = below(20);
  if (kind < 8) {
    if (request.scores(ranker, CacheMode::kUse, key, version) != user.scores[state]) ++counts.wrong;
  } else if (kind < 11 && is_named) {
    const std::vector<float> scores = request.scores(ranker, CacheMode::kOnly, key, version);
    if (scores.empty()) return;
    ++counts.hits;
    if (scores != user.scores[state]) ++counts.wrong;
  } else if (kind < 18) {
    // From the state just ranked to a later one, and on while nobody else comes between.
    if (!is_named && count == 0) return;  // an ordinal of 0 would not tell whose turn it is
    request.scores(ranker, CacheMode::kUse, key, version);
    for (int64_t at = count; at < kEvents;) {
      const int64_t next = std::min(kEvents, at + below(6));
      const bool is_applied = user.history->append(ranker, key, at, next, version == 0 ? 0 : at + 1,
                                                   version == 0 ? 0 : next + 1);
      ++(is_applied ? counts.appended : counts.refused);
      if (!is_applied) break;
      at = next;
    }
  } else if (kind == 18) {
    if (ranker.evict(key)) ++counts.evicted;
  } else {
    std::vector<float> shares(state);
    ranker.explain(request.with(CacheMode::kUse, key, version), 1, 0, shares.data());
    if (shares != user.shares[state]) ++counts.wrong;
  }
}

/// Writes what happened to churn-native.json in the folder that LONGER_RECORDS names, unless it is
/// wrong.
void record(double seconds, uint64_t rankers, const Counts& counts, const UserKvCacheStats& seen) {
  const char* folder = std::getenv("LONGER_RECORDS");
  if (folder == nullptr || ::testing::Test::HasFailure()) return;
  std::ofstream file(std::string(folder) + "/churn-native.json");
  file << "{\n  \"what\": \"rankers under rank, append, evict, explain and expiry at once\",\n"
       << "  \"threads\": " << kThreads << ",\n  \"seconds\": " << seconds
       << ",\n  \"rankers\": " << rankers << ",\n  \"calls\": " << counts.calls
       << ",\n  \"hits\": " << counts.hits << ",\n  \"appends\": " << seen.appended
       << ",\n  \"appends_refused\": " << counts.refused << ",\n  \"evictions\": " << seen.evictions
       << ",\n  \"expired\": " << seen.expired << ",\n  \"wrong_scores\": " << counts.wrong
       << ",\n  \"native_bytes_left_after_a_close\": 0\n}\n";
  EXPECT_TRUE(file.good());
}

TEST(RankerChurn, GivesLegalScoresAndItsMemoryBack) {
  Config config = testing::film_config();
  config.anchor = Anchor::kOldest;
  config.time = TimeMode::kEventRelative;
  config.max_history = 36;
  config.merge_factor = 2;
  config.self_layers = 2;
  const int64_t before = live_bytes().value();
  {
    const auto model = testing::random_model(config, 1, 1);
    int64_t cache_bytes = 0;
    std::vector<User> users;
    {
      Ranker alone(model, int64_t{1} << 30);
      users = users_of(config, alone);
      for (int64_t u = 0; u < kUsers; ++u)
        users[static_cast<size_t>(u)].states.back().scores(alone, CacheMode::kUse, u);
      cache_bytes = alone.stats().cache.bytes * 2 / 3;  // too little for all
    }
    const int64_t level = live_bytes().value();
    Counts counts;
    UserKvCacheStats seen;
    const auto start = steady_clock::now();
    const auto end = start + churn_time();
    uint64_t round = 0;
    for (; steady_clock::now() < end; ++round) {
      const auto round_end = std::min(end, steady_clock::now() + std::chrono::milliseconds(500));
      Ranker ranker(model, {cache_bytes, 1});
      std::vector<std::thread> threads;
      for (uint64_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, seed = round * kThreads + t] {
          std::mt19937_64 random(seed);
          while (steady_clock::now() < round_end) {
            call(ranker, users, random, counts);
            ++counts.calls;
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      const UserKvCacheStats stats = ranker.stats().cache;
      EXPECT_LE(stats.bytes, cache_bytes);
      EXPECT_EQ(live_bytes().value() - level, stats.bytes) << "nothing in use is left";
      seen.evictions += stats.evictions;
      seen.expired += stats.expired;
      seen.appended += stats.appended;
    }
    EXPECT_EQ(live_bytes().value(), level);
    EXPECT_EQ(counts.wrong.load(), 0);
    EXPECT_GT(counts.hits.load(), 0);
    EXPECT_GT(counts.refused.load(), 0);
    EXPECT_GT(counts.evicted.load(), 0);
    EXPECT_EQ(seen.appended, counts.appended.load());
    EXPECT_GT(seen.appended, 0);
    EXPECT_GT(seen.evictions, counts.evicted.load()) << "for lack of room too";
    EXPECT_GT(seen.expired, 0);
    const std::chrono::duration<double> seconds = steady_clock::now() - start;
    record(seconds.count(), round, counts, seen);
  }
  EXPECT_EQ(live_bytes().value(), before);
}

}  // namespace
}  // namespace longer
