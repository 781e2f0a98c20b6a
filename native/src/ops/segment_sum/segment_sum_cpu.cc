#include <algorithm>

#include "ops/segment_sum/segment_sum.hpp"

namespace longer {
namespace {

constexpr int64_t kSegmentsPerItem = 64;

void add_rows(const float* const* rows, int64_t count, int64_t width, float* sum) {
  for (int64_t i = 0; i < count; ++i) {
    const float* row = rows[i];
    for (int64_t c = 0; c < width; ++c) sum[c] += row[c];
  }
}

}  // namespace

void add_segments_cpu(CpuStream& stream, const Segments& s, float* sums) {
  const WorkspaceScope scope(stream.workspace());
  float* part_sums = stream.workspace().allocate<float>(s.num_parts * s.width);
  std::fill_n(part_sums, s.num_parts * s.width, 0.0F);
  parallel_for(stream.pool(), s.num_parts, [&](int64_t i) {
    const SegmentPart& part = s.parts[i];
    add_rows(s.rows + part.begin, part.end - part.begin, s.width, part_sums + i * s.width);
  });
  const int64_t items = (s.count + kSegmentsPerItem - 1) / kSegmentsPerItem;
  parallel_for(stream.pool(), items, [&](int64_t item) {
    const int64_t end = std::min(s.count, (item + 1) * kSegmentsPerItem);
    for (int64_t i = item * kSegmentsPerItem; i < end; ++i) {
      float* sum = sums + s.slots[i] * s.width;
      if (s.first_part[i] < 0) {
        add_rows(s.rows + s.offsets[i], s.offsets[i + 1] - s.offsets[i], s.width, sum);
        continue;
      }
      for (int64_t p = s.first_part[i]; p < s.num_parts && s.parts[p].segment == i; ++p) {
        const float* from = part_sums + p * s.width;
        for (int64_t c = 0; c < s.width; ++c) sum[c] += from[c];
      }
    }
  });
}

void add_rows_cpu(const RowAddition& p) {
  for (int64_t i = 0; i < p.count; ++i) {
    float* to = p.table + p.rows[i] * p.width;
    const float* from = p.values + i * p.width;
    for (int64_t c = 0; c < p.width; ++c) to[c] += from[c];
  }
}

}  // namespace longer
