#include "serving/user_kv_cache.hpp"

#include <iterator>
#include <utility>

#include "core/live_count.hpp"

namespace longer {
namespace {

int64_t rows_of_layer(const CachedHistory& history, int64_t layer) {
  return layer == 0 ? history.num_groups : history.num_queries;
}

int64_t floats_of(const Config& config, const CachedHistory& history) {
  int64_t rows = 0;
  for (int64_t l = 0; l < config.num_layers(); ++l) rows += rows_of_layer(history, l);
  return rows * 2 * config.model_width();
}

}  // namespace

UserEncoding::UserEncoding(const HistoryKey& key, const Config& config,
                           const CachedHistory& history)
    : key_(key), history_(history), memory_(floats_of(config, history)) {
  float* next = memory_.data();
  for (int64_t l = 0; l < config.num_layers(); ++l) {
    const int64_t rows = rows_of_layer(history, l);
    keys_values_.layers.emplace_back(next, rows, 2 * config.model_width());
    next += rows * 2 * config.model_width();
  }
}

UserKvCache::~UserKvCache() { live_bytes().add(-stats_.bytes); }

std::shared_ptr<const UserEncoding> UserKvCache::find(const HistoryKey& key, OnMiss on_miss) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_user_.find(key.user_key);
  if (found == by_user_.end() || !((*found->second)->key() == key)) {
    if (on_miss == OnMiss::kCount) ++stats_.misses;
    return nullptr;
  }
  ++stats_.hits;
  entries_.splice(entries_.begin(), entries_, found->second);
  return *found->second;
}

void UserKvCache::move_out(Entries::iterator entry, Entries& removed) {
  const int64_t bytes = (*entry)->bytes();
  stats_.bytes -= bytes;
  live_bytes().add(-bytes);
  --stats_.entries;
  by_user_.erase((*entry)->key().user_key);
  removed.splice(removed.end(), entries_, entry);
}

void UserKvCache::insert(std::shared_ptr<const UserEncoding> encoding) {
  const int64_t bytes = encoding->bytes();
  const int64_t user_key = encoding->key().user_key;
  Entries removed;
  Entries added;
  added.push_front(std::move(encoding));
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto former = by_user_.find(user_key); former != by_user_.end())
    move_out(former->second, removed);
  if (bytes > max_bytes_) return;
  while (stats_.bytes + bytes > max_bytes_) {
    move_out(std::prev(entries_.end()), removed);
    ++stats_.evictions;
  }
  by_user_[user_key] = added.begin();
  entries_.splice(entries_.begin(), added);
  stats_.bytes += bytes;
  live_bytes().add(bytes);
  ++stats_.entries;
}

bool UserKvCache::evict(int64_t user_key) {
  Entries removed;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_user_.find(user_key);
  if (found == by_user_.end()) return false;
  move_out(found->second, removed);
  ++stats_.evictions;
  return true;
}

UserKvCacheStats UserKvCache::stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stats_;
}

}  // namespace longer
