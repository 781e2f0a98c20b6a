#pragma once
#include <cstdint>
#include <vector>

#include "data/column_buffer.hpp"
#include "data/shards.hpp"
#include "longer/batch.hpp"
#include "longer/config.hpp"

namespace longer {

/// Which columns of shards a configuration reads, by index into the lists of the shards' schema.
struct ColumnSelection {
  std::vector<size_t> event;
  std::vector<size_t> user;
  std::vector<size_t> context;
  std::vector<size_t> candidate;
  std::vector<size_t> tasks;

  /// All columns, in the order of the schema.
  explicit ColumnSelection(const ShardSchema& schema);
  /// What `config` names, in its order. Throws InvalidArgument naming a feature or task that the
  /// shards lack or hold as another kind.
  ColumnSelection(const ShardSchema& schema, const Config& config);
};

/// A ragged batch copied out of shards, in memory that is used again. One thread at a time.
class GatheredBatch {
 public:
  GatheredBatch(const ShardSchema& schema, const ColumnSelection& selection);
  GatheredBatch(const GatheredBatch&) = delete;
  GatheredBatch& operator=(const GatheredBatch&) = delete;
  GatheredBatch(GatheredBatch&&) = default;

  /// Copies requests, numbered as in `shards`, with the newest `max_history` events of each (0 =
  /// all). Everything copied is checked. Throws CorruptData naming file and tensor, InvalidArgument
  /// when the batch is larger than batches may be.
  void gather(const Shards& shards, const std::vector<int64_t>& requests, int64_t max_history);

  /// What the last `gather` copied; valid until the next.
  const BatchView& view() const { return view_; }
  /// [B] keys of the users.
  const std::vector<int64_t>& user_keys() const { return user_keys_; }

  /// Newest `max_history` events of a request (0 = all).
  static Shard::Request newest(const Shard::Request& request, int64_t max_history);

 private:
  struct Source {
    const Shard* shard;
    int64_t index;  // in the shard
    Shard::Request request;
  };
  using ColumnsOf = const std::vector<StoredColumn>& (Shard::*)() const;

  void resolve(const Shards& shards, const std::vector<int64_t>& requests, int64_t max_history);
  template <class Rows>
  void gather_columns(const std::vector<size_t>& selected, ColumnsOf columns_of, const Rows& rows,
                      std::vector<ColumnBuffer>& buffers, size_t first_buffer,
                      std::vector<Column>& views);
  void gather_labels();

  ColumnSelection selection_;
  std::vector<Source> sources_;
  std::vector<int64_t> event_offsets_, candidate_offsets_, event_times_;
  std::vector<int64_t> first_ordinals_, reference_times_, user_keys_;
  std::vector<ColumnBuffer> event_, user_, candidate_;  // user: user, then context columns
  std::vector<Column> event_columns_, user_columns_, candidate_columns_;
  std::vector<float> labels_, weights_;
  BatchView view_;
};

}  // namespace longer
