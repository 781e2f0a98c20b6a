#include "data/shard.hpp"

#include <cmath>
#include <limits>
#include <set>
#include <string_view>

#include "longer/error.hpp"

namespace longer {
namespace {

constexpr int64_t kMaxFirstOrdinal = int64_t{1} << 60;
constexpr int64_t kMaxCandidates = int64_t{1} << 40;  // of a shard; sums over shards stay small

template <class... Parts>
[[noreturn]] void corrupt(const std::string& path, Parts&&... parts) {
  fail(Status::kCorruptData, "[shards] ", path, ": ", std::forward<Parts>(parts)...);
}

}  // namespace

/// Takes tensors out of a file and knows which nobody asked for.
class Shard::Binder {
 public:
  explicit Binder(const SafetensorsReader& reader) : reader_(reader) {}

  bool has(const std::string& name) const { return reader_.tensors().count(name) == 1; }

  template <class T>
  const T* values(const std::string& name, Dtype dtype, int64_t count) {
    return reinterpret_cast<const T*>(take(name, dtype, count).data);
  }
  const int64_t* integers(const std::string& name, int64_t count) {
    return values<int64_t>(name, Dtype::kI64, count);
  }
  int64_t count(const std::string& name, Dtype dtype) { return take(name, dtype, -1).shape[0]; }

  /// Offsets of `rows` rows that cover 0 … total; what lies between is checked when it is used.
  const int64_t* offsets(const std::string& name, int64_t rows, int64_t total) {
    const int64_t* values = integers(name, rows + 1);
    if (values[0] != 0 || values[rows] != total) {
      corrupt(reader_.path(), "tensor \"", name, "\" must run from 0 to ", total, "; got ",
              values[0], " … ", values[rows]);
    }
    return values;
  }

  StoredColumn column(const char* group, const ShardColumn& column, int64_t rows) {
    StoredColumn stored;
    stored.prefix = group + column.name;
    stored.kind = column.kind;
    stored.num_rows = rows;
    const std::string ids = stored.prefix + shard_names::kIds;
    switch (column.kind) {
      case ColumnKind::kOne: {
        stored.ids = integers(ids, rows);
        stored.num_ids = rows;
        const std::string valid = stored.prefix + shard_names::kValid;
        if (has(valid)) stored.valid = values<uint8_t>(valid, Dtype::kBool, rows);
        break;
      }
      case ColumnKind::kMany:
        stored.num_ids = count(ids, Dtype::kI64);
        stored.ids = integers(ids, stored.num_ids);
        stored.offsets = offsets(stored.prefix + shard_names::kOffsets, rows, stored.num_ids);
        break;
      case ColumnKind::kNumeric:
        stored.numbers = values<float>(stored.prefix + shard_names::kNumbers, Dtype::kF32, rows);
        break;
    }
    return stored;
  }

  std::vector<StoredColumn> columns(const char* group, const std::vector<ShardColumn>& columns,
                                    int64_t rows) {
    std::vector<StoredColumn> stored;
    for (const ShardColumn& c : columns) stored.push_back(column(group, c, rows));
    return stored;
  }

  void finish() const {
    for (const auto& [name, tensor] : reader_.tensors()) {
      if (taken_.count(name) == 0)
        corrupt(reader_.path(), "tensor \"", name, "\" belongs to no column of the schema");
    }
  }

 private:
  const SafetensorsReader::Tensor& take(const std::string& name, Dtype dtype, int64_t count) {
    taken_.insert(name);
    return reader_.require(name, dtype, {count});
  }

