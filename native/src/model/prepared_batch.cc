#include "model/prepared_batch.hpp"

#include <algorithm>

#include "longer/error.hpp"
#include "model/window.hpp"

namespace longer {
namespace {

/// Where one request's merged rows stand: in layer 0, and its query rows in the later layers.
struct MergedRange {
  int64_t row_begin, row_end;
  int64_t query_begin, query_end;
};

/// One request's merged rows, of which `num_groups` are groups: every row sees itself and the rows
/// before it.
void append_merged_rows(const Config& config, int64_t num_groups, PreparedBatch& out) {
  LayerRows& cross = out.merged_cross;
  LayerRows& self = out.merged_self;
  const int64_t row_begin = out.merged_offsets.back();
  const int64_t row_end = row_begin + num_groups + config.num_learned_queries();
  const size_t first = cross.query_rows.size();
  append_query_rows(config, num_groups, cross.query_rows);
  const auto query_begin = static_cast<int64_t>(first);
  const auto query_end = static_cast<int64_t>(cross.query_rows.size());
  for (size_t i = first; i < cross.query_rows.size(); ++i) {
    cross.visible.push_back({cross.query_rows[i] + 1, 0, 0});
    cross.query_rows[i] += static_cast<int32_t>(row_begin);
    self.visible.push_back({static_cast<int32_t>(i - first + 1), 0, 0});
    self.query_rows.push_back(static_cast<int32_t>(i));
  }
  cross.spans.push_back({query_begin, query_end, 0, 0, row_begin, row_end});
  self.spans.push_back({query_begin, query_end, 0, 0, query_begin, query_end});
  out.merged_offsets.push_back(static_cast<int32_t>(row_end));
  out.query_offsets.push_back(static_cast<int32_t>(query_end));
}

/// Side rows [begin, end) of one request over a prefix of merged rows [prefix_begin, prefix_end).
/// Request rows are causal; a block's row sees them all and, of its own block, the rows up to
/// itself or all.
void append_side_rows(const Config& config, int64_t begin, int64_t end, int64_t prefix_begin,
                      int64_t prefix_end, LayerRows& rows) {
  rows.spans.push_back({begin, end, prefix_begin, prefix_end, begin, end});
  const int64_t shared = prefix_end - prefix_begin + config.num_request_rows();
  const int64_t block_rows = config.rows_per_candidate();
  const bool sees_block = config.global_visibility == GlobalVisibility::kFull;
  for (int64_t i = 0; i < end - begin; ++i) {
    rows.query_rows.push_back(static_cast<int32_t>(begin + i));
    const int64_t in_blocks = i - config.num_request_rows();
    if (in_blocks < 0) {
      rows.visible.push_back({static_cast<int32_t>(shared + in_blocks + 1), 0, 0});
      continue;
    }
    const int64_t block = in_blocks / block_rows * block_rows;
    rows.visible.push_back(
        {static_cast<int32_t>(shared), static_cast<int32_t>(shared + block),
         static_cast<int32_t>(shared + (sees_block ? block + block_rows : in_blocks + 1))});
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
  for (auto* column : {&out.positions, &out.time_buckets, &out.slots, &out.event_group_offsets,
                       &out.token_offsets, &out.group_offsets, &out.merged_offsets,
                       &out.query_offsets, &out.user_time_buckets, &out.side_offsets}) {
    column->clear();
  }
  out.kept_events.clear();
  out.event_features.reset(config.event_features.size());
  for (auto* offsets : {&out.event_group_offsets, &out.token_offsets, &out.group_offsets,
                        &out.merged_offsets, &out.query_offsets, &out.side_offsets}) {
    offsets->push_back(0);
  }
  for (LayerRows* rows : {&out.merged_cross, &out.merged_self, &out.side_cross, &out.side_self})
    rows->clear();
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
  const int64_t end = begin + config.num_request_rows() + candidates * config.rows_per_candidate();
  out.side_offsets.push_back(static_cast<int32_t>(end));
  append_side_rows(config, begin, end, merged.row_begin, merged.row_end, out.side_cross);
  append_side_rows(config, begin, end, merged.query_begin, merged.query_end, out.side_self);
}

}  // namespace

void LayerRows::clear() {
  query_rows.clear();
  spans.clear();
  visible.clear();
}

void LayerRows::list(std::vector<Placement>& arrays) {
  arrays.insert(arrays.end(), {query_rows.placement(), spans.placement(), visible.placement()});
}

void PreparedBatch::place(Stream& stream, Workspace& memory) {
  if (memory.memory().is_host()) return;
  std::vector<Placement> arrays;
  for (auto* array : {&positions, &time_buckets, &slots, &event_group_offsets, &group_offsets,
                      &query_offsets, &user_time_buckets, &side_offsets}) {
    arrays.push_back(array->placement());
  }
  for (PreparedFeatures* features : {&event_features, &user_features, &candidate_features})
    features->list(arrays);
  for (LayerRows* rows : {&merged_cross, &merged_self, &side_cross, &side_self}) rows->list(arrays);
  stream.place(memory, arrays.data(), arrays.size());
  for (PreparedFeatures* features : {&event_features, &user_features, &candidate_features})
    features->find_placed(memory);
}

void PreparedBatch::list_deferred(std::vector<DeferredRows>& rows) const {
  for (const PreparedFeatures* features : {&event_features, &user_features, &candidate_features})
    features->list_deferred(rows);
}

EventTokens PreparedBatch::event_tokens(const Config& config) const {
  EventTokens tokens;
  tokens.num_events = num_tokens();
  tokens.num_groups = num_groups();
  tokens.merge_factor = config.merge_factor;
  tokens.features = event_features.placed();
  tokens.positions = positions.placed();
  tokens.time_buckets = config.time == TimeMode::kNone ? nullptr : time_buckets.placed();
  tokens.group_offsets = event_group_offsets.placed();
  tokens.slots = slots.placed();
  return tokens;
}

SideLayout PreparedBatch::side_layout(const Config& config) const {
  return {num_requests, side_offsets.placed(), config.num_request_rows(),
          config.rows_per_candidate()};
}

GlobalTokensInputs PreparedBatch::global_inputs(const Config& config) const {
  return {num_candidates, user_features.placed(), user_time_buckets.placed(),
          candidate_features.placed(), side_layout(config)};
}

void prepare_batch(const Config& config, const BatchView& batch, RowLookup& lookup,
                   PreparedBatch& out) {
  reset(config, batch, out);
  for (int64_t b = 0; b < batch.num_requests; ++b) {
    const int64_t supplied = batch.event_offsets[b + 1] - batch.event_offsets[b];
    const int64_t ordinal = batch.first_ordinals != nullptr ? batch.first_ordinals[b] : 0;
    const Window window(config, supplied, ordinal);
    append_events(config, batch, b, window, out);
    out.kept_events.push_back({batch.event_offsets[b] + window.first, batch.event_offsets[b + 1]});
    out.token_offsets.push_back(static_cast<int32_t>(out.positions.size()));

    const auto group_end = static_cast<int64_t>(out.event_group_offsets.size()) - 1;
    const int64_t num_groups = group_end - out.group_offsets.back();
    out.group_offsets.push_back(static_cast<int32_t>(group_end));
    MergedRange merged{out.merged_offsets.back(), 0, out.query_offsets.back(), 0};
    append_merged_rows(config, num_groups, out);
    merged.row_end = out.merged_offsets.back();
    merged.query_end = out.query_offsets.back();
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

void prepare_events(const Config& config, const BatchView& batch, const int64_t* previous_time,
                    RowLookup& lookup, PreparedBatch& out) {
  reset(config, batch, out);
  const int64_t ordinal = batch.first_ordinals != nullptr ? batch.first_ordinals[0] : 0;
  const Window window(config, batch.num_events, ordinal);
  append_events(config, batch, 0, window, out);
  if (previous_time != nullptr && window.count > 0 && config.time == TimeMode::kEventRelative) {
    out.time_buckets[0] =
        time_bucket(*previous_time, batch.event_times[window.first], config.time_buckets);
  }
  out.kept_events.push_back({window.first, batch.num_events});
  out.token_offsets.push_back(static_cast<int32_t>(out.positions.size()));
  out.group_offsets.push_back(static_cast<int32_t>(out.event_group_offsets.size()) - 1);
  out.event_features.set(0, config, config.event_features, batch.event_columns,
                         out.kept_events.data(), 1, lookup);
}

void prepare_candidates(const Config& config, const BatchView& batch, const CachedHistory& history,
                        RowLookup& lookup, PreparedBatch& out) {
  reset(config, batch, out);
  append_side(config, batch, 0, {0, history.num_merged_rows, 0, history.num_queries}, out);
  out.num_side_rows = out.side_offsets.back();
  out.user_time_buckets.push_back(
      user_time_bucket(config, batch, 0, history.has_events, history.newest_time));
  prepare_users_and_candidates(config, batch, lookup, out);
}

}  // namespace longer
