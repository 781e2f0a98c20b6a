#pragma once
#include <memory>
#include <vector>

#include "ops/cuda_stream.hpp"
#include "ops/segment_sum/row_groups.hpp"

namespace longer {

/// A batch's pairs (table row, gradient row) ordered by table row, then as the sources name them,
/// in device memory of its own. A gradient row's number counts the sources' rows one after the
/// other.
class CudaRowGroups final : public RowGroups {
 public:
  explicit CudaRowGroups(Memory& memory) : memory_(memory) {}

  /// Enqueues the sort.
  void group(CudaStream& stream, const std::vector<RowSource>& sources, int64_t num_table_rows);

  int64_t size() const { return size_; }
  /// Pairs without a table row stand at the end, their row being num_table_rows().
  const int32_t* rows() const { return rows_; }
  const int32_t* gradient_rows() const { return gradient_rows_; }
  int64_t num_table_rows() const { return num_table_rows_; }
  /// [sources] number of the first gradient row of each.
  const std::vector<int32_t>& first_rows() const { return first_rows_; }
  int64_t bytes() const override { return static_cast<int64_t>(memory_.capacity_bytes()); }

 private:
  Workspace memory_;
  std::vector<int32_t> first_rows_;
  int64_t size_ = 0;
  int64_t num_table_rows_ = 0;
  const int32_t* rows_ = nullptr;
  const int32_t* gradient_rows_ = nullptr;
};

/// The contract of Backend::group_rows on device memory; enqueues on the stream.
void group_rows_cuda(CudaStream& stream, const std::vector<RowSource>& sources,
                     int64_t num_table_rows, std::unique_ptr<RowGroups>& groups);

}  // namespace longer
