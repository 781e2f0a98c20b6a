#pragma once
#include <cstdint>
#include <vector>

#include "ops/segment_sum/row_groups.hpp"
#include "ops/segment_sum/segment_sum.hpp"

namespace longer {

/// Finds, for one or several batches, the distinct table rows that gradients go to (deduplication,
/// LONGER §3.6), and which gradient rows each is the sum of.
///
/// The sum of a row runs over its occurrences batch by batch and source by source in order;
/// segments longer than a fixed length are cut in fixed parts. Memory is reused between calls. One
/// thread at a time. Of the CPU: all arrays are the host's.
class SegmentIndex {
 public:
  /// Adds a batch. Afterwards `rows()` are the distinct rows since the last clear in order of first
  /// occurrence; the segments' slots are places among them. `gradients`: one per source.
  /// `num_table_rows` bounds the row numbers. Valid until the next call.
  Segments add(const std::vector<RowSource>& sources, const std::vector<GradientRows>& gradients,
               int64_t width, int64_t num_table_rows);
  /// Forgets all rows.
  void clear();

  const std::vector<int32_t>& rows() const { return rows_; }
  int64_t bytes() const;

 private:
  int32_t slot_of(int32_t row);
  void group(const std::vector<RowSource>& sources, const std::vector<GradientRows>& gradients,
             int64_t num_table_rows);
  void cut();

  std::vector<int32_t> slot_of_row_;      // [num_table_rows]; −1 without a sum
  std::vector<int32_t> rows_;             // [slots]
  std::vector<int32_t> segment_of_slot_;  // [slots]; −1 outside group
  // Of one batch, whose distinct rows are its segments:
  std::vector<int32_t> slots_;             // [segments]
  std::vector<int32_t> offsets_;           // [segments + 1]
  std::vector<int32_t> segments_;          // [occurrences]
  std::vector<const float*> occurrences_;  // [occurrences] gradient rows, grouped by segment
  std::vector<SegmentPart> parts_;         // of the long segments
  std::vector<int32_t> first_part_;        // [segments] index into parts_, −1 for short segments
};

}  // namespace longer
