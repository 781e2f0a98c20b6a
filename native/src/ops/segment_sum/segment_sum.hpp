#pragma once
#include <cstdint>

#include "ops/stream.hpp"

namespace longer {

/// Occurrences [begin, end) of a long segment.
struct SegmentPart {
  int32_t segment;
  int32_t begin, end;
};

/// Gradient rows grouped by the sum they are added to. Borrowed. A long segment is cut into parts
/// that are summed apart and then in order.
struct Segments {
  int64_t count = 0;
  int64_t width = 0;
  const int32_t* slots = nullptr;       // [count] distinct rows of the sums
  const int32_t* offsets = nullptr;     // [count + 1] first occurrence
  const float* const* rows = nullptr;   // [occurrences]
  const int32_t* first_part = nullptr;  // [count] −1 for short segments
  const SegmentPart* parts = nullptr;   // [num_parts] ordered by segment
  int64_t num_parts = 0;
  int64_t num_rows() const { return offsets[count]; }
};

/// sums [·, width]: row slots[s] += the gradient rows of segment s, in order. The bits do not
/// depend on the number of threads.
void add_segments_cpu(CpuStream& stream, const Segments& segments, float* sums);

/// Row rows[i] of `table` [·, width] += row i of `values` [count, width]; distinct rows.
struct RowAddition {
  const int32_t* rows = nullptr;
  int64_t count = 0;
  int64_t width = 0;
  const float* values = nullptr;
  float* table = nullptr;
};
void add_rows_cpu(const RowAddition& p);

}  // namespace longer
