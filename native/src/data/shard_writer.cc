#include "data/shard_writer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/safetensors.hpp"
#include "longer/error.hpp"
#include "model/prepared_batch.hpp"

namespace longer {
namespace {

constexpr int64_t kMaxShardBytes = int64_t{1} << 34;

/// As much of a configuration as offsets, times and labels are validated against.
Config config_of(const ShardSchema& schema) {
  Config config;
  for (const std::string& task : schema.tasks) {
    config.tasks.emplace_back();
    config.tasks.back().name = task;
  }
  return config;
}

void check_values(const std::string& where, const ShardColumn& column, const Column& values,
                  int64_t rows) {
  const auto needed = [&](const void* pointer, const char* field, int64_t count) {
    check_argument(pointer != nullptr || count == 0, "[batch] ", where, " \"", column.name,
                   "\": ", field, " is null; ", count, " values are needed");
  };
  switch (column.kind) {
    case ColumnKind::kOne:
      needed(values.ids, "ids", rows);
      return;
    case ColumnKind::kMany: {
      needed(values.offsets, "offsets", rows + 1);
      bool ascends = values.offsets[0] == 0;
      for (int64_t i = 0; i < rows; ++i)
        ascends = ascends && values.offsets[i + 1] >= values.offsets[i];
      check_argument(ascends, "[batch] ", where, " \"", column.name,
                     "\": offsets must start at 0 and not descend");
      needed(values.ids, "ids", values.offsets[rows]);
      return;
    }
    case ColumnKind::kNumeric:
      needed(values.numbers, "numbers", rows);
      for (int64_t i = 0; i < rows; ++i) {
        check_argument(!std::isinf(values.numbers[i]), "[batch] ", where, " \"", column.name,
                       "\", row ", i, ": must be finite, or NaN for a missing one");
      }
      return;
  }
}

void check_columns(const std::string& where, const std::vector<ShardColumn>& columns,
                   const Column* values, int64_t rows) {
  if (rows == 0 || columns.empty()) return;
  check_argument(values != nullptr, "[batch] the columns of ", where, "s are null; ",
                 columns.size(), " are needed");
  for (size_t i = 0; i < columns.size(); ++i) check_values(where, columns[i], values[i], rows);
}

std::vector<ColumnBuffer> buffers_of(const std::vector<ShardColumn>& columns) {
  std::vector<ColumnBuffer> buffers;
  for (const ShardColumn& column : columns) buffers.emplace_back(column.kind);
  return buffers;
}

void append_rows(std::vector<ColumnBuffer>& buffers, const Column* columns, RowSpan rows) {
  for (size_t i = 0; i < buffers.size(); ++i) buffers[i].append(columns[i], rows);
}

/// Declares tensors, then writes them; wider types first, as the format asks.
class TensorList {
 public:
  template <class T>
  void add(const std::string& name, Dtype dtype, const std::vector<T>& values) {
    entries_.push_back({{name, dtype, {static_cast<int64_t>(values.size())}},
                        values.data(),
                        static_cast<int64_t>(values.size() * sizeof(T))});
  }
  void add(const std::string& name, const std::vector<int64_t>& values) {
    add(name, Dtype::kI64, values);
  }
  void add(const char* group, const std::vector<ShardColumn>& columns,
           const std::vector<ColumnBuffer>& buffers) {
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string prefix = group + columns[i].name;
      const ColumnBuffer& buffer = buffers[i];
      if (buffer.kind() == ColumnKind::kNumeric) {
        add(prefix + shard_names::kNumbers, Dtype::kF32, buffer.numbers());
        continue;
      }
      add(prefix + shard_names::kIds, buffer.ids());
      if (buffer.kind() == ColumnKind::kMany) add(prefix + shard_names::kOffsets, buffer.offsets());
      if (!buffer.presence().empty())
        add(prefix + shard_names::kValid, Dtype::kBool, buffer.presence());
    }
  }

  void write(OutputFile& file) {
    std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return dtype_bytes(a.spec.dtype) > dtype_bytes(b.spec.dtype);
    });
    std::vector<TensorSpec> specs;
    for (const Entry& entry : entries_) specs.push_back(entry.spec);
    SafetensorsWriter writer(file, std::move(specs));
    for (const Entry& entry : entries_) writer.append(entry.spec.name, entry.data, entry.bytes);
    writer.finish();
  }

 private:
  struct Entry {
    TensorSpec spec;
    const void* data;
    int64_t bytes;
  };
  std::vector<Entry> entries_;
};

