#pragma once
#include <cstdint>

namespace longer {

/// A borrowed row-major matrix of floats; row r starts at `data + r * stride`. No mathematics, no
/// ownership.
struct MatrixView {
  float* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;

  MatrixView() = default;
  MatrixView(float* d, int64_t r, int64_t c) : data(d), rows(r), cols(c), stride(c) {}
  MatrixView(float* d, int64_t r, int64_t c, int64_t s) : data(d), rows(r), cols(c), stride(s) {}

  float* row(int64_t r) const { return data + r * stride; }
  MatrixView slice_rows(int64_t begin, int64_t end) const {
    return {data + begin * stride, end - begin, cols, stride};
  }
  MatrixView slice_cols(int64_t begin, int64_t end) const {
    return {data + begin, rows, end - begin, stride};
  }
};

/// Read-only twin of MatrixView.
struct ConstMatrixView {
  const float* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;

  ConstMatrixView() = default;
  ConstMatrixView(const float* d, int64_t r, int64_t c) : data(d), rows(r), cols(c), stride(c) {}
  ConstMatrixView(const float* d, int64_t r, int64_t c, int64_t s)
      : data(d), rows(r), cols(c), stride(s) {}
  ConstMatrixView(const MatrixView&
                      m)  // NOLINT(google-explicit-constructor): read-only view of the same memory
      : data(m.data), rows(m.rows), cols(m.cols), stride(m.stride) {}

  const float* row(int64_t r) const { return data + r * stride; }
  ConstMatrixView slice_rows(int64_t begin, int64_t end) const {
    return {data + begin * stride, end - begin, cols, stride};
  }
  ConstMatrixView slice_cols(int64_t begin, int64_t end) const {
    return {data + begin, rows, end - begin, stride};
  }
};

}  // namespace longer
