#include "serving/user_kv_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "core/live_count.hpp"
#include "support/cases.hpp"

namespace longer {
namespace {

HistoryKey key_of(int64_t user, int64_t version = 1) { return {user, version, 1, 0, {}}; }

/// Time that stands still until a test moves it.
struct StoppedClock {
  std::shared_ptr<std::atomic<int64_t>> nanoseconds = std::make_shared<std::atomic<int64_t>>(0);
  void add_ms(int64_t ms) { *nanoseconds += ms * 1'000'000; }
  Clock clock() const {
    return [now = nanoseconds] { return now->load(); };
  }
};

std::shared_ptr<UserEncoding> encoding_of(const HistoryKey& key, int64_t groups = 8) {
  static const Config config = testing::film_config();
  auto encoding =
      std::make_shared<UserEncoding>(key, config, CachedHistory{groups, groups / 2, 0, true});
  for (const MatrixView& layer : encoding->keys_values().layers) {
    for (int64_t i = 0; i < layer.rows * layer.cols; ++i)
      layer.data[i] = static_cast<float>(key.user_key);
  }
  return encoding;
}

const int64_t kBytes = encoding_of(key_of(0))->bytes();

TEST(UserKvCache, HoldsOneMatrixOfKeysAndValuesPerLayer) {
  const auto encoding = encoding_of(key_of(3));
  const Config config = testing::film_config();
  ASSERT_EQ(encoding->keys_values().layers.size(), 2U);
  EXPECT_EQ(encoding->keys_values().layers[0].rows, 8);
  EXPECT_EQ(encoding->keys_values().layers[1].rows, 4);
  EXPECT_EQ(encoding->keys_values().layers[0].cols, 2 * config.model_width());
  const auto floats = 12 * 2 * config.model_width();
  EXPECT_EQ(encoding->bytes(), floats * 4 + static_cast<int64_t>(sizeof(UserEncoding)));
}

TEST(UserKvCache, FindsWhatMatchesInEveryPart) {
  UserKvCache cache({10 * kBytes, 0});
  const HistoryKey key{1, 2, 3, 4, HistoryExtent{8, 40}};
  const auto encoding = encoding_of(key);
  EXPECT_FALSE(cache.find(key));
  cache.insert(encoding);
  EXPECT_EQ(&*cache.find(key), encoding.get());
  EXPECT_FALSE(cache.find({9, 2, 3, 4, {}}));
  EXPECT_FALSE(cache.find({1, 9, 3, 4, {}}));
  EXPECT_FALSE(cache.find({1, 2, 9, 4, {}}));
  EXPECT_FALSE(cache.find({1, 2, 3, 9, {}}));
  EXPECT_FALSE(cache.find({1, 2, 3, 4, HistoryExtent{8, 41}}));
  EXPECT_FALSE(cache.find({1, 2, 3, 4, HistoryExtent{9, 40}}));
  EXPECT_TRUE(cache.find({1, 2, 3, 4, {}})) << "a request without its history names no extent";
  EXPECT_EQ(cache.stats().hits, 2);
  EXPECT_EQ(cache.stats().misses, 7);
}

TEST(UserKvCache, KeepsOneEncodingPerUser) {
  UserKvCache cache({10 * kBytes, 0});
  cache.insert(encoding_of(key_of(1, 1)));
  cache.insert(encoding_of(key_of(1, 2)));
  EXPECT_FALSE(cache.find(key_of(1, 1)));
  EXPECT_TRUE(cache.find(key_of(1, 2)));
  EXPECT_EQ(cache.stats().entries, 1);
  EXPECT_EQ(cache.stats().bytes, kBytes);
  EXPECT_EQ(cache.stats().evictions, 0);
}

TEST(UserKvCache, EvictsTheLeastRecentlyUsedFirst) {
  UserKvCache cache({3 * kBytes, 0});
  for (const int64_t user : {1, 2, 3}) cache.insert(encoding_of(key_of(user)));
  EXPECT_TRUE(cache.find(key_of(1)));
  cache.insert(encoding_of(key_of(4)));
  EXPECT_FALSE(cache.find(key_of(2)));
  for (const int64_t user : {1, 3, 4}) EXPECT_TRUE(cache.find(key_of(user))) << user;
  EXPECT_EQ(cache.stats().evictions, 1);
}

TEST(UserKvCache, StaysWithinItsBytes) {
  UserKvCache cache({5 * kBytes - 1, 0});
  for (int64_t user = 0; user < 100; ++user) {
    cache.insert(encoding_of(key_of(user), 1 + user % 12));
    EXPECT_LE(cache.stats().bytes, 5 * kBytes - 1);
    EXPECT_TRUE(cache.find(key_of(user)));
  }
  EXPECT_EQ(cache.stats().entries + cache.stats().evictions, 100);
}

TEST(UserKvCache, EvictsSeveralForALargeOneAndNoneForOneTooLarge) {
  UserKvCache cache({4 * kBytes, 0});
  for (const int64_t user : {1, 2, 3, 4}) cache.insert(encoding_of(key_of(user)));
  cache.insert(encoding_of(key_of(5), 20));
  EXPECT_TRUE(cache.find(key_of(5)));
  EXPECT_TRUE(cache.find(key_of(4)));
  EXPECT_FALSE(cache.find(key_of(3)));

  const UserKvCacheStats before = cache.stats();
  cache.insert(encoding_of(key_of(6), 8000));
  EXPECT_FALSE(cache.find(key_of(6)));
  EXPECT_EQ(cache.stats().evictions, before.evictions);
  EXPECT_EQ(cache.stats().bytes, before.bytes);
  cache.insert(encoding_of(key_of(5, 2), 8000));
  EXPECT_FALSE(cache.find(key_of(5))) << "an outdated encoding must not stay";
}

TEST(UserKvCache, EvictsAUserOnRequest) {
  UserKvCache cache({4 * kBytes, 0});
  cache.insert(encoding_of(key_of(1)));
  EXPECT_TRUE(cache.evict(1));
  EXPECT_FALSE(cache.evict(1));
  EXPECT_FALSE(cache.find(key_of(1)));
  EXPECT_EQ(cache.stats().entries, 0);
  EXPECT_EQ(cache.stats().bytes, 0);
}

TEST(UserKvCache, KeepsAnEncodingInUseAlive) {
  UserKvCache cache({2 * kBytes, 0});
  cache.insert(encoding_of(key_of(7)));
  const int64_t before = live_bytes().value();
  {
    const EncodingInUse in_use = cache.find(key_of(7));
    EXPECT_FALSE(in_use.is_shared());
    {
      const EncodingInUse another = cache.find(key_of(7));
      EXPECT_TRUE(in_use.is_shared());
    }
    EXPECT_FALSE(in_use.is_shared());
    for (int64_t user = 8; user < 20; ++user) cache.insert(encoding_of(key_of(user)));
    EXPECT_FALSE(cache.find(key_of(7)));
    EXPECT_EQ(cache.stats().bytes, 2 * kBytes);
    EXPECT_EQ(live_bytes().value() - before, 2 * kBytes) << "what is in use is still there";
    for (const MatrixView& layer : in_use->keys_values().layers) {
      for (int64_t i = 0; i < layer.rows * layer.cols; ++i) ASSERT_EQ(layer.data[i], 7.0F);
    }
  }
  EXPECT_EQ(live_bytes().value() - before, kBytes);
}

TEST(UserKvCache, DropsWhatIsTooOld) {
  StoppedClock clock;
  UserKvCache cache({10 * kBytes, 50}, clock.clock());
  cache.insert(encoding_of(key_of(1)));
  clock.add_ms(30);
  cache.insert(encoding_of(key_of(2)));
  clock.add_ms(19);
  EXPECT_TRUE(cache.find(key_of(1))) << "use does not make an encoding younger …";
  clock.add_ms(1);
  EXPECT_FALSE(cache.find(key_of(1)));
  EXPECT_TRUE(cache.find(key_of(2)));
  clock.add_ms(20);
  cache.insert(encoding_of(key_of(2, 2)));
  clock.add_ms(49);
  EXPECT_TRUE(cache.find(key_of(2, 2))) << "… but a new one takes its place";
  EXPECT_EQ(cache.stats().expired, 1);
  EXPECT_EQ(cache.stats().evictions, 0);
  EXPECT_EQ(cache.stats().bytes, kBytes);
  clock.add_ms(1);
  EXPECT_EQ(cache.stats().expired, 2);
  EXPECT_EQ(cache.stats().entries, 0);
  EXPECT_EQ(cache.stats().bytes, 0);
  EXPECT_FALSE(cache.evict(2));
}

TEST(UserKvCache, ExpiresUsersThatNobodyAsksFor) {
  StoppedClock clock;
  UserKvCache cache({100 * kBytes, 10}, clock.clock());
  const int64_t before = live_bytes().value();
  for (int64_t user = 0; user < 20; ++user) {
    cache.insert(encoding_of(key_of(user)));
    clock.add_ms(1);
  }
  EXPECT_EQ(live_bytes().value() - before, 10 * kBytes) << "the last insert freed the first ten";
  EXPECT_EQ(cache.stats().expired, 11);
  EXPECT_EQ(cache.stats().bytes, 9 * kBytes);
}

TEST(UserKvCache, KeepsWhatIsInUseWhenItsTimeIsUp) {
  StoppedClock clock;
  UserKvCache cache({2 * kBytes, 10}, clock.clock());
  cache.insert(encoding_of(key_of(1)));
  const EncodingInUse in_use = cache.find(key_of(1));
  clock.add_ms(10);
  EXPECT_FALSE(cache.find(key_of(1)));
  EXPECT_EQ(in_use->keys_values().layers[0].data[0], 1.0F);
}

TEST(UserKvCache, GivesItsBytesBack) {
  const int64_t before = live_bytes().value();
  {
    UserKvCache cache({2 * kBytes, 0});
    for (int64_t user = 0; user < 5; ++user) cache.insert(encoding_of(key_of(user)));
    EXPECT_EQ(live_bytes().value() - before, 2 * kBytes);
  }
  EXPECT_EQ(live_bytes().value(), before);
}

TEST(UserKvCache, IsSafeFromManyThreads) {
  UserKvCache cache({6 * kBytes, 0});
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < 16; ++t) {
    threads.emplace_back([&cache, t] {
      for (int64_t i = 0; i < 200; ++i) {
        const int64_t user = (t * 7 + i) % 12;
        if (const auto found = cache.find(key_of(user))) {
          EXPECT_EQ(found->keys_values().layers[0].data[0], static_cast<float>(user));
        } else {
          cache.insert(encoding_of(key_of(user)));
        }
        if (i % 5 == 0) cache.evict(user);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const UserKvCacheStats stats = cache.stats();
  EXPECT_EQ(stats.hits + stats.misses, 16 * 200);
  EXPECT_LE(stats.entries, 6);
  EXPECT_EQ(stats.bytes, stats.entries * kBytes);
}

}  // namespace
}  // namespace longer
