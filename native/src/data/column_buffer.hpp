#pragma once
#include <cstdint>
#include <vector>

#include "data/shard.hpp"
#include "data/shard_schema.hpp"
#include "longer/batch.hpp"

namespace longer {

/// Rows of one column being collected, in memory that is used again. One thread at a time.
class ColumnBuffer {
 public:
  explicit ColumnBuffer(ColumnKind kind) : kind_(kind) { clear(); }

  /// Forgets the rows, keeps the memory.
  void clear();
  /// Appends rows of a shard, which `Shard::check_column` has passed.
  void append(const StoredColumn& from, RowSpan rows);
  /// Appends rows of a batch that was validated; missing ids become 0.
  void append(const Column& from, RowSpan rows);
  /// Whether the rows from `begin` on equal `rows` of `other`.
  bool equals(int64_t begin, const Column& other, RowSpan rows) const;

  /// What was collected, as a batch has it; valid until the next change.
  Column view();

  ColumnKind kind() const { return kind_; }
  int64_t num_rows() const { return num_rows_; }
  int64_t bytes() const;
  const std::vector<int64_t>& ids() const { return ids_; }
  const std::vector<int64_t>& offsets() const { return offsets_; }  // kMany: [num_rows + 1]
  const std::vector<float>& numbers() const { return numbers_; }
  /// kOne: a byte a row, 1 = present; empty = all are.
  const std::vector<uint8_t>& presence() const { return presence_; }

 private:
  void append_presence(int64_t row, bool is_present);

  ColumnKind kind_;
  int64_t num_rows_ = 0;
  std::vector<int64_t> ids_;
  std::vector<int64_t> offsets_;
  std::vector<float> numbers_;
  std::vector<uint8_t> presence_;
  std::vector<uint8_t> valid_bits_;  // of view
};

}  // namespace longer
