#pragma once
#include <cstdint>
#include <vector>

#include "core/thread_pool.hpp"

namespace longer {

/// Gradient rows that one stage sends to a table: occurrence i adds `values[i * stride … + width)`
/// to row `rows[i]`, or, with offsets, to each of rows[offsets[i]] … rows[offsets[i + 1] − 1].
/// Negative rows (missing values) take none.
struct GradientSource {
  const int32_t* rows = nullptr;
  const float* values = nullptr;
  int64_t stride = 0;
  int64_t count = 0;
  const int32_t* offsets = nullptr;
};

/// Sums the gradient rows of each table row over all occurrences of one or several batches
/// (deduplication, LONGER §3.6).
///
/// The sum of a row runs over its occurrences batch by batch and source by source in order;
/// segments longer than a fixed length are cut in fixed parts that are summed apart and then in
/// order: the bits do not depend on the number of threads. Memory is reused between calls. One
/// thread at a time.
class SegmentSum {
 public:
  /// Adds a batch. Afterwards `rows()` are the distinct rows since the last clear in order of first
  /// occurrence and `sums()` [rows, width] their gradients. `num_table_rows` bounds the row
  /// numbers.
  void add(ThreadPool* pool, const std::vector<GradientSource>& sources, int64_t width,
           int64_t num_table_rows);
  /// Forgets all rows.
  void clear();
  /// The sums of one batch alone.
  void compute(ThreadPool* pool, const std::vector<GradientSource>& sources, int64_t width,
               int64_t num_table_rows) {
    clear();
    add(pool, sources, width, num_table_rows);
  }
  /// table [num_table_rows, width] += sums.
  void add_to(float* table) const;

  const std::vector<int32_t>& rows() const { return rows_; }
  const std::vector<float>& sums() const { return sums_; }
  int64_t bytes() const;

 private:
  struct Part {
    int32_t segment;
    int32_t begin, end;  // occurrences
  };
  int32_t slot_of(int32_t row);
  void group(const std::vector<GradientSource>& sources, int64_t num_table_rows);
  void cut();

  int64_t width_ = 0;
  std::vector<int32_t> slot_of_row_;      // [num_table_rows]; −1 without a sum
  std::vector<int32_t> rows_;             // [slots]
  std::vector<float> sums_;               // [slots, width]
  std::vector<int32_t> segment_of_slot_;  // [slots]; −1 outside group
  // Of one batch, whose distinct rows are its segments:
  std::vector<int32_t> slots_;             // [segments]
  std::vector<int32_t> offsets_;           // [segments + 1]
  std::vector<int32_t> segments_;          // [occurrences]
  std::vector<const float*> occurrences_;  // [occurrences] gradient rows, grouped by segment
  std::vector<Part> parts_;                // of the long segments
  std::vector<float> part_sums_;           // [parts, width]
  std::vector<int32_t> first_part_;        // [segments] index into parts_, −1 for short segments
};

}  // namespace longer
