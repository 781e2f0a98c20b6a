#pragma once
#include <cstdint>
#include <vector>

#include "ops/stream.hpp"

namespace longer {

/// How a growable table gives ids their rows (native/docs/model.md, "Embedding tables").
struct DeviceTableRules {
  int64_t width = 0;
  int64_t admission = 1;  // an id gets its row when it occurs for the admission-th time
  uint64_t seed = 0;      // of new rows' values, with `random_stream` and the id
  uint64_t random_stream = 0;
  float deviation = 0;
};

/// A growable embedding table in a device's memory, ids included: what training reads and changes.
/// Row numbers, admission and new rows are those of an EmbeddingTable that is given the same ids in
/// the same order. One thread at a time.
class DeviceTable {
 public:
  /// Occurrences of an id that has no row yet.
  struct Pending {
    int64_t id;
    int32_t count;
  };
  /// Rows 0 … num_rows − 1 on the host, of which row 0 has no id.
  struct Rows {
    int64_t num_rows = 0;
    int64_t* ids = nullptr;
    float* values = nullptr;
    float* states = nullptr;
  };

  virtual ~DeviceTable() = default;
  /// Fills an empty table; done when it returns.
  virtual void load(Stream& stream, const Rows& rows, const std::vector<Pending>& pending) = 0;

  /// Whether `reserve` moves the table: then nothing that uses it may be under way.
  virtual bool moves(int64_t num_ids) const = 0;
  /// Makes room for a batch of that many ids. Throws OutOfMemory.
  virtual void reserve(Stream& stream, int64_t num_ids) = 0;
  /// rows[i] = row of ids[i]; 0 where it has none, −1 where present[i] is 0 (null: all are
  /// present). With `inserts`, as EmbeddingTable::find_or_insert: after reserve for the batch,
  /// feature by feature in order. Arrays in device memory; enqueues.
  virtual void find(Stream& stream, const int64_t* ids, const uint8_t* present, int64_t count,
                    bool inserts, int32_t* rows) = 0;

  virtual float* values() = 0;
  virtual float* states() = 0;
  /// Rows, the out-of-vocabulary one included, once all that the stream was asked for is done.
  virtual int64_t count_rows(Stream& stream) = 0;
  /// At most so many rows after what was enqueued.
  virtual int64_t most_rows() const = 0;
  /// Reads rows.num_rows rows, of each the arrays that are not null, and what is counted of ids
  /// without a row.
  virtual void fetch(Stream& stream, const Rows& rows, std::vector<Pending>& pending) = 0;
  virtual int64_t bytes() const = 0;
};

}  // namespace longer
