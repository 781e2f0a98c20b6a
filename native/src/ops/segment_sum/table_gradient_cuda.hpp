#pragma once
#include <memory>
#include <vector>

#include "ops/segment_sum/row_groups_cuda.hpp"
#include "ops/segment_sum/table_gradient.hpp"

namespace longer {

/// The contracts of Backend::make_table_gradient and add_to_rows on device memory; enqueue on the
/// stream.
std::unique_ptr<TableGradient> make_table_gradient_cuda(Memory& memory, int64_t width);
void add_to_rows_cuda(CudaStream& stream, const RowGroups& groups,
                      const std::vector<GradientRows>& rows, int64_t width, float* table);

}  // namespace longer