int64_t num_bytes(const std::vector<ColumnBuffer>& buffers) {
  int64_t bytes = 0;
  for (const ColumnBuffer& buffer : buffers) bytes += buffer.bytes();
  return bytes;
}

}  // namespace

ShardWriter::Content::Content(const ShardSchema& schema)
    : log_offsets{0},
      candidate_offsets{0},
      event(buffers_of(schema.event)),
      user(buffers_of(schema.user)),
      context(buffers_of(schema.context)),
      candidate(buffers_of(schema.candidate)),
      labels(schema.tasks.size()) {}

int64_t ShardWriter::Content::bytes() const {
  const size_t per_request = sizeof(int32_t) + 5 * sizeof(int64_t);
  const size_t per_candidate = (labels.size() + 1) * sizeof(float);
  return static_cast<int64_t>(log_users.size() * 2 * sizeof(int64_t) +
                              event_times.size() * sizeof(int64_t) +
                              request_logs.size() * per_request +
                              static_cast<size_t>(candidate_offsets.back()) * per_candidate) +
         num_bytes(event) + num_bytes(user) + num_bytes(context) + num_bytes(candidate);
}

ShardWriter::ShardWriter(const std::string& path, ShardSchema schema, int64_t shard_bytes)
    : folder_(path, kShardsFormat),
      schema_(std::move(schema)),
      config_(config_of(schema_)),
      shard_bytes_(shard_bytes),
      content_(schema_) {
  check_argument(shard_bytes >= 1 && shard_bytes <= kMaxShardBytes,
                 "[shard_writer] shard_bytes must be in 1 … 2^34; got ", shard_bytes);
}

void ShardWriter::check_open() const {
  if (is_closed_)
    fail(Status::kInvalidState, "[shard_writer] is finished or has failed: start a new one");
}

void ShardWriter::add(const BatchView& batch, const int64_t* user_keys) {
  check_open();
  validate_batch(config_, batch);
  check_columns("event feature", schema_.event, batch.event_columns, batch.num_events);
  check_columns("user feature", schema_.user, batch.user_columns, batch.num_requests);
  if (!schema_.context.empty() && batch.num_requests > 0) {
    check_argument(batch.user_columns != nullptr,
                   "[batch] the columns of context features are null");
    check_columns("context feature", schema_.context, batch.user_columns + schema_.user.size(),
                  batch.num_requests);
  }
  check_columns("candidate feature", schema_.candidate, batch.candidate_columns,
                batch.num_candidates);
  if (batch.labels != nullptr) validate_labels(config_, batch);
  check_argument(user_keys != nullptr || batch.num_requests == 0,
                 "[shard_writer] user_keys is null; ", batch.num_requests, " values are needed");
  is_closed_ = true;  // until the batch is in
  for (int64_t b = 0; b < batch.num_requests; ++b) {
    add_request(batch, b, user_keys[b]);
  }
  is_closed_ = false;
}

int64_t ShardWriter::shared_events(const BatchView& batch, int64_t b, int64_t user_key) const {
  if (content_.log_users.empty() || content_.log_users.back() != user_key) return -1;
  const RowSpan events = {batch.event_offsets[b], batch.event_offsets[b + 1]};
  const int64_t first = batch.first_ordinals == nullptr ? 0 : batch.first_ordinals[b];
  const int64_t log_begin = content_.log_offsets.end()[-2];
  const int64_t log_size = content_.log_offsets.back() - log_begin;
  const int64_t skipped = first - log_first_ordinal_;
  if (skipped < 0 || skipped > log_size) return -1;
  const int64_t shared = std::min(events.size(), log_size - skipped);
  const int64_t at = log_begin + skipped;
  for (int64_t i = 0; i < shared; ++i) {
    if (content_.event_times[static_cast<size_t>(at + i)] != batch.event_times[events.begin + i])
      return -1;
  }
  for (size_t f = 0; f < content_.event.size(); ++f) {
    if (!content_.event[f].equals(at, batch.event_columns[f],
                                  {events.begin, events.begin + shared}))
      return -1;
  }
  return shared;
}

