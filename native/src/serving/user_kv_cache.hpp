#pragma once
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/monotonic_clock.hpp"
#include "serving/user_encoding.hpp"

namespace longer {

/// Encodings found and not found; what became of those that were kept.
struct UserKvCacheStats {
  int64_t hits = 0;
  int64_t misses = 0;
  int64_t evictions = 0;  // for lack of room or on request
  int64_t expired = 0;
  int64_t appended = 0;
  int64_t entries = 0;
  int64_t bytes = 0;
};

/// How much a cache holds and for how long.
struct UserKvCacheLimits {
  int64_t max_bytes = 0;
  int64_t time_to_live_ms = 0;  // since an encoding was made or last appended to; 0 = no limit
};

/// Whether a lookup that finds nothing counts: one that will be repeated with the history does not.
enum class OnMiss { kCount, kIgnore };

/// One encoding a user, least recently used first out, within a limit of bytes and of age. Safe
/// from any thread; an encoding in use outlives its eviction. Memory is freed outside the lock.
class UserKvCache {
 public:
  explicit UserKvCache(const UserKvCacheLimits& limits, Clock clock = monotonic_nanoseconds);

  /// The user's encoding if it matches `key` in full, else none. Counts a hit or, unless `on_miss`
  /// says otherwise, a miss. Allocates nothing.
  EncodingInUse find(const HistoryKey& key, OnMiss on_miss = OnMiss::kCount);
  /// Keeps an encoding in place of the user's former one and evicts until the limit holds. One
  /// larger than the limit is not kept.
  void insert(std::shared_ptr<UserEncoding> encoding);
  /// The user's encoding, to append to; counts nothing.
  EncodingInUse find_user(int64_t user_key);
  /// Changes the user's encoding, which must still be `former`: in place when nobody else works
  /// with it and there is room, else in a copy. Calls for one user come one at a time. False:
  /// another encoding or none has taken its place, or there is no room for it in the cache.
  bool append(const EncodingInUse& former, HistoryChange&& change);
  /// Whether there was an encoding of the user to drop.
  bool evict(int64_t user_key);
  UserKvCacheStats stats();

 private:
  struct Entry {
    std::shared_ptr<UserEncoding> encoding;
    int64_t bytes;
    int64_t expires_at;                   // nanoseconds
    std::list<int64_t>::iterator by_age;  // in users_by_age_
  };
  using Entries = std::list<Entry>;

  void move_out(Entries::iterator entry, Entries& removed);
  void move_expired(Entries& removed);
  void make_room(int64_t bytes, Entries& removed);
  Entries::iterator entry_of(const EncodingInUse& encoding);
  bool renew(Entries::iterator entry, Entries& removed);
  int64_t expiry() const;

  const UserKvCacheLimits limits_;
  const Clock clock_;
  std::mutex mutex_;
  Entries entries_;                  // most recently used first
  std::list<int64_t> users_by_age_;  // soonest to expire first
  std::unordered_map<int64_t, Entries::iterator> by_user_;
  UserKvCacheStats stats_;
};

}  // namespace longer
