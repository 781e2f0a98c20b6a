#pragma once
#include "ops/tensor_core.cuh"

namespace longer {

/// gelu by tanh, for results in bf16.
__device__ __forceinline__ float fast_gelu(float u) {
  const float t = fast_tanh(u * fmaf(u * u, 0.0356774081F, 0.797884561F));
  return fmaf(0.5F * u, t, 0.5F * u);
}
__device__ __forceinline__ float fast_gelu_gradient(float u) {
  const float square = u * u;
  const float t = fast_tanh(u * fmaf(square, 0.0356774081F, 0.797884561F));
  const float slope = fmaf(square, 0.107032224F, 0.797884561F);
  return fmaf(0.5F * u * fmaf(-t, t, 1.0F), slope, fmaf(0.5F, t, 0.5F));
}

}  // namespace longer
