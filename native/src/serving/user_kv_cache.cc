#include "serving/user_kv_cache.hpp"

#include <iterator>
#include <limits>
#include <utility>

namespace longer {
namespace {

constexpr int64_t kNanosecondsPerMillisecond = 1'000'000;

}  // namespace

UserKvCache::UserKvCache(const UserKvCacheLimits& limits, Clock clock)
    : limits_(limits), clock_(std::move(clock)) {}

EncodingInUse UserKvCache::find(const HistoryKey& key, OnMiss on_miss) {
  Entries removed;
  const std::lock_guard<std::mutex> lock(mutex_);
  move_expired(removed);
  const auto found = by_user_.find(key.user_key);
  if (found == by_user_.end() || !found->second->encoding->key().matches(key)) {
    if (on_miss == OnMiss::kCount) ++stats_.misses;
    return {};
  }
  ++stats_.hits;
  entries_.splice(entries_.begin(), entries_, found->second);
  return EncodingInUse(found->second->encoding);
}

void UserKvCache::move_out(Entries::iterator entry, Entries& removed) {
  stats_.bytes -= entry->bytes;
  --stats_.entries;
  users_by_age_.erase(entry->by_age);
  by_user_.erase(entry->encoding->key().user_key);
  removed.splice(removed.end(), entries_, entry);
}

void UserKvCache::move_expired(Entries& removed) {
  if (limits_.time_to_live_ms == 0 || entries_.empty()) return;
  const int64_t now = clock_();
  while (!users_by_age_.empty()) {
    const Entries::iterator oldest = by_user_.at(users_by_age_.front());
    if (oldest->expires_at > now) return;
    move_out(oldest, removed);
    ++stats_.expired;
  }
}

void UserKvCache::make_room(int64_t bytes, Entries& removed) {
  while (stats_.bytes + bytes > limits_.max_bytes) {
    move_out(std::prev(entries_.end()), removed);
    ++stats_.evictions;
  }
}

int64_t UserKvCache::expiry() const {
  if (limits_.time_to_live_ms == 0) return std::numeric_limits<int64_t>::max();
  return clock_() + limits_.time_to_live_ms * kNanosecondsPerMillisecond;
}

void UserKvCache::insert(std::shared_ptr<UserEncoding> encoding) {
  const int64_t bytes = encoding->bytes();
  const int64_t user_key = encoding->key().user_key;
  Entries removed;
  Entries added;
  std::list<int64_t> age = {user_key};
  added.push_front({std::move(encoding), bytes, expiry(), age.begin()});
  const std::lock_guard<std::mutex> lock(mutex_);
  move_expired(removed);
  if (const auto former = by_user_.find(user_key); former != by_user_.end())
    move_out(former->second, removed);
  if (bytes > limits_.max_bytes) return;
  make_room(bytes, removed);
  by_user_[user_key] = added.begin();
  users_by_age_.splice(users_by_age_.end(), age);
  entries_.splice(entries_.begin(), added);
  stats_.bytes += bytes;
  ++stats_.entries;
}

EncodingInUse UserKvCache::find_user(int64_t user_key) {
  Entries removed;
  const std::lock_guard<std::mutex> lock(mutex_);
  move_expired(removed);
  const auto found = by_user_.find(user_key);
  return found == by_user_.end() ? EncodingInUse() : EncodingInUse(found->second->encoding);
}

UserKvCache::Entries::iterator UserKvCache::entry_of(const EncodingInUse& encoding) {
  const auto found = by_user_.find(encoding->key().user_key);
  const bool is_present = found != by_user_.end() && found->second->encoding.get() == &*encoding;
  return is_present ? found->second : entries_.end();
}

bool UserKvCache::append(const EncodingInUse& former, HistoryChange&& change) {
  Entries removed;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const Entries::iterator entry = entry_of(former);
    if (entry == entries_.end()) return false;
    // Nobody starts to work with it while the lock is held.
    if (!former.is_shared() && former->has_room(change)) {
      entry->encoding->apply(std::move(change));
      return renew(entry, removed);
    }
  }
  auto changed = std::make_shared<UserEncoding>(*former, std::move(change));
  const std::lock_guard<std::mutex> lock(mutex_);
  const Entries::iterator entry = entry_of(former);
  if (entry == entries_.end()) return false;
  entry->encoding.swap(changed);
  return renew(entry, removed);
}

bool UserKvCache::renew(Entries::iterator entry, Entries& removed) {
  stats_.bytes -= entry->bytes;
  entry->bytes = entry->encoding->bytes();
  stats_.bytes += entry->bytes;
  entry->expires_at = expiry();
  users_by_age_.splice(users_by_age_.end(), users_by_age_, entry->by_age);
  entries_.splice(entries_.begin(), entries_, entry);
  const bool fits = entry->bytes <= limits_.max_bytes;
  if (!fits) {
    move_out(entry, removed);
    ++stats_.evictions;
  }
  make_room(0, removed);
  if (fits) ++stats_.appended;
  return fits;
}

bool UserKvCache::evict(int64_t user_key) {
  Entries removed;
  const std::lock_guard<std::mutex> lock(mutex_);
  move_expired(removed);
  const auto found = by_user_.find(user_key);
  if (found == by_user_.end()) return false;
  move_out(found->second, removed);
  ++stats_.evictions;
  return true;
}

UserKvCacheStats UserKvCache::stats() {
  Entries removed;
  const std::lock_guard<std::mutex> lock(mutex_);
  move_expired(removed);
  return stats_;
}

}  // namespace longer
