#include <algorithm>
#include <utility>

#include "longer/error.hpp"
#include "model/window.hpp"
#include "serving/ranker.hpp"
#include "serving/ranker_context.hpp"

namespace longer {
namespace {

int64_t first_ordinal_of(const BatchView& batch) {
  return batch.first_ordinals != nullptr ? batch.first_ordinals[0] : 0;
}

/// Whether the request appends to exactly this encoding.
bool follows(const RankRequest& request, const HistoryKey& key) {
  const int64_t ordinal = first_ordinal_of(request.batch);
  return (request.history_version == 0 || request.history_version == key.history_version) &&
         (ordinal == 0 || ordinal == key.extent->event_count);
}

/// Where a history ends whose newest events are `events`, prepared as `batch`. `previous` is the
/// time that their first one is measured against.
HistoryEnd end_of(const Config& config, const BatchView& events, const PreparedBatch& batch,
                  const std::optional<int64_t>& previous) {
  int64_t tail = 0;
  if (batch.num_groups() > 0 && batch.slots.back() + 1 < config.merge_factor) {
    const auto* group = &batch.event_group_offsets.back() - 1;
    tail = group[1] - group[0];
  }
  HistoryEnd end;
  const int64_t first = events.num_events - tail;
  end.tail.add(config.event_features.size(), events, first, events.num_events);
  end.previous_time = previous;
  if (batch.num_tokens() > tail && config.time != TimeMode::kNone)
    end.previous_time = events.event_times[first - 1];
  return end;
}

/// The change that an append without events makes: none.
HistoryChange no_change(const Config& config, const UserEncoding& former) {
  HistoryChange change;
  change.key = former.key();
  change.history = former.history();
  const BatchView tail = former.end().tail.view(former.key().extent->event_count);
  change.end.tail.add(config.event_features.size(), tail, 0, tail.num_events);
  change.end.previous_time = former.end().previous_time;
  for (const MatrixView& layer : former.keys_values().layers)
    change.rows.keys_values.push_back({0, layer.rows, {}});
  change.rows.num_queries = former.history().num_queries;
  change.rows.query_rows = {0, former.query_rows().rows, {}};
  change.rows.head_rows = {0, former.head_rows().rows, {}};
  change.rows.head_share = former.keys_values().head_share;
  return change;
}

}  // namespace

HistoryEnd Ranker::history_end(const BatchView& events, const PreparedBatch& batch) const {
  HistoryEnd end = end_of(model_->config(), events, batch, {});
  end.hash.add(model_->config(), events);
  end.first_ordinal = first_ordinal_of(events);
  return end;
}

bool Ranker::append(const RankRequest& request, int64_t new_history_version) {
  const Config& config = model_->config();
  const BatchView& events = request.batch;
  validate_events(config, events);

  const auto stripe = static_cast<uint64_t>(request.user_key) % append_mutexes_.size();
  const std::lock_guard<std::mutex> one_at_a_time(append_mutexes_[stripe]);
  const EncodingInUse former = cache_.find_user(request.user_key);
  if (!former || !follows(request, former->key())) return false;
  const int64_t former_count = former->key().extent->event_count;
  const int64_t count = former_count + events.num_events;
  if (!can_append(config) ||
      Window::origin(config, count) != Window::origin(config, former_count)) {
    num_rebuilt_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }

  ContextLease lease(*this);
  HistoryChange change =
      events.num_events == 0 ? no_change(config, *former) : encode_change(*lease, *former, events);
  change.end.first_ordinal = former->end().first_ordinal;
  change.end.hash = former->end().hash;
  change.end.hash.add(config, events);
  change.key.history_version = new_history_version != 0
                                   ? new_history_version
                                   : change.end.hash.version(change.end.first_ordinal);
  return cache_.append(former, std::move(change));
}

HistoryChange Ranker::encode_change(Context& c, const UserEncoding& former,
                                    const BatchView& added) {
  const Config& config = model_->config();
  const CachedHistory& history = former.history();
  const bool has_time = config.time != TimeMode::kNone;
  if (has_time && history.has_events) {
    check_argument(added.event_times[0] >= history.newest_time, "[append] event 0 at ",
                   added.event_times[0], " is older than the newest event of the history, ",
                   history.newest_time);
  }
  const HistoryExtent& extent = *former.key().extent;
  const std::optional<int64_t>& previous = former.end().previous_time;
  OwnedEvents events;
  const BatchView tail = former.end().tail.view(extent.event_count);
  events.add(config.event_features.size(), tail, 0, tail.num_events);
  events.add(config.event_features.size(), added, 0, added.num_events);
  const int64_t first_ordinal = extent.event_count - tail.num_events;
  const BatchView batch = events.view(first_ordinal);
  ReadOnlyLookup lookup(model_->state());
  prepare_events(config, batch, previous ? &*previous : nullptr, lookup, c.batch);
  c.batch.place(*c.stream, c.memory);

  HistoryChange change;
  change.key = former.key();
  change.key.extent->event_count += added.num_events;
  if (history.num_merged_rows == 0)
    change.key.extent->window_start = first_ordinal + c.batch.kept_events[0].begin;
  encode_append(config, model_->weights(), model_->backend(), *c.stream, c.memory, c.batch,
                {history.num_merged_rows, history.num_queries,
                 tail.num_events > 0 ? history.num_merged_rows - 1 : history.num_merged_rows,
                 &former.keys_values(), former.query_rows(), former.head_rows()},
                change.rows);
  c.stream->synchronize();  // the cache copies the rows
  change.end = end_of(config, batch, c.batch, previous);
  change.history = {change.rows.num_groups, change.rows.num_queries,
                    has_time ? added.event_times[added.num_events - 1] : 0, true};
  return change;
}

}  // namespace longer