void ShardWriter::add_request(const BatchView& batch, int64_t b, int64_t user_key) {
  const RowSpan events = {batch.event_offsets[b], batch.event_offsets[b + 1]};
  const int64_t first = batch.first_ordinals == nullptr ? 0 : batch.first_ordinals[b];
  int64_t shared = shared_events(batch, b, user_key);
  const int64_t bytes = content_.bytes();
  // A user's requests stay together unless they alone would fill a second shard.
  if (bytes >= 2 * shard_bytes_ || (shared < 0 && bytes >= shard_bytes_)) {
    write_shard();
    shared = -1;
  }
  if (shared < 0) {
    content_.log_users.push_back(user_key);
    content_.log_offsets.push_back(content_.log_offsets.back());
    log_first_ordinal_ = first;
    shared = 0;
    ++counts_.logs;
  }
  const RowSpan added = {events.begin + shared, events.end};
  append_rows(content_.event, batch.event_columns, added);
  content_.event_times.insert(content_.event_times.end(), batch.event_times + added.begin,
                              batch.event_times + added.end);
  content_.log_offsets.back() += added.size();
  counts_.events += added.size();

  const int64_t begin = content_.log_offsets.end()[-2] + first - log_first_ordinal_;
  content_.request_logs.push_back(static_cast<int32_t>(content_.log_users.size() - 1));
  content_.history_begins.push_back(begin);
  content_.history_ends.push_back(begin + events.size());
  content_.first_ordinals.push_back(first);
  content_.reference_times.push_back(batch.reference_times[b]);
  append_rows(content_.user, batch.user_columns, {b, b + 1});
  append_rows(content_.context, batch.user_columns + content_.user.size(), {b, b + 1});
  add_candidates(batch, {batch.candidate_offsets[b], batch.candidate_offsets[b + 1]});
  ++counts_.requests;
}

void ShardWriter::add_candidates(const BatchView& batch, RowSpan candidates) {
  const int64_t before = content_.candidate_offsets.back();
  content_.candidate_offsets.push_back(before + candidates.size());
  append_rows(content_.candidate, batch.candidate_columns, candidates);
  for (size_t task = 0; task < content_.labels.size(); ++task) {
    std::vector<float>& labels = content_.labels[task];
    if (batch.labels == nullptr) {
      labels.resize(labels.size() + static_cast<size_t>(candidates.size()),
                    std::numeric_limits<float>::quiet_NaN());
    } else {
      const float* of_task = batch.labels + static_cast<int64_t>(task) * batch.num_candidates;
      labels.insert(labels.end(), of_task + candidates.begin, of_task + candidates.end);
    }
  }
  const bool has_weights =
      batch.weights != nullptr &&
      std::any_of(batch.weights + candidates.begin, batch.weights + candidates.end,
                  [](float weight) { return weight != 1.0F; });
  if (has_weights) {
    content_.weights.resize(static_cast<size_t>(before), 1.0F);
    content_.weights.insert(content_.weights.end(), batch.weights + candidates.begin,
                            batch.weights + candidates.end);
  } else if (!content_.weights.empty()) {
    content_.weights.resize(static_cast<size_t>(before + candidates.size()), 1.0F);
  }
  counts_.candidates += candidates.size();
}

void ShardWriter::write_shard() {
  namespace names = shard_names;
  TensorList tensors;
  const Content& c = content_;
  tensors.add(names::kLogUser, c.log_users);
  tensors.add(names::kLogOffsets, c.log_offsets);
  tensors.add(names::kEventTime, c.event_times);
  tensors.add(names::kEventPrefix, schema_.event, c.event);
  tensors.add(names::kRequestLog, Dtype::kI32, c.request_logs);
  tensors.add(names::kHistoryBegin, c.history_begins);
  tensors.add(names::kHistoryEnd, c.history_ends);
  tensors.add(names::kFirstOrdinal, c.first_ordinals);
  tensors.add(names::kReferenceTime, c.reference_times);
  tensors.add(names::kUserPrefix, schema_.user, c.user);
  tensors.add(names::kContextPrefix, schema_.context, c.context);
  tensors.add(names::kCandidateOffsets, c.candidate_offsets);
  tensors.add(names::kCandidatePrefix, schema_.candidate, c.candidate);
  for (size_t task = 0; task < c.labels.size(); ++task)
    tensors.add(names::kLabelPrefix + schema_.tasks[task], Dtype::kF32, c.labels[task]);
  if (!c.weights.empty()) tensors.add(names::kWeight, Dtype::kF32, c.weights);
  OutputFile& file = folder_.create(shard_name(counts_.shards));
  tensors.write(file);
  file.sync_and_close();
  ++counts_.shards;
  counts_.bytes += file.bytes();
  content_ = Content(schema_);
}

void ShardWriter::finish() {
  check_open();
  is_closed_ = true;
  if (!content_.request_logs.empty()) write_shard();
  folder_.write_text(kShardSchemaName, schema_.to_json() + "\n");
  folder_.commit();
}

}  // namespace longer
