#include "data/column_buffer.hpp"

#include <algorithm>
#include <cstring>

namespace longer {
namespace {

bool is_present(const Column& column, int64_t row) {
  return column.valid == nullptr || (column.valid[row / 8] >> (row % 8) & 1) != 0;
}

/// Bit for bit, so that NaN equals itself.
template <class T>
bool same_bits(const T* a, const T* b, int64_t count) {
  return count == 0 || std::memcmp(a, b, static_cast<size_t>(count) * sizeof(T)) == 0;
}

}  // namespace

void ColumnBuffer::clear() {
  num_rows_ = 0;
  ids_.clear();
  offsets_.clear();
  if (kind_ == ColumnKind::kMany) offsets_.push_back(0);
  numbers_.clear();
  presence_.clear();
}

void ColumnBuffer::append_presence(int64_t row, bool is_present) {
  if (is_present && presence_.empty()) return;
  presence_.resize(static_cast<size_t>(row), 1);
  presence_.push_back(is_present ? 1 : 0);
}

void ColumnBuffer::append(const StoredColumn& from, RowSpan rows) {
  switch (kind_) {
    case ColumnKind::kOne:
      ids_.insert(ids_.end(), from.ids + rows.begin, from.ids + rows.end);
      if (from.valid == nullptr && presence_.empty()) break;
      for (int64_t i = 0; i < rows.size(); ++i) {
        append_presence(num_rows_ + i, from.valid == nullptr || from.valid[rows.begin + i] != 0);
      }
      break;
    case ColumnKind::kMany: {
      const int64_t shift = offsets_.back() - from.offsets[rows.begin];
      for (int64_t i = rows.begin + 1; i <= rows.end; ++i)
        offsets_.push_back(from.offsets[i] + shift);
      const RowSpan ids = Shard::ids_of(from, rows);
      ids_.insert(ids_.end(), from.ids + ids.begin, from.ids + ids.end);
      break;
    }
    case ColumnKind::kNumeric:
      numbers_.insert(numbers_.end(), from.numbers + rows.begin, from.numbers + rows.end);
      break;
  }
  num_rows_ += rows.size();
}

void ColumnBuffer::append(const Column& from, RowSpan rows) {
  if (rows.size() == 0) return;
  switch (kind_) {
    case ColumnKind::kOne:
      for (int64_t i = rows.begin; i < rows.end; ++i) {
        const bool present = is_present(from, i);
        ids_.push_back(present ? from.ids[i] : 0);
        append_presence(num_rows_ + i - rows.begin, present);
      }
      break;
    case ColumnKind::kMany: {
      const int64_t shift = offsets_.back() - from.offsets[rows.begin];
      for (int64_t i = rows.begin + 1; i <= rows.end; ++i)
        offsets_.push_back(from.offsets[i] + shift);
      if (offsets_.back() > static_cast<int64_t>(ids_.size())) {
        ids_.insert(ids_.end(), from.ids + from.offsets[rows.begin],
                    from.ids + from.offsets[rows.end]);
      }
      break;
    }
    case ColumnKind::kNumeric:
      numbers_.insert(numbers_.end(), from.numbers + rows.begin, from.numbers + rows.end);
      break;
  }
  num_rows_ += rows.size();
}

bool ColumnBuffer::equals(int64_t begin, const Column& other, RowSpan rows) const {
  if (rows.size() == 0) return true;
  switch (kind_) {
    case ColumnKind::kOne:
      for (int64_t i = 0; i < rows.size(); ++i) {
        const auto row = static_cast<size_t>(begin + i);
        const bool present = is_present(other, rows.begin + i);
        if (present != (presence_.empty() || presence_[row] != 0)) return false;
        if (present && ids_[row] != other.ids[rows.begin + i]) return false;
      }
      return true;
    case ColumnKind::kMany: {
      const int64_t* offsets = offsets_.data() + begin;
      for (int64_t i = 0; i <= rows.size(); ++i) {
        if (offsets[i] - offsets[0] != other.offsets[rows.begin + i] - other.offsets[rows.begin])
          return false;
      }
      return same_bits(ids_.data() + offsets[0], other.ids + other.offsets[rows.begin],
                       offsets[rows.size()] - offsets[0]);
    }
    case ColumnKind::kNumeric:
      return same_bits(numbers_.data() + begin, other.numbers + rows.begin, rows.size());
  }
  return false;
}

Column ColumnBuffer::view() {
  Column column{};
  if (kind_ == ColumnKind::kNumeric) {
    column.numbers = numbers_.data();
    return column;
  }
  column.ids = ids_.data();
  if (kind_ == ColumnKind::kMany) column.offsets = offsets_.data();
  if (!presence_.empty()) {
    valid_bits_.assign(static_cast<size_t>((num_rows_ + 7) / 8), 0);
    for (size_t row = 0; row < presence_.size(); ++row) {
      if (presence_[row] != 0) valid_bits_[row / 8] |= static_cast<uint8_t>(1U << row % 8);
    }
    column.valid = valid_bits_.data();
  }
  return column;
}

int64_t ColumnBuffer::bytes() const {
  return static_cast<int64_t>(ids_.size() * sizeof(int64_t) + offsets_.size() * sizeof(int64_t) +
                              numbers_.size() * sizeof(float) + presence_.size());
}

}  // namespace longer
