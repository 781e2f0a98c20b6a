#pragma once
#include <cstdint>

#include "core/bf16.hpp"
#include "ops/linear/linear.hpp"

namespace longer {

/// A linear map's weights: the raw ones of the parameter arena, and the form the backend prepared
/// from them.
struct LinearWeights {
  const float* weight = nullptr;  // [out, in]
  const float* bias = nullptr;    // [out]
  int64_t out = 0, in = 0;
  const PackedLinear* packed = nullptr;  // CPU only; set by Backend::prepare
  int64_t stride = 0;                    // floats from one row of `weight` to the next; 0 = in
  const Bf16* half = nullptr;  // `weight` rounded, same stride; set by Backend::round_weights

  int64_t row_stride() const { return stride == 0 ? in : stride; }
};
struct LinearGradients {
  float* weight = nullptr;
  float* bias = nullptr;
  int64_t stride = 0;  // as LinearWeights
};
struct NormWeights {
  const float* weight = nullptr;
  const float* bias = nullptr;
};
struct NormGradients {
  float* weight = nullptr;
  float* bias = nullptr;
};

/// Rows of an embedding table as the stages read them: row r starts at `rows + r * width`.
/// Borrowed.
struct TableView {
  const float* rows = nullptr;
  int64_t width = 0;
  int64_t num_rows = 0;
};

}  // namespace longer
