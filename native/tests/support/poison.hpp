#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "core/matrix.hpp"

namespace longer::testing {

/// A matrix whose rows are wider apart than their columns, with rows before and after. All that is
/// not an element holds a signalling pattern: reading it makes results undefined (it is a NaN),
/// writing it is found by `is_intact`.
class PoisonedMatrix {
 public:
  PoisonedMatrix(int64_t rows, int64_t cols, int64_t gap = 5)
      : rows_(rows),
        cols_(cols),
        stride_(cols + gap),
        floats_(static_cast<size_t>((rows + 2) * stride_), sentinel()) {}
  PoisonedMatrix(int64_t rows, int64_t cols, const std::vector<float>& values, int64_t gap = 5)
      : PoisonedMatrix(rows, cols, gap) {
    set(values);
  }

  MatrixView view() { return {floats_.data() + stride_, rows_, cols_, stride_}; }
  float* row(int64_t r) { return view().row(r); }

  void set(const std::vector<float>& values) {
    for (int64_t r = 0; r < rows_; ++r) {
      for (int64_t c = 0; c < cols_; ++c) row(r)[c] = values[static_cast<size_t>(r * cols_ + c)];
    }
  }
  std::vector<float> values() {
    std::vector<float> dense;
    for (int64_t r = 0; r < rows_; ++r) dense.insert(dense.end(), row(r), row(r) + cols_);
    return dense;
  }
  bool is_intact() const {
    const float expected = sentinel();
    for (size_t i = 0; i < floats_.size(); ++i) {
      const auto r = static_cast<int64_t>(i) / stride_ - 1;
      const auto c = static_cast<int64_t>(i) % stride_;
      const bool is_element = r >= 0 && r < rows_ && c < cols_;
      if (!is_element && std::memcmp(&floats_[i], &expected, sizeof(float)) != 0) return false;
    }
    return true;
  }

 private:
  static float sentinel() {
    const uint32_t bits = 0x7FC0BEEF;
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }
  int64_t rows_, cols_, stride_;
  std::vector<float> floats_;
};

}  // namespace longer::testing
