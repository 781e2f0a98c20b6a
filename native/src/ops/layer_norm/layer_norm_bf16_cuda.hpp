#pragma once
#include "core/bf16.hpp"
#include "core/matrix.hpp"
#include "ops/cuda_stream.hpp"
#include "ops/weights.hpp"

namespace longer {

/// y = LayerNorm(x), rows of at most 1024 columns, an even number; x in f32 and y rounded to bf16;
/// statistics in f32, always written.
void layer_norm_forward_bf16(CudaStream& stream, ConstMatrixView x, const NormWeights& weights,
                             const Bf16View& y, float* mean, float* rstd);

/// One pass over the rows: dx = residual + gradient through the norm, dx rounded as well, and the
/// norm's result again; d_weight and d_bias are ADDED to, in parts of fixed runs of rows.
struct LayerNormBackwardBf16 {
  ConstMatrixView x;
  NormWeights weights;
  const float* mean = nullptr;
  const float* rstd = nullptr;
  Bf16View dy;
  ConstMatrixView residual;  // or empty
  MatrixView dx;
  Bf16View dx_rounded;  // or empty
  Bf16View y;           // or empty
  NormGradients gradients;
};
void layer_norm_backward_bf16(CudaStream& stream, const LayerNormBackwardBf16& p);

}  // namespace longer
