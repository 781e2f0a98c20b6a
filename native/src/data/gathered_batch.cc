#include "data/gathered_batch.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "longer/error.hpp"
#include "model/prepared_batch.hpp"

namespace longer {
namespace {

ColumnKind kind_of(const FeatureConfig& feature) {
  switch (feature.kind) {
    case FeatureKind::kCategorical:
      return ColumnKind::kOne;
    case FeatureKind::kManyValued:
      return ColumnKind::kMany;
    case FeatureKind::kNumeric:
      break;
  }
  return ColumnKind::kNumeric;
}

const char* kind_name(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kOne:
      return "categorical with one value";
    case ColumnKind::kMany:
      return "categorical with many values";
    case ColumnKind::kNumeric:
      break;
  }
  return "numeric";
}

std::vector<size_t> select(const char* group, const std::vector<ShardColumn>& columns,
                           const std::vector<FeatureConfig>& features) {
  std::vector<size_t> selected;
  for (const FeatureConfig& feature : features) {
    size_t i = 0;
    while (i < columns.size() && columns[i].name != feature.name) ++i;
    check_argument(i < columns.size(), "[reader] the shards have no ", group, " feature \"",
                   feature.name, "\"");
    check_argument(columns[i].kind == kind_of(feature), "[reader] the shards hold ", group,
                   " feature \"", feature.name, "\" as ", kind_name(columns[i].kind),
                   "; the configuration wants ", kind_name(kind_of(feature)));
    selected.push_back(i);
  }
  return selected;
}

std::vector<size_t> select_tasks(const std::vector<std::string>& names,
                                 const std::vector<TaskConfig>& tasks) {
  std::vector<size_t> selected;
  for (const TaskConfig& task : tasks) {
    const auto found = std::find(names.begin(), names.end(), task.name);
    check_argument(found != names.end(), "[reader] the shards have no task \"", task.name, "\"");
    selected.push_back(static_cast<size_t>(found - names.begin()));
  }
  return selected;
}

template <class Entry>
std::vector<size_t> all_of(const std::vector<Entry>& entries) {
  std::vector<size_t> all(entries.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

void add_buffers(const std::vector<ShardColumn>& columns, const std::vector<size_t>& selected,
                 std::vector<ColumnBuffer>& buffers) {
  for (const size_t i : selected) buffers.emplace_back(columns[i].kind);
}

}  // namespace

ColumnSelection::ColumnSelection(const ShardSchema& schema)
    : event(all_of(schema.event)),
      user(all_of(schema.user)),
      context(all_of(schema.context)),
      candidate(all_of(schema.candidate)),
      tasks(all_of(schema.tasks)) {}

ColumnSelection::ColumnSelection(const ShardSchema& schema, const Config& config)
    : event(select("event", schema.event, config.event_features)),
      user(select("user", schema.user, config.user_features)),
      context(select("context", schema.context, config.context_features)),
      candidate(select("candidate", schema.candidate, config.candidate_features)),
      tasks(select_tasks(schema.tasks, config.tasks)) {}

GatheredBatch::GatheredBatch(const ShardSchema& schema, const ColumnSelection& selection)
    : selection_(selection) {
  add_buffers(schema.event, selection.event, event_);
  add_buffers(schema.user, selection.user, user_);
  add_buffers(schema.context, selection.context, user_);
  add_buffers(schema.candidate, selection.candidate, candidate_);
}

Shard::Request GatheredBatch::newest(const Shard::Request& request, int64_t max_history) {
  Shard::Request cut = request;
  const int64_t left_out =
      max_history == 0 ? 0 : std::max<int64_t>(0, request.events.size() - max_history);
  cut.events.begin += left_out;
  cut.first_ordinal += left_out;
  return cut;
}

void GatheredBatch::resolve(const Shards& shards, const std::vector<int64_t>& requests,
                            int64_t max_history) {
  sources_.clear();
  user_keys_.clear();
  first_ordinals_.clear();
  reference_times_.clear();
  event_offsets_.assign(1, 0);
  candidate_offsets_.assign(1, 0);
  for (const int64_t i : requests) {
    const auto [shard, index] = shards.place(i);
    const Shard::Request request = newest(shard->request(index), max_history);
    sources_.push_back({shard, index, request});
    user_keys_.push_back(request.user_key);
    first_ordinals_.push_back(request.first_ordinal);
    reference_times_.push_back(request.reference_time);
    event_offsets_.push_back(event_offsets_.back() + request.events.size());
    candidate_offsets_.push_back(candidate_offsets_.back() + request.candidates.size());
  }
  view_ = {};
  view_.num_requests = static_cast<int64_t>(sources_.size());
  view_.num_events = event_offsets_.back();
  view_.num_candidates = candidate_offsets_.back();
  validate_counts(view_);  // before anything of that size is reserved
}

template <class Rows>
void GatheredBatch::gather_columns(const std::vector<size_t>& selected, ColumnsOf columns_of,
                                   const Rows& rows, std::vector<ColumnBuffer>& buffers,
                                   size_t first_buffer, std::vector<Column>& views) {
  for (size_t i = 0; i < selected.size(); ++i) {
    ColumnBuffer& buffer = buffers[first_buffer + i];
    buffer.clear();
    for (const Source& source : sources_) {
      const StoredColumn& column = (source.shard->*columns_of)()[selected[i]];
      const RowSpan range = rows(source);
      source.shard->check_column(column, range);
      buffer.append(column, range);
    }
    views.push_back(buffer.view());
  }
}

void GatheredBatch::gather_labels() {
  labels_.clear();
  weights_.clear();
  bool has_weights = false;
  for (const size_t task : selection_.tasks) {
    for (const Source& source : sources_) {
      const float* labels = source.shard->labels(task);
      labels_.insert(labels_.end(), labels + source.request.candidates.begin,
                     labels + source.request.candidates.end);
    }
  }
  for (const Source& source : sources_) has_weights |= source.shard->weights() != nullptr;
  if (!has_weights) return;
  for (const Source& source : sources_) {
    const RowSpan rows = source.request.candidates;
    if (const float* weights = source.shard->weights()) {
      weights_.insert(weights_.end(), weights + rows.begin, weights + rows.end);
    } else {
      weights_.insert(weights_.end(), static_cast<size_t>(rows.size()), 1.0F);
    }
  }
}

void GatheredBatch::gather(const Shards& shards, const std::vector<int64_t>& requests,
                           int64_t max_history) {
  resolve(shards, requests, max_history);
  event_times_.clear();
  for (const Source& source : sources_) {
    source.shard->check_values(source.index, source.request);
    const int64_t* times = source.shard->event_times();
    event_times_.insert(event_times_.end(), times + source.request.events.begin,
                        times + source.request.events.end);
  }
  const auto events = [](const Source& s) { return s.request.events; };
  const auto candidates = [](const Source& s) { return s.request.candidates; };
  const auto itself = [](const Source& s) { return RowSpan{s.index, s.index + 1}; };
  event_columns_.clear();
  user_columns_.clear();
  candidate_columns_.clear();
  gather_columns(selection_.event, &Shard::event_columns, events, event_, 0, event_columns_);
  gather_columns(selection_.user, &Shard::user_columns, itself, user_, 0, user_columns_);
  gather_columns(selection_.context, &Shard::context_columns, itself, user_, selection_.user.size(),
                 user_columns_);
  gather_columns(selection_.candidate, &Shard::candidate_columns, candidates, candidate_, 0,
                 candidate_columns_);
  gather_labels();
  view_.event_offsets = event_offsets_.data();
  view_.candidate_offsets = candidate_offsets_.data();
  view_.event_columns = event_columns_.data();
  view_.event_times = event_times_.data();
  view_.first_ordinals = first_ordinals_.data();
  view_.reference_times = reference_times_.data();
  view_.user_columns = user_columns_.data();
  view_.candidate_columns = candidate_columns_.data();
  view_.labels = labels_.data();
  view_.weights = weights_.empty() ? nullptr : weights_.data();
}

}  // namespace longer
