#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "longer/batch.hpp"
#include "longer/config.hpp"

namespace longer {

/// The inputs of a validated batch (no labels, no weights) in memory of its own.
class BatchCopy {
 public:
  BatchCopy(const Config& config, const BatchView& batch);
  /// Valid as long as the copy is.
  const BatchView& view() const { return view_; }

 private:
  template <class T>
  void copy(const T*& values, int64_t count);
  void copy_columns(const Column*& columns, size_t num_columns, int64_t rows);

  BatchView view_;
  std::vector<Column> columns_;
  std::vector<std::unique_ptr<uint8_t[]>> memory_;
};

}  // namespace longer
