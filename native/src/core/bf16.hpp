#pragma once
#include <cstdint>
#include <cstring>

namespace longer {

/// What activations and the copies of weights are in; sums, statistics, softmax, logits, loss and
/// master weights are f32 in both (LONGER §3.6).
enum class Precision : int64_t { kFp32 = 0, kBf16 = 1 };

/// A bfloat16 number as it lies in memory. Arithmetic is done in float.
struct Bf16 {
  uint16_t bits;
};

/// The nearest, ties to even.
inline Bf16 to_bf16(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return {static_cast<uint16_t>(bits >> 16 | 0x40U)};
  return {static_cast<uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16)};
}
inline float to_float(Bf16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result = 0;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

/// A borrowed row-major matrix of bfloat16; row r starts at `data + r * stride`. As MatrixView.
struct Bf16View {
  Bf16* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;

  Bf16View() = default;
  Bf16View(Bf16* d, int64_t r, int64_t c) : data(d), rows(r), cols(c), stride(c) {}
  Bf16View(Bf16* d, int64_t r, int64_t c, int64_t s) : data(d), rows(r), cols(c), stride(s) {}

  Bf16View slice_rows(int64_t begin, int64_t end) const {
    return {data + begin * stride, end - begin, cols, stride};
  }
  Bf16View slice_cols(int64_t begin, int64_t end) const {
    return {data + begin, rows, end - begin, stride};
  }
};

}  // namespace longer
