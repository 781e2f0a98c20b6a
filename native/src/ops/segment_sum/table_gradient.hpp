#pragma once
#include <cstdint>
#include <vector>

#include "core/matrix.hpp"
#include "ops/optimizer/optimizer.hpp"
#include "ops/segment_sum/row_groups.hpp"
#include "ops/stream.hpp"

namespace longer {

/// The gradient of one growable table in one optimizer step, of one or several batches: the
/// distinct rows that they read and the sum for each (deduplication, LONGER §3.6).
///
/// The sum of a row runs over its gradient rows batch by batch and source by source in order, long
/// sums in parts of a fixed length: the same bits whatever the threads, and in every run. One
/// thread at a time; calls enqueue on a stream like a backend's stages.
class TableGradient {
 public:
  virtual ~TableGradient() = default;
  virtual void clear(Stream& stream) = 0;
  /// Makes room for a batch, the first since `clear` or not; the others then allocate nothing.
  /// Waits for the stream where it must.
  virtual void reserve(Stream& stream, const RowGroups& groups, bool is_first) = 0;
  /// Adds a batch: one entry of `rows` per source of its groups.
  virtual void add(Stream& stream, const RowGroups& groups,
                   const std::vector<GradientRows>& rows) = 0;
  /// *sum += Σ g².
  virtual void add_squares(Stream& stream, double* sum) = 0;
  /// One row-wise Adagrad step on the rows of `table`; the gradients' fields of `p` are not read.
  virtual void update(Stream& stream, RowWiseAdagradStep p) = 0;

  /// On the host, once all that was enqueued is done: sums of row i are those of table row rows[i],
  /// distinct, in no particular order. Valid until the next call.
  struct Rows {
    const std::vector<int32_t>* rows;
    ConstMatrixView sums;
  };
  virtual Rows fetch(Stream& stream) = 0;
  virtual int64_t bytes() const = 0;
};

}  // namespace longer