  const SafetensorsReader& reader_;
  std::set<std::string, std::less<>> taken_;
};

Shard::Shard(MappedFile file, const ShardSchema& schema) : reader_(std::move(file)) {
  namespace names = shard_names;
  Binder bind(reader_);
  num_logs_ = bind.count(names::kLogUser, Dtype::kI64);
  num_events_ = bind.count(names::kEventTime, Dtype::kI64);
  num_requests_ = bind.count(names::kRequestLog, Dtype::kI32);
  log_users_ = bind.integers(names::kLogUser, num_logs_);
  log_offsets_ = bind.offsets(names::kLogOffsets, num_logs_, num_events_);
  event_times_ = bind.integers(names::kEventTime, num_events_);
  request_logs_ = bind.values<int32_t>(names::kRequestLog, Dtype::kI32, num_requests_);
  history_begins_ = bind.integers(names::kHistoryBegin, num_requests_);
  history_ends_ = bind.integers(names::kHistoryEnd, num_requests_);
  first_ordinals_ = bind.integers(names::kFirstOrdinal, num_requests_);
  reference_times_ = bind.integers(names::kReferenceTime, num_requests_);
  candidate_offsets_ = bind.integers(names::kCandidateOffsets, num_requests_ + 1);
  num_candidates_ = candidate_offsets_[num_requests_];
  if (num_candidates_ < 0 || num_candidates_ > kMaxCandidates) {
    corrupt(path(), "tensor \"", names::kCandidateOffsets, "\" must end in 0 … 2^40; got ",
            num_candidates_);
  }
  bind.offsets(names::kCandidateOffsets, num_requests_, num_candidates_);
  event_ = bind.columns(names::kEventPrefix, schema.event, num_events_);
  user_ = bind.columns(names::kUserPrefix, schema.user, num_requests_);
  context_ = bind.columns(names::kContextPrefix, schema.context, num_requests_);
  candidate_ = bind.columns(names::kCandidatePrefix, schema.candidate, num_candidates_);
  for (const std::string& task : schema.tasks) {
    label_names_.push_back(names::kLabelPrefix + task);
    labels_.push_back(bind.values<float>(label_names_.back(), Dtype::kF32, num_candidates_));
  }
  if (bind.has(names::kWeight))
    weights_ = bind.values<float>(names::kWeight, Dtype::kF32, num_candidates_);
  bind.finish();
}

void Shard::fail_request(int64_t r, const std::string& tensor, const std::string& what) const {
  corrupt(path(), "tensor \"", tensor, "\", request ", r, ": ", what);
}

void Shard::check_offset_pair(int64_t r, const char* tensor, int64_t begin, int64_t end,
                              int64_t limit) const {
  if (begin < 0 || begin > end || end > limit) {
    fail_request(r, tensor,
                 "must ascend in 0 … " + std::to_string(limit) + "; got " + std::to_string(begin) +
                     " … " + std::to_string(end));
  }
}

Shard::Request Shard::request(int64_t r) const {
  namespace names = shard_names;
  Request request;
  const int64_t log = request_logs_[r];
  if (log < 0 || log >= num_logs_) {
    fail_request(
        r, names::kRequestLog,
        "must be in 0 … " + std::to_string(num_logs_ - 1) + "; got " + std::to_string(log));
  }
  request.user_key = log_users_[log];
  const RowSpan of_log = {log_offsets_[log], log_offsets_[log + 1]};
  check_offset_pair(r, names::kLogOffsets, of_log.begin, of_log.end, num_events_);
  request.events = {history_begins_[r], history_ends_[r]};
  check_offset_pair(r, names::kHistoryBegin, request.events.begin, request.events.end, num_events_);
  if (request.events.begin < of_log.begin || request.events.end > of_log.end) {
    fail_request(r, names::kHistoryBegin,
                 "must lie in the user's log, events " + std::to_string(of_log.begin) + " … " +
                     std::to_string(of_log.end) + "; got " + std::to_string(request.events.begin) +
                     " … " + std::to_string(request.events.end));
  }
  request.candidates = {candidate_offsets_[r], candidate_offsets_[r + 1]};
  check_offset_pair(r, names::kCandidateOffsets, request.candidates.begin, request.candidates.end,
                    num_candidates_);
  request.first_ordinal = first_ordinals_[r];
  if (request.first_ordinal < 0 || request.first_ordinal > kMaxFirstOrdinal) {
    fail_request(r, names::kFirstOrdinal,
                 "must be in 0 … 2^60; got " + std::to_string(request.first_ordinal));
  }
  request.reference_time = reference_times_[r];
  return request;
}

void Shard::check_values(int64_t r, const Request& request) const {
  namespace names = shard_names;
  int64_t before = std::numeric_limits<int64_t>::min();
  for (int64_t i = request.events.begin; i < request.events.end; ++i) {
    const int64_t time = event_times_[i];
    if (time < before) {
      fail_request(r, names::kEventTime,
                   "times must not descend; got " + std::to_string(time) + " after " +
                       std::to_string(before));
    }
    before = time;
  }
  if (request.events.size() > 0 && before > request.reference_time) {
    fail_request(r, names::kReferenceTime,
                 "must not be before the newest event at " + std::to_string(before) + "; got " +
                     std::to_string(request.reference_time));
  }
  for (size_t task = 0; task < labels_.size(); ++task) {
    for (int64_t c = request.candidates.begin; c < request.candidates.end; ++c) {
      const float label = labels_[task][c];
      if (label < 0.0F || label > 1.0F) {
        fail_request(r, label_names_[task],
                     "must be in 0 … 1 or NaN; got " + std::to_string(label));
      }
    }
  }
  if (weights_ == nullptr) return;
  for (int64_t c = request.candidates.begin; c < request.candidates.end; ++c) {
    if (!(weights_[c] >= 0.0F) || std::isinf(weights_[c])) {
      fail_request(r, names::kWeight,
                   "must be finite and not negative; got " + std::to_string(weights_[c]));
    }
  }
}

void Shard::check_column(const StoredColumn& column, RowSpan rows) const {
  switch (column.kind) {
    case ColumnKind::kOne:
      if (column.valid == nullptr) return;
      for (int64_t i = rows.begin; i < rows.end; ++i) {
        if (column.valid[i] > 1) {
          corrupt(path(), "tensor \"", column.prefix, shard_names::kValid, "\", row ", i,
                  ": must be 0 or 1; got ", int{column.valid[i]});
        }
      }
      return;
    case ColumnKind::kMany: {
      int64_t before = column.offsets[rows.begin];
      bool ascends = before >= 0;
      for (int64_t i = rows.begin + 1; i <= rows.end; ++i) {
        ascends = ascends && column.offsets[i] >= before;
        before = column.offsets[i];
      }
      if (!ascends || before > column.num_ids) {
        corrupt(path(), "tensor \"", column.prefix, shard_names::kOffsets, "\", rows ", rows.begin,
                " … ", rows.end, ": must ascend in 0 … ", column.num_ids);
      }
      return;
    }
    case ColumnKind::kNumeric:
      for (int64_t i = rows.begin; i < rows.end; ++i) {
        if (std::isinf(column.numbers[i])) {
          corrupt(path(), "tensor \"", column.prefix, shard_names::kNumbers, "\", row ", i,
                  ": must be finite, or NaN for a missing one; got ", column.numbers[i]);
        }
      }
      return;
  }
}

}  // namespace longer
