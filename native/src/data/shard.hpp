#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/file.hpp"
#include "core/safetensors.hpp"
#include "data/shard_schema.hpp"

namespace longer {

/// Rows begin … end − 1.
struct RowSpan {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};

/// A column as a shard holds it. Row i has ids[i], the ids at offsets[i] … offsets[i + 1] − 1, or
/// numbers[i], by kind.
struct StoredColumn {
  std::string prefix;  ///< of its tensors' names, for messages: "event.item"
  ColumnKind kind = ColumnKind::kOne;
  int64_t num_rows = 0;
  int64_t num_ids = 0;  // kOne and kMany
  const int64_t* ids = nullptr;
  const int64_t* offsets = nullptr;  // kMany: [num_rows + 1]
  const float* numbers = nullptr;    // kNumeric
  const uint8_t* valid = nullptr;    // kOne: [num_rows] 1 = present, 0 = missing; null = all are
};

/// One file of a shard folder, mapped (native/docs/shard-format.md): users' event logs, and
/// requests that point into them. The bytes may be anything: every number is checked before it is
/// used, and CorruptData names the file and the tensor. Immutable; safe from any thread.
class Shard {
 public:
  /// Checks names, types and shapes of all tensors and the ends of offsets; reads no data.
  Shard(MappedFile file, const ShardSchema& schema);

  const std::string& path() const { return reader_.path(); }
  int64_t num_logs() const { return num_logs_; }
  int64_t num_events() const { return num_events_; }
  int64_t num_requests() const { return num_requests_; }
  int64_t num_candidates() const { return num_candidates_; }

  /// What a request refers to.
  struct Request {
    int64_t user_key = 0;
    RowSpan events;  // of the shard
    RowSpan candidates;
    int64_t first_ordinal = 0;
    int64_t reference_time = 0;
  };
  /// Request r, 0 ≤ r < num_requests, its ranges inside the shard and its log.
  Request request(int64_t r) const;
  /// Times of the events and labels and weights of the candidates are what trainers accept.
  void check_values(int64_t r, const Request& request) const;
  /// Rows of a column have valid presence flags, ascending offsets, finite or missing numbers.
  void check_column(const StoredColumn& column, RowSpan rows) const;
  /// The ids of rows of a kMany column; `check_column` must have passed.
  static RowSpan ids_of(const StoredColumn& column, RowSpan rows) {
    return {column.offsets[rows.begin], column.offsets[rows.end]};
  }

  const std::vector<StoredColumn>& event_columns() const { return event_; }
  const std::vector<StoredColumn>& user_columns() const { return user_; }
  const std::vector<StoredColumn>& context_columns() const { return context_; }
  const std::vector<StoredColumn>& candidate_columns() const { return candidate_; }
  const int64_t* event_times() const { return event_times_; }
  const float* labels(size_t task) const { return labels_[task]; }  // [C]
  const float* weights() const { return weights_; }                 // [C] or null = 1

 private:
  class Binder;
  [[noreturn]] void fail_request(int64_t r, const std::string& tensor,
                                 const std::string& what) const;
  void check_offset_pair(int64_t r, const char* tensor, int64_t begin, int64_t end,
                         int64_t limit) const;

  SafetensorsReader reader_;
  int64_t num_logs_ = 0;
  int64_t num_events_ = 0;
  int64_t num_requests_ = 0;
  int64_t num_candidates_ = 0;
  const int64_t* log_users_ = nullptr;
  const int64_t* log_offsets_ = nullptr;
  const int64_t* event_times_ = nullptr;
  const int32_t* request_logs_ = nullptr;
  const int64_t* history_begins_ = nullptr;
  const int64_t* history_ends_ = nullptr;
  const int64_t* first_ordinals_ = nullptr;
  const int64_t* reference_times_ = nullptr;
  const int64_t* candidate_offsets_ = nullptr;
  std::vector<StoredColumn> event_;
  std::vector<StoredColumn> user_;
  std::vector<StoredColumn> context_;
  std::vector<StoredColumn> candidate_;
  std::vector<const float*> labels_;
  std::vector<std::string> label_names_;
  const float* weights_ = nullptr;
};

/// Names of a shard's tensors; the writer and the reader share them.
namespace shard_names {
inline constexpr const char* kLogUser = "log.user";
inline constexpr const char* kLogOffsets = "log.offsets";
inline constexpr const char* kEventTime = "event.time";
inline constexpr const char* kRequestLog = "request.log";
inline constexpr const char* kHistoryBegin = "request.history_begin";
inline constexpr const char* kHistoryEnd = "request.history_end";
inline constexpr const char* kFirstOrdinal = "request.first_ordinal";
inline constexpr const char* kReferenceTime = "request.reference_time";
inline constexpr const char* kCandidateOffsets = "candidate.offsets";
inline constexpr const char* kWeight = "weight";
inline constexpr const char* kEventPrefix = "event.";
inline constexpr const char* kUserPrefix = "user.";
inline constexpr const char* kContextPrefix = "context.";
inline constexpr const char* kCandidatePrefix = "candidate.";
inline constexpr const char* kLabelPrefix = "label.";
inline constexpr const char* kIds = ".ids";
inline constexpr const char* kOffsets = ".offsets";
inline constexpr const char* kNumbers = ".numbers";
inline constexpr const char* kValid = ".valid";
}  // namespace shard_names

}  // namespace longer
