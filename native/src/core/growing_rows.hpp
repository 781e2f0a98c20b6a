#pragma once
#include <algorithm>
#include <cstdint>

#include "core/aligned_buffer.hpp"
#include "core/matrix.hpp"

namespace longer {

/// A change at the ends of a matrix: the first `drop` rows go, the next `keep` stay, `added` takes
/// the place of all behind them.
struct RowChange {
  int64_t drop = 0;
  int64_t keep = 0;
  ConstMatrixView added;
  int64_t num_rows() const { return keep + added.rows; }
};

/// Contiguous rows of floats that move through a block with room at its end, so that most changes
/// copy no row that stays. Added rows are contiguous, in the same memory.
class GrowingRows {
 public:
  GrowingRows() : GrowingRows(0, 0, 0, host_memory()) {}
  GrowingRows(int64_t rows, int64_t cols, int64_t capacity, Memory& memory)
      : capacity_(std::max(rows, capacity)),
        cols_(cols),
        rows_(rows),
        memory_(capacity_ * cols, memory) {}
  /// The rows of `other` after a change, with the given room in all.
  GrowingRows(const GrowingRows& other, const RowChange& change, int64_t capacity)
      : GrowingRows(change.num_rows(), other.cols_, capacity, other.memory_.memory()) {
    write(0, other.view().slice_rows(change.drop, change.drop + change.keep));
    write(change.keep, change.added);
  }

  MatrixView view() { return {memory_.data() + begin_ * cols_, rows_, cols_}; }
  ConstMatrixView view() const { return {memory_.data() + begin_ * cols_, rows_, cols_}; }
  int64_t cols() const { return cols_; }
  int64_t bytes() const { return memory_.bytes(); }

  /// Whether `apply` has the room it needs.
  bool has_room(const RowChange& change) const {
    return begin_ + change.drop + change.num_rows() <= capacity_;
  }
  void apply(const RowChange& change) {
    begin_ += change.drop;
    rows_ = change.num_rows();
    write(change.keep, change.added);
  }

 private:
  void write(int64_t row, ConstMatrixView from) {
    if (from.rows == 0) return;
    memory_.memory().copy(view().row(row), from.data,
                          static_cast<size_t>(from.rows * cols_) * sizeof(float));
  }

  int64_t capacity_;
  int64_t cols_;
  int64_t begin_ = 0;
  int64_t rows_;
  AlignedBuffer memory_;
};

}  // namespace longer
