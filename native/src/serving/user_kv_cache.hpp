#pragma once
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/aligned_buffer.hpp"
#include "model/forward.hpp"

namespace longer {

/// What a cached encoding must agree on to be used (LONGER §3.6.3).
struct HistoryKey {
  int64_t user_key = 0;
  int64_t history_version = 0;
  int64_t model_version = 0;
  int64_t reference_time = 0;  // 0 unless the time mode is REQUEST_RELATIVE

  bool operator==(const HistoryKey& other) const {
    return user_key == other.user_key && history_version == other.history_version &&
           model_version == other.model_version && reference_time == other.reference_time;
  }
};

/// The keys and values of one user's merged rows in every layer, in one block of memory. Immutable
/// once in the cache.
class UserEncoding {
 public:
  UserEncoding(const HistoryKey& key, const Config& config, const CachedHistory& history);

  const HistoryKey& key() const { return key_; }
  const CachedHistory& history() const { return history_; }
  UserKeysValues& keys_values() { return keys_values_; }
  const UserKeysValues& keys_values() const { return keys_values_; }
  int64_t bytes() const { return memory_.bytes() + static_cast<int64_t>(sizeof(*this)); }

 private:
  HistoryKey key_;
  CachedHistory history_;
  AlignedBuffer memory_;
  UserKeysValues keys_values_;
};

struct UserKvCacheStats {
  int64_t hits = 0;
  int64_t misses = 0;
  int64_t evictions = 0;
  int64_t entries = 0;
  int64_t bytes = 0;
};

/// Whether a lookup that finds nothing counts: one that will be repeated with the history does not.
enum class OnMiss { kCount, kIgnore };

/// Encodings by user, least recently used first out, within a limit of bytes. Safe from any thread;
/// an encoding in use outlives its eviction. Memory is freed outside the lock.
class UserKvCache {
 public:
  explicit UserKvCache(int64_t max_bytes) : max_bytes_(max_bytes) {}
  ~UserKvCache();

  /// The user's encoding if it matches `key` in full, else null. Counts a hit or, unless `on_miss`
  /// says otherwise, a miss. Allocates nothing.
  std::shared_ptr<const UserEncoding> find(const HistoryKey& key, OnMiss on_miss = OnMiss::kCount);
  /// Keeps an encoding in place of the user's former one and evicts until the limit holds. One
  /// larger than the limit is not kept.
  void insert(std::shared_ptr<const UserEncoding> encoding);
  /// Whether there was an encoding of the user to drop.
  bool evict(int64_t user_key);
  UserKvCacheStats stats() const;

 private:
  using Entries = std::list<std::shared_ptr<const UserEncoding>>;
  void move_out(Entries::iterator entry, Entries& removed);

  const int64_t max_bytes_;
  mutable std::mutex mutex_;
  Entries entries_;  // most recently used first
  std::unordered_map<int64_t, Entries::iterator> by_user_;
  UserKvCacheStats stats_;
};

}  // namespace longer
