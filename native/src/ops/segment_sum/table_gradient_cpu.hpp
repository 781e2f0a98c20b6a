#pragma once
#include <memory>
#include <vector>

#include "ops/segment_sum/table_gradient.hpp"

namespace longer {

/// The contracts of Backend::group_rows, make_table_gradient and add_to_rows on the CPU, which
/// groups a batch when it is added.
void group_rows_cpu(const std::vector<RowSource>& sources, int64_t num_table_rows,
                    std::unique_ptr<RowGroups>& groups);
std::unique_ptr<TableGradient> make_table_gradient_cpu(int64_t width);
void add_to_rows_cpu(CpuStream& stream, const RowGroups& groups,
                     const std::vector<GradientRows>& rows, int64_t width, float* table);

}  // namespace longer
