#include "model/prepared_batch.hpp"

#include <algorithm>

#include "longer/error.hpp"
#include "model/window.hpp"

namespace longer {
namespace {

/// What one call of append_side_rows needs to know of the merged rows before its request.
struct MergedRange {
  int64_t group_begin, group_end;  // merged rows of the request
  int64_t query_begin, query_end;  // query rows of the request
};

void clear(LayerRows& rows) {
  rows.query_rows.clear();
  rows.spans.clear();
  rows.visible.clear();
}

void append_merged_rows(const MergedRange& m, bool is_only_layer, PreparedBatch& out) {
  const int64_t groups = m.group_end - m.group_begin;
  const int64_t queries = m.query_end - m.query_begin;
  if (!is_only_layer) {
    out.merged_cross.spans.push_back(
        {m.query_begin, m.query_end, 0, 0, m.group_begin, m.group_end});
    for (int64_t i = groups - queries; i < groups; ++i) {
      out.merged_cross.query_rows.push_back(static_cast<int32_t>(m.group_begin + i));
      out.merged_cross.visible.push_back({static_cast<int32_t>(i + 1), 0, 0});
    }
  }
  out.merged_self.spans.push_back({m.query_begin, m.query_end, 0, 0, m.query_begin, m.query_end});
  for (int64_t i = 0; i < queries; ++i) {
    out.merged_self.query_rows.push_back(static_cast<int32_t>(m.query_begin + i));
    out.merged_self.visible.push_back({static_cast<int32_t>(i + 1), 0, 0});
  }
}

/// Side rows [begin, end) of one request over a prefix of merged rows [prefix_begin, prefix_end).
void append_side_rows(int64_t begin, int64_t end, int64_t num_globals, int64_t prefix_begin,
                      int64_t prefix_end, LayerRows& rows) {
  rows.spans.push_back({begin, end, prefix_begin, prefix_end, begin, end});
  const int64_t prefix = prefix_end - prefix_begin;
  for (int64_t i = 0; i < end - begin; ++i) {
    rows.query_rows.push_back(static_cast<int32_t>(begin + i));
    if (i < num_globals) {
      rows.visible.push_back({static_cast<int32_t>(prefix + i + 1), 0, 0});
    } else {
      rows.visible.push_back({static_cast<int32_t>(prefix + num_globals),
                              static_cast<int32_t>(prefix + i),
                              static_cast<int32_t>(prefix + i + 1)});
    }
  }
}

void prepare_users_and_candidates(const Config& config, const BatchView& batch, RowLookup& lookup,
                                  PreparedBatch& out) {
  const RowRange requests = {0, batch.num_requests};
  const size_t num_user = config.user_features.size();
  out.user_features.reset(num_user + config.context_features.size());
  out.user_features.set(0, config, config.user_features, batch.user_columns, &requests, 1, lookup);
  out.user_features.set(num_user, config, config.context_features, batch.user_columns, &requests, 1,
                        lookup);
  const RowRange candidates = {0, batch.num_candidates};
  out.candidate_features.reset(config.candidate_features.size());
  out.candidate_features.set(0, config, config.candidate_features, batch.candidate_columns,
                             &candidates, 1, lookup);
}

int32_t user_time_bucket(const Config& config, const BatchView& batch, int64_t request,
                         bool has_history, int64_t newest_time) {
  if (!has_history || config.time == TimeMode::kNone)
    return static_cast<int32_t>(config.time_buckets);
  return time_bucket(newest_time, batch.reference_times[request], config.time_buckets);
}

void reset(const Config& config, const BatchView& batch, PreparedBatch& out) {
  out.num_requests = batch.num_requests;
  out.num_candidates = batch.num_candidates;
  for (auto* column :
       {&out.positions, &out.time_buckets, &out.slots, &out.event_group_offsets, &out.token_offsets,
        &out.group_offsets, &out.query_offsets, &out.user_time_buckets, &out.side_offsets}) {
    column->clear();
  }
  out.kept_events.clear();
  out.event_features.reset(config.event_features.size());
  for (auto* offsets : {&out.event_group_offsets, &out.token_offsets, &out.group_offsets,
                        &out.query_offsets, &out.side_offsets}) {
    offsets->push_back(0);
  }
  for (LayerRows* rows : {&out.merged_cross, &out.merged_self, &out.side_cross, &out.side_self})
    clear(*rows);
}

/// Positions, slots, groups and time buckets of the kept events of request b.
void append_events(const Config& config, const BatchView& batch, int64_t b, const Window& window,
                   PreparedBatch& out) {
  const int64_t begin = batch.event_offsets[b] + window.first;
  const int64_t end = batch.event_offsets[b + 1];
  int64_t group = -1;
  for (int64_t i = begin; i < end; ++i) {
    const Place place = window.place(i - begin);
    if (place.group != group && i > begin) {
      out.event_group_offsets.push_back(static_cast<int32_t>(out.positions.size()));
    }
    group = place.group;
    out.positions.push_back(static_cast<int32_t>(place.position));
    out.slots.push_back(static_cast<int32_t>(place.slot));
    if (config.time == TimeMode::kRequestRelative) {
      out.time_buckets.push_back(
          time_bucket(batch.event_times[i], batch.reference_times[b], config.time_buckets));
    } else if (config.time == TimeMode::kEventRelative) {
      out.time_buckets.push_back(
          i == begin
              ? static_cast<int32_t>(config.time_buckets)
              : time_bucket(batch.event_times[i - 1], batch.event_times[i], config.time_buckets));
    }
  }
  if (end > begin) out.event_group_offsets.push_back(static_cast<int32_t>(out.positions.size()));
}

void append_side(const Config& config, const BatchView& batch, int64_t b, const MergedRange& merged,
                 PreparedBatch& out) {
  const int64_t candidates = batch.candidate_offsets[b + 1] - batch.candidate_offsets[b];
  const int64_t begin = out.side_offsets.back();
  const int64_t end = begin + config.num_globals() + candidates;
  out.side_offsets.push_back(static_cast<int32_t>(end));
  append_side_rows(begin, end, config.num_globals(), merged.group_begin, merged.group_end,
                   out.side_cross);
  append_side_rows(begin, end, config.num_globals(), merged.query_begin, merged.query_end,
                   out.side_self);
}

}  // namespace

EventTokens PreparedBatch::event_tokens(const Config& config) const {
  EventTokens tokens;
  tokens.num_events = num_tokens();
  tokens.num_groups = num_groups();
  tokens.merge_factor = config.merge_factor;
  tokens.features = event_features.values();
  tokens.positions = positions.data();
  tokens.time_buckets = config.time == TimeMode::kNone ? nullptr : time_buckets.data();
  tokens.group_offsets = event_group_offsets.data();
  tokens.slots = slots.data();
  return tokens;
}

GlobalTokensInputs PreparedBatch::global_inputs() const {
  return {num_requests,
          num_candidates,
          user_features.values(),
          user_time_buckets.data(),
          candidate_features.values(),
          side_offsets.data()};
}

void prepare_batch(const Config& config, const BatchView& batch, RowLookup& lookup,
                   PreparedBatch& out) {
  reset(config, batch, out);
  const bool is_only_layer = config.self_layers == 0;
  for (int64_t b = 0; b < batch.num_requests; ++b) {
    const int64_t supplied = batch.event_offsets[b + 1] - batch.event_offsets[b];
    const int64_t ordinal = batch.first_ordinals != nullptr ? batch.first_ordinals[b] : 0;
    const Window window(config, supplied, ordinal);
    append_events(config, batch, b, window, out);
    out.kept_events.push_back({batch.event_offsets[b] + window.first, batch.event_offsets[b + 1]});
    out.token_offsets.push_back(static_cast<int32_t>(out.positions.size()));

    const int64_t group_begin = out.group_offsets.back();
    const auto group_end = static_cast<int64_t>(out.event_group_offsets.size()) - 1;
    const int64_t queries = num_query_groups(config, group_end - group_begin);
    const int64_t query_begin = out.query_offsets.back();
    const MergedRange merged{group_begin, group_end, query_begin, query_begin + queries};
    out.group_offsets.push_back(static_cast<int32_t>(merged.group_end));
    out.query_offsets.push_back(static_cast<int32_t>(merged.query_end));
    append_merged_rows(merged, is_only_layer, out);
    append_side(config, batch, b, merged, out);
    const bool has_history = supplied > 0;
    const int64_t newest = has_history && batch.event_times != nullptr
                               ? batch.event_times[batch.event_offsets[b + 1] - 1]
                               : 0;
    out.user_time_buckets.push_back(user_time_bucket(config, batch, b, has_history, newest));
  }
  out.num_side_rows = out.side_offsets.back();
  out.event_features.set(0, config, config.event_features, batch.event_columns,
                         out.kept_events.data(), out.kept_events.size(), lookup);
  prepare_users_and_candidates(config, batch, lookup, out);
}

void prepare_candidates(const Config& config, const BatchView& batch, const CachedHistory& history,
                        RowLookup& lookup, PreparedBatch& out) {
  reset(config, batch, out);
  append_side(config, batch, 0, {0, history.num_groups, 0, history.num_queries}, out);
  out.num_side_rows = out.side_offsets.back();
  out.user_time_buckets.push_back(
      user_time_bucket(config, batch, 0, history.has_events, history.newest_time));
  prepare_users_and_candidates(config, batch, lookup, out);
}

}  // namespace longer
