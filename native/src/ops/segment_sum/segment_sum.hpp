#pragma once
#include <cstdint>

#include "core/segments.hpp"
#include "ops/stream.hpp"

namespace longer {

/// sums [·, width]: row slots[s] += the gradient rows of segment s, in order. The bits do not
/// depend on the number of threads.
void add_segments_cpu(CpuStream& stream, const Segments& segments, float* sums);

/// Row rows[i] of `table` [·, width] += row i of `values` [count, width]; distinct rows.
struct RowAddition {
  const int32_t* rows = nullptr;  // host memory
  int64_t count = 0;
  int64_t width = 0;
  const float* values = nullptr;
  float* table = nullptr;
};
void add_rows_cpu(const RowAddition& p);

}  // namespace longer
