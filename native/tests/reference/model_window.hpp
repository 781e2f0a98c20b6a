#pragma once
// Which events of a request stay, where they stand, and their time buckets (native/docs/model.md,
// "Window", "Time").
#include <algorithm>
#include <cstdint>
#include <vector>

#include "longer/batch.hpp"
#include "longer/config.hpp"

namespace longer::model_reference {

/// One event that stays; groups are counted from the oldest one that has an event.
struct WindowEvent {
  int64_t event = 0;  // index into the batch's events
  int64_t position = 0;
  int64_t slot = 0;
  int64_t group = 0;
  int64_t time_bucket = 0;
};

struct Window {
  std::vector<WindowEvent> events;  // oldest → newest
  int64_t num_groups = 0;           // S
};

inline int64_t ceil_divide(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// floor(log₂(1 + Δ)), at most the last bucket.
inline int64_t bucket_of(int64_t seconds, int64_t num_buckets) {
  int64_t bucket = 0;
  for (auto rest = static_cast<uint64_t>(seconds) + 1; rest > 1; rest /= 2) ++bucket;
  return std::min(bucket, num_buckets - 1);
}

inline Window newest_window(const Config& c, int64_t begin, int64_t end) {
  Window window;
  const int64_t kept = std::min(end - begin, c.max_history);
  window.num_groups = ceil_divide(kept, c.merge_factor);
  for (int64_t event = end - kept; event < end; ++event) {
    const int64_t newer = end - 1 - event;
    WindowEvent e;
    e.event = event;
    e.position = newer;
    e.slot = c.merge_factor - 1 - newer % c.merge_factor;
    e.group = window.num_groups - 1 - newer / c.merge_factor;
    window.events.push_back(e);
  }
  return window;
}

inline Window oldest_window(const Config& c, int64_t begin, int64_t end, int64_t first_ordinal) {
  const int64_t k = c.merge_factor;
  const int64_t total = first_ordinal + (end - begin);
  // max_history / (8·K) rounded to the nearest integer, halves up.
  const int64_t block = k * std::max<int64_t>(1, (2 * c.max_history + 8 * k) / (16 * k));
  const int64_t first_kept =
      total <= c.max_history ? 0 : ceil_divide(total - c.max_history, block) * block;
  Window window;
  for (int64_t event = begin; event < end; ++event) {
    const int64_t ordinal = first_ordinal + (event - begin);
    if (ordinal < first_kept) continue;
    WindowEvent e;
    e.event = event;
    e.position = ordinal - first_kept;
    e.slot = e.position % k;
    e.group = e.position / k;
    window.events.push_back(e);
  }
  if (window.events.empty()) return window;
  const int64_t first_group = window.events.front().group;
  for (WindowEvent& e : window.events) e.group -= first_group;
  window.num_groups = window.events.back().group + 1;
  return window;
}

/// The window of request b.
inline Window window_of(const Config& c, const BatchView& batch, int64_t b) {
  const int64_t begin = batch.event_offsets[b];
  const int64_t end = batch.event_offsets[b + 1];
  const int64_t first_ordinal = batch.first_ordinals == nullptr ? 0 : batch.first_ordinals[b];
  Window window = c.anchor == Anchor::kNewest ? newest_window(c, begin, end)
                                              : oldest_window(c, begin, end, first_ordinal);
  for (size_t i = 0; i < window.events.size(); ++i) {
    WindowEvent& e = window.events[i];
    e.time_bucket = c.time_buckets;
    if (c.time == TimeMode::kRequestRelative) {
      e.time_bucket =
          bucket_of(batch.reference_times[b] - batch.event_times[e.event], c.time_buckets);
    } else if (c.time == TimeMode::kEventRelative && i > 0) {
      e.time_bucket =
          bucket_of(batch.event_times[e.event] - batch.event_times[e.event - 1], c.time_buckets);
    }
  }
  return window;
}

/// Bucket of the user global: time since the newest event.
inline int64_t user_time_bucket(const Config& c, const BatchView& batch, int64_t b) {
  const int64_t end = batch.event_offsets[b + 1];
  if (c.time == TimeMode::kNone || end == batch.event_offsets[b]) return c.time_buckets;
  return bucket_of(batch.reference_times[b] - batch.event_times[end - 1], c.time_buckets);
}

}  // namespace longer::model_reference
