#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/atomic_folder.hpp"
#include "data/column_buffer.hpp"
#include "data/shards.hpp"
#include "longer/batch.hpp"
#include "longer/config.hpp"

namespace longer {

/// Writes a shard folder front to back (native/docs/shard-format.md). Memory: one shard, at most
/// twice `shard_bytes`, and the batch being added. The folder appears at `finish`, whole; an
/// unfinished writer leaves nothing behind. One thread at a time.
class ShardWriter {
 public:
  /// `shard_bytes` in 1 … 2^34. Throws as AtomicFolderWriter.
  ShardWriter(const std::string& path, ShardSchema schema, int64_t shard_bytes);

  /// Appends the requests of a batch whose columns are those of the schema, with labels or none.
  /// Consecutive requests of one user (`user_keys` [B]) store the events that they share, by
  /// ordinal, once. Throws InvalidArgument and has added nothing; after any other error the writer
  /// is of no more use.
  void add(const BatchView& batch, const int64_t* user_keys);
  /// Puts the folder in place; the last call.
  void finish();

  /// What was added so far; `bytes` and `shards` of shards that are on disk.
  const ShardCounts& counts() const { return counts_; }

 private:
  /// The shard being collected.
  struct Content {
    explicit Content(const ShardSchema& schema);
    int64_t bytes() const;

    std::vector<int64_t> log_users, log_offsets, event_times;
    std::vector<int32_t> request_logs;
    std::vector<int64_t> history_begins, history_ends, first_ordinals, reference_times;
    std::vector<int64_t> candidate_offsets;
    std::vector<ColumnBuffer> event, user, context, candidate;
    std::vector<std::vector<float>> labels;
    std::vector<float> weights;  // empty while all are 1
  };

  void check_open() const;
  void add_request(const BatchView& batch, int64_t b, int64_t user_key);
  /// Events of the history that the present log holds already, −1 when it needs a new log.
  int64_t shared_events(const BatchView& batch, int64_t b, int64_t user_key) const;
  void add_candidates(const BatchView& batch, RowSpan candidates);
  void write_shard();

  AtomicFolderWriter folder_;
  ShardSchema schema_;
  Config config_;  // what offsets, times and labels are validated against
  int64_t shard_bytes_;
  Content content_;
  int64_t log_first_ordinal_ = 0;
  ShardCounts counts_;
  bool is_closed_ = false;
};

}  // namespace longer
