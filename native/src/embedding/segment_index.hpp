#pragma once
#include <cstdint>
#include <vector>

#include "core/segments.hpp"

namespace longer {

/// Gradient rows that one stage sends to a table: occurrence i adds `values[i * stride … + width)`
/// to row `rows[i]`, or, with offsets, to each of rows[offsets[i]] … rows[offsets[i + 1] − 1].
/// Negative rows (missing values) take none. Rows and offsets are host memory; `values` are not
/// read.
struct GradientSource {
  const int32_t* rows = nullptr;
  const float* values = nullptr;
  int64_t stride = 0;
  int64_t count = 0;
  const int32_t* offsets = nullptr;
};

/// Finds, for one or several batches, the distinct table rows that gradients go to (deduplication,
/// LONGER §3.6), and which gradient rows each is the sum of.
///
/// The sum of a row runs over its occurrences batch by batch and source by source in order;
/// segments longer than a fixed length are cut in fixed parts. Memory is reused between calls. One
/// thread at a time.
class SegmentIndex {
 public:
  /// Adds a batch. Afterwards `rows()` are the distinct rows since the last clear in order of first
  /// occurrence; the segments' slots are places among them. `num_table_rows` bounds the row
  /// numbers. Valid until the next call.
  Segments add(const std::vector<GradientSource>& sources, int64_t width, int64_t num_table_rows);
  /// Forgets all rows.
  void clear();

  const std::vector<int32_t>& rows() const { return rows_; }
  int64_t bytes() const;

 private:
  int32_t slot_of(int32_t row);
  void group(const std::vector<GradientSource>& sources, int64_t num_table_rows);
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
