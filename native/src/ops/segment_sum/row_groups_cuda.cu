#include "ops/cuda_launch.hpp"
#include "ops/segment_sum/row_groups_cuda.hpp"
#include "ops/sort/radix_sort_cuda.hpp"

namespace longer {

void CudaRowGroups::group(CudaStream& stream, const std::vector<RowSource>& sources,
                          int64_t num_table_rows) {
  memory_.release({0, 0});
  num_table_rows_ = num_table_rows;
  first_rows_.clear();
  size_ = 0;
  int32_t gradient_rows = 0;
  for (const RowSource& source : sources) {
    first_rows_.push_back(gradient_rows);
    gradient_rows += static_cast<int32_t>(source.count);
    size_ += source.num_values;
  }
  SortedPairs pairs;
  for (auto& keys : pairs.keys) keys = memory_.allocate<uint32_t>(size_);
  for (auto& values : pairs.values) values = memory_.allocate<int32_t>(size_);
  uint32_t* keys = pairs.keys[0];
  int32_t* values = pairs.values[0];
  for (size_t s = 0; s < sources.size(); ++s) {
    const RowSource source = sources[s];
    const int32_t first = first_rows_[s];
    const auto set = [=] __device__(int64_t at, int64_t gradient_row) {
      const int32_t row = source.rows[at];
      keys[at] = static_cast<uint32_t>(row < 0 ? num_table_rows : row);
      values[at] = first + static_cast<int32_t>(gradient_row);
    };
    if (source.offsets == nullptr) {
      for_elements(stream.get(), "list rows", source.count,
                   [=] __device__(int64_t i) { set(i, i); });
    } else {
      for_elements(stream.get(), "list rows of bags", source.count, [=] __device__(int64_t i) {
        for (int32_t at = source.offsets[i]; at < source.offsets[i + 1]; ++at) set(at, i);
      });
    }
    keys += source.num_values;
    values += source.num_values;
  }
  const int sorted = radix_sort_cuda(stream, pairs, size_, bits_of(num_table_rows));
  rows_ = reinterpret_cast<const int32_t*>(pairs.keys[sorted]);
  gradient_rows_ = pairs.values[sorted];
}

void group_rows_cuda(CudaStream& stream, const std::vector<RowSource>& sources,
                     int64_t num_table_rows, std::unique_ptr<RowGroups>& groups) {
  if (groups == nullptr) {
    groups = std::make_unique<CudaRowGroups>(stream.workspace().memory());
  }
  static_cast<CudaRowGroups&>(*groups).group(stream, sources, num_table_rows);
}

}  // namespace longer
