#pragma once
#include "core/bf16.hpp"
#include "core/matrix.hpp"
#include "ops/cuda_stream.hpp"
#include "ops/weights.hpp"

namespace longer {

/// Maps in bf16 with f32 sums on the tensor cores (native/docs/kernels/linear_cuda.md). Widths and
/// strides are multiples of 8, rows aligned to 16 bytes. A row's sums run in one order over the
/// inner dimension, whatever the other rows are.

/// What becomes of a product's element. Applied in the order of the fields.
struct Bf16Epilogue {
  const float* bias = nullptr;  // [columns], added
  Bf16View pre_activation;      // set to what it is so far
  bool is_gelu = false;
  Bf16View gelu_input;                     // multiplied by gelu' of this,
  Bf16View gelu_output;                    // while its gelu goes here
  ConstMatrixView residual;                // added
  const int32_t* residual_rows = nullptr;  // row i adds residual row residual_rows[i]
  Bf16View out;                            // the result goes to this,
  MatrixView out_f32;                      // or to this, and there
  const int32_t* out_rows = nullptr;       // row i to row out_rows[i], distinct,
  bool is_accumulating = false;            // and is added to
};

/// Rows of a matrix by their numbers; null = all in order.
struct Bf16Rows {
  Bf16View matrix;
  const int32_t* numbers = nullptr;
  int64_t count = 0;

  Bf16Rows(const Bf16View& m) : matrix(m), count(m.rows) {}  // NOLINT(google-explicit-constructor)
  Bf16Rows(const Bf16View& m, const int32_t* rows, int64_t num_rows)
      : matrix(m), numbers(rows), count(num_rows) {}
};

/// epilogue(x·Wᵀ), W the bf16 copy of the weights; the bias is the epilogue's.
void linear_forward_bf16(CudaStream& stream, const Bf16Rows& x, const LinearWeights& weights,
                         const Bf16Epilogue& epilogue);
/// epilogue(dy·W).
void linear_backward_input_bf16(CudaStream& stream, const Bf16View& dy,
                                const LinearWeights& weights, const Bf16Epilogue& epilogue);
/// d_weight += dyᵀ·x and d_bias += column sums of dy: parts of fixed numbers of rows, then part by
/// part, so that two runs have the same bits.
void linear_backward_weights_bf16(CudaStream& stream, const Bf16Rows& x, const Bf16View& dy,
                                  const LinearGradients& gradients);

/// Side of the tiles that [m, n] is cut into: 128 where they fill the device, else 64.
int64_t bf16_tile(int64_t m, int64_t n, int64_t parts);
/// Parts that a sum over `depth` rows runs in, for a weight gradient [m, n].
int64_t bf16_parts(int64_t m, int64_t n, int64_t depth);

/// to = from, rounded; `from` may be a slice of columns.
void round_to_bf16(CudaStream& stream, ConstMatrixView from, const Bf16View& to);

}  // namespace longer
