#include "serving/user_kv_cache.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "core/live_count.hpp"
#include "support/cases.hpp"

namespace longer {
namespace {

HistoryKey key_of(int64_t user, int64_t version = 1) { return {user, version, 1, 0}; }

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
  EXPECT_EQ(encoding->keys_values().layers[1].data, encoding->keys_values().layers[0].row(8));
  const auto floats = 12 * 2 * config.model_width();
  EXPECT_EQ(encoding->bytes(), floats * 4 + static_cast<int64_t>(sizeof(UserEncoding)));
}

TEST(UserKvCache, FindsWhatMatchesInEveryPart) {
  UserKvCache cache(10 * kBytes);
  const HistoryKey key{1, 2, 3, 4};
  const auto encoding = encoding_of(key);
  EXPECT_EQ(cache.find(key), nullptr);
  cache.insert(encoding);
  EXPECT_EQ(cache.find(key), encoding);
  EXPECT_EQ(cache.find({9, 2, 3, 4}), nullptr);
  EXPECT_EQ(cache.find({1, 9, 3, 4}), nullptr);
  EXPECT_EQ(cache.find({1, 2, 9, 4}), nullptr);
  EXPECT_EQ(cache.find({1, 2, 3, 9}), nullptr);
  EXPECT_EQ(cache.stats().hits, 1);
  EXPECT_EQ(cache.stats().misses, 5);
}

TEST(UserKvCache, KeepsOneEncodingPerUser) {
  UserKvCache cache(10 * kBytes);
  cache.insert(encoding_of(key_of(1, 1)));
  cache.insert(encoding_of(key_of(1, 2)));
  EXPECT_EQ(cache.find(key_of(1, 1)), nullptr);
  EXPECT_NE(cache.find(key_of(1, 2)), nullptr);
  EXPECT_EQ(cache.stats().entries, 1);
  EXPECT_EQ(cache.stats().bytes, kBytes);
  EXPECT_EQ(cache.stats().evictions, 0);
}

TEST(UserKvCache, EvictsTheLeastRecentlyUsedFirst) {
  UserKvCache cache(3 * kBytes);
  for (const int64_t user : {1, 2, 3}) cache.insert(encoding_of(key_of(user)));
  EXPECT_NE(cache.find(key_of(1)), nullptr);
  cache.insert(encoding_of(key_of(4)));
  EXPECT_EQ(cache.find(key_of(2)), nullptr);
  for (const int64_t user : {1, 3, 4}) EXPECT_NE(cache.find(key_of(user)), nullptr) << user;
  EXPECT_EQ(cache.stats().evictions, 1);
}

TEST(UserKvCache, StaysWithinItsBytes) {
  UserKvCache cache(5 * kBytes - 1);
  for (int64_t user = 0; user < 100; ++user) {
    cache.insert(encoding_of(key_of(user), 1 + user % 12));
    EXPECT_LE(cache.stats().bytes, 5 * kBytes - 1);
    EXPECT_NE(cache.find(key_of(user)), nullptr);
  }
  EXPECT_EQ(cache.stats().entries + cache.stats().evictions, 100);
}

TEST(UserKvCache, EvictsSeveralForALargeOneAndNoneForOneTooLarge) {
  UserKvCache cache(4 * kBytes);
  for (const int64_t user : {1, 2, 3, 4}) cache.insert(encoding_of(key_of(user)));
  cache.insert(encoding_of(key_of(5), 20));
  EXPECT_NE(cache.find(key_of(5)), nullptr);
  EXPECT_NE(cache.find(key_of(4)), nullptr);
  EXPECT_EQ(cache.find(key_of(3)), nullptr);

  const UserKvCacheStats before = cache.stats();
  cache.insert(encoding_of(key_of(6), 8000));
  EXPECT_EQ(cache.find(key_of(6)), nullptr);
  EXPECT_EQ(cache.stats().evictions, before.evictions);
  EXPECT_EQ(cache.stats().bytes, before.bytes);
  cache.insert(encoding_of(key_of(5, 2), 8000));
  EXPECT_EQ(cache.find(key_of(5)), nullptr) << "an outdated encoding must not stay";
}

TEST(UserKvCache, EvictsAUserOnRequest) {
  UserKvCache cache(4 * kBytes);
  cache.insert(encoding_of(key_of(1)));
  EXPECT_TRUE(cache.evict(1));
  EXPECT_FALSE(cache.evict(1));
  EXPECT_EQ(cache.find(key_of(1)), nullptr);
  EXPECT_EQ(cache.stats().entries, 0);
  EXPECT_EQ(cache.stats().bytes, 0);
}

TEST(UserKvCache, KeepsAnEncodingInUseAlive) {
  UserKvCache cache(2 * kBytes);
  cache.insert(encoding_of(key_of(7)));
  const auto in_use = cache.find(key_of(7));
  for (int64_t user = 8; user < 20; ++user) cache.insert(encoding_of(key_of(user)));
  EXPECT_EQ(cache.find(key_of(7)), nullptr);
  EXPECT_EQ(in_use.use_count(), 1);
  for (const MatrixView& layer : in_use->keys_values().layers) {
    for (int64_t i = 0; i < layer.rows * layer.cols; ++i) ASSERT_EQ(layer.data[i], 7.0F);
  }
}

TEST(UserKvCache, GivesItsBytesBack) {
  const int64_t before = live_bytes().value();
  {
    UserKvCache cache(2 * kBytes);
    for (int64_t user = 0; user < 5; ++user) cache.insert(encoding_of(key_of(user)));
    EXPECT_EQ(live_bytes().value() - before, 2 * kBytes);
  }
  EXPECT_EQ(live_bytes().value(), before);
}

TEST(UserKvCache, IsSafeFromManyThreads) {
  UserKvCache cache(6 * kBytes);
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
