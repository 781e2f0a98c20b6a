#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "serving/ranking_request.hpp"
#include "support/cases.hpp"
#include "support/random_model.hpp"

namespace longer {
namespace {

using testing::random_model;
using testing::RankingRequest;

constexpr int64_t kUsers = 8;
constexpr int kThreads = 16;
constexpr int kCalls = 60;

/// Sixteen threads rank, evict, explain and represent at once on one ranker whose cache holds half
/// of the users.
TEST(Ranker, GivesTheSameBitsToManyThreads) {
  const Config config = testing::film_config();
  for (const int pool_threads : {1, 3}) {
    const auto model = random_model(config, 1, pool_threads);
    std::vector<RankingRequest> requests;
    std::vector<std::vector<float>> expected;
    std::vector<std::vector<float>> explanations;
    int64_t cache_bytes = 0;
    {
      Ranker alone(model, int64_t{1} << 30);
      for (int64_t user = 0; user < kUsers; ++user) {
        requests.emplace_back(config, 3 * user, 1 + user, static_cast<uint64_t>(user));
        expected.push_back(requests.back().scores(alone, CacheMode::kUse, user, 1));
        explanations.emplace_back(static_cast<size_t>(3 * user));
        alone.explain(requests.back().with(CacheMode::kNone), user, 0, explanations.back().data());
      }
      cache_bytes = alone.stats().cache.bytes / 2;
    }
    Ranker ranker(model, cache_bytes);
    std::atomic<int> wrong{0};
    std::atomic<int> unanswered{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kCalls; ++i) {
          const auto user = static_cast<size_t>((t * 5 + i) % kUsers);
          const RankingRequest& request = requests[user];
          const auto key = static_cast<int64_t>(user);
          const CacheMode mode = i % 4 == 0   ? CacheMode::kNone
                                 : i % 4 == 1 ? CacheMode::kOnly
                                              : CacheMode::kUse;
          const std::vector<float> scores = request.scores(ranker, mode, key, 1);
          const bool is_miss = scores.empty() && mode == CacheMode::kOnly;
          if (is_miss) ++unanswered;
          if (!is_miss && scores != expected[user]) ++wrong;
          if (i % 7 == 0) ranker.evict(key);
          if (i % 20 == 0) {
            std::vector<float> shares(explanations[user].size());
            ranker.explain(request.with(CacheMode::kNone), key, 0, shares.data());
            if (shares != explanations[user]) ++wrong;
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong.load(), 0);
    const RankerStats stats = ranker.stats();
    EXPECT_EQ(stats.requests, kThreads * kCalls - unanswered.load());
    EXPECT_LE(stats.cache.bytes, cache_bytes);
    EXPECT_GT(stats.cache.evictions, 0);
  }
}

}  // namespace
}  // namespace longer
