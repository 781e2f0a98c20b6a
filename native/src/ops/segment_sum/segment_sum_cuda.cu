#include "ops/cuda_launch.hpp"
#include "ops/segment_sum/segment_sum_cuda.hpp"

namespace longer {
namespace {

/// The same segments with all their arrays in device memory.
Segments placed(CudaStream& stream, const Segments& s) {
  const void* slots = nullptr;
  const void* offsets = nullptr;
  const void* rows = nullptr;
  const void* first_part = nullptr;
  const void* parts = nullptr;
  const auto count = static_cast<size_t>(s.count);
  const Placement arrays[] = {
      {s.slots, count * sizeof(int32_t), &slots},
      {s.offsets, (count + 1) * sizeof(int32_t), &offsets},
      {s.rows, static_cast<size_t>(s.num_rows()) * sizeof(const float*), &rows},
      {s.first_part, count * sizeof(int32_t), &first_part},
      {s.parts, static_cast<size_t>(s.num_parts) * sizeof(SegmentPart), &parts},
  };
  stream.place(stream.workspace(), arrays, 5);
  return {s.count,
          s.width,
          static_cast<const int32_t*>(slots),
          static_cast<const int32_t*>(offsets),
          static_cast<const float* const*>(rows),
          static_cast<const int32_t*>(first_part),
          static_cast<const SegmentPart*>(parts),
          s.num_parts};
}

}  // namespace

void add_segments_cuda(CudaStream& stream, const Segments& segments, float* sums) {
  const WorkspaceScope scope(stream.workspace());
  const Segments s = placed(stream, segments);
  float* part_sums = stream.workspace().allocate<float>(s.num_parts * s.width);
  for_elements(stream.get(), "sum parts", s.num_parts * s.width, [=] __device__(int64_t i) {
    const SegmentPart part = s.parts[i / s.width];
    float sum = 0.0F;
    for (int64_t row = part.begin; row < part.end; ++row) sum += s.rows[row][i % s.width];
    part_sums[i] = sum;
  });
  for_elements(stream.get(), "sum segments", s.count * s.width, [=] __device__(int64_t i) {
    const int64_t segment = i / s.width;
    const int64_t col = i % s.width;
    float& target = sums[static_cast<int64_t>(s.slots[segment]) * s.width + col];
    float sum = target;
    if (s.first_part[segment] < 0) {
      for (int64_t row = s.offsets[segment]; row < s.offsets[segment + 1]; ++row) {
        sum += s.rows[row][col];
      }
    } else {
      for (int64_t p = s.first_part[segment]; p < s.num_parts && s.parts[p].segment == segment;
           ++p) {
        sum += part_sums[p * s.width + col];
      }
    }
    target = sum;
  });
}

void add_rows_cuda(CudaStream& stream, const RowAddition& p) {
  const WorkspaceScope scope(stream.workspace());
  const void* placed_rows = nullptr;
  const Placement array = {p.rows, static_cast<size_t>(p.count) * sizeof(int32_t), &placed_rows};
  stream.place(stream.workspace(), &array, 1);
  const auto* rows = static_cast<const int32_t*>(placed_rows);
  const int64_t width = p.width;
  const float* values = p.values;
  float* table = p.table;
  for_elements(stream.get(), "add rows", p.count * width, [=] __device__(int64_t i) {
    table[static_cast<int64_t>(rows[i / width]) * width + i % width] += values[i];
  });
}

}  // namespace longer
