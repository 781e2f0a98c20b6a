#include <algorithm>

#include "ops/cuda_launch.hpp"
#include "ops/layer_norm/layer_norm_bf16_cuda.hpp"
#include "ops/linear/part_sums_cuda.hpp"
#include "ops/tensor_core.cuh"

namespace longer {
namespace {

constexpr int kWarp = 32;
constexpr int kWarps = 8;
constexpr float kEpsilon = 1e-5F;

__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2)
    value += __shfl_xor_sync(~0U, value, offset);
  return value;
}

/// A row in a warp's registers: lane l holds the pairs of columns 2l, 2l + 64, …
template <int kPairs>
struct RowPairs {
  float2 value[kPairs];

  static __device__ __forceinline__ int column(int i) {
    return (i * kWarp + static_cast<int>(threadIdx.x)) * 2;
  }
  __device__ __forceinline__ void load(const float* row, int width) {
#pragma unroll
    for (int i = 0; i < kPairs; ++i) {
      value[i] = column(i) < width ? *reinterpret_cast<const float2*>(row + column(i))
                                   : float2{0.0F, 0.0F};
    }
  }
  __device__ __forceinline__ void load(const Bf16* row, int width) {
#pragma unroll
    for (int i = 0; i < kPairs; ++i) {
      const uint32_t pair =
          column(i) < width ? *reinterpret_cast<const uint32_t*>(row + column(i)) : 0U;
      value[i] = {__uint_as_float(pair << 16), __uint_as_float(pair & 0xFFFF0000U)};
    }
  }
  __device__ __forceinline__ void store(float* row, int width) const {
#pragma unroll
    for (int i = 0; i < kPairs; ++i) {
      if (column(i) < width) *reinterpret_cast<float2*>(row + column(i)) = value[i];
    }
  }
  __device__ __forceinline__ void store(Bf16* row, int width) const {
#pragma unroll
    for (int i = 0; i < kPairs; ++i) {
      if (column(i) < width) {
        *reinterpret_cast<uint32_t*>(row + column(i)) = pack_bf16(value[i].x, value[i].y);
      }
    }
  }
  __device__ __forceinline__ float sum() const {
    float total = 0.0F;
#pragma unroll
    for (int i = 0; i < kPairs; ++i) total += value[i].x + value[i].y;
    return warp_sum(total);
  }
};

/// One warp a row.
template <int kPairs>
__global__ void __launch_bounds__(kWarp* kWarps)
    forward_kernel(ConstMatrixView x, NormWeights w, Bf16View y, float* mean_out, float* rstd_out) {
  using Row = RowPairs<kPairs>;
  const int64_t row = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.y;
  if (row >= x.rows) return;
  const int width = static_cast<int>(x.cols);
  Row in;
  in.load(x.data + row * x.stride, width);
  const float mean = in.sum() / static_cast<float>(width);
  Row squares;
#pragma unroll
  for (int i = 0; i < kPairs; ++i) {
    const bool is_inside = Row::column(i) < width;
    const float low = in.value[i].x - mean;
    const float high = in.value[i].y - mean;
    squares.value[i] = is_inside ? float2{low * low, high * high} : float2{0.0F, 0.0F};
  }
  const float rstd = rsqrtf(squares.sum() / static_cast<float>(width) + kEpsilon);
  Row weight;
  Row bias;
  weight.load(w.weight, width);
  bias.load(w.bias, width);
#pragma unroll
  for (int i = 0; i < kPairs; ++i) {
    in.value[i].x = fmaf((in.value[i].x - mean) * rstd, weight.value[i].x, bias.value[i].x);
    in.value[i].y = fmaf((in.value[i].y - mean) * rstd, weight.value[i].y, bias.value[i].y);
  }
  in.store(y.data + row * y.stride, width);
  if (threadIdx.x == 0) {
    mean_out[row] = mean;
    rstd_out[row] = rstd;
  }
}

/// A block takes a fixed run of rows, a warp every eighth of them; parts [blocks, 2, D] of the
/// weights' gradients: each warp's rows in order, then the warps' sums in order.
template <int kPairs>
__global__ void __launch_bounds__(kWarp* kWarps)
    backward_kernel(LayerNormBackwardBf16 p, float* parts, int64_t rows_per_block) {
  using Row = RowPairs<kPairs>;
  extern __shared__ float shared[];
  const int width = static_cast<int>(p.x.cols);
  const auto columns = static_cast<float>(width);
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * rows_per_block;
  const int64_t end = min(p.x.rows, begin + rows_per_block);
  Row weight;
  Row bias;
  weight.load(p.weights.weight, width);
  bias.load(p.weights.bias, width);
  Row d_weight = {};
  Row d_bias = {};
  for (int64_t row = begin + threadIdx.y; row < end; row += kWarps) {
    const float mean = p.mean[row];
    const float rstd = p.rstd[row];
    Row normal;
    Row gradient;
    normal.load(p.x.data + row * p.x.stride, width);
    gradient.load(p.dy.data + row * p.dy.stride, width);
    float sum = 0.0F;
    float projected = 0.0F;
#pragma unroll
    for (int i = 0; i < kPairs; ++i) {
      float2& n = normal.value[i];
      float2& g = gradient.value[i];
      n = {(n.x - mean) * rstd, (n.y - mean) * rstd};
      d_weight.value[i].x += g.x * n.x;
      d_weight.value[i].y += g.y * n.y;
      d_bias.value[i].x += g.x;
      d_bias.value[i].y += g.y;
      g = {g.x * weight.value[i].x, g.y * weight.value[i].y};
      sum += g.x + g.y;
      projected += g.x * n.x + g.y * n.y;
    }
    const float mean_gradient = warp_sum(sum) / columns;
    const float mean_projected = warp_sum(projected) / columns;
    Row dx = {};
    if (p.residual.data != nullptr) dx.load(p.residual.data + row * p.residual.stride, width);
#pragma unroll
    for (int i = 0; i < kPairs; ++i) {
      const float2& n = normal.value[i];
      const float2& g = gradient.value[i];
      dx.value[i].x += (g.x - mean_gradient - n.x * mean_projected) * rstd;
      dx.value[i].y += (g.y - mean_gradient - n.y * mean_projected) * rstd;
      normal.value[i] = {fmaf(n.x, weight.value[i].x, bias.value[i].x),
                         fmaf(n.y, weight.value[i].y, bias.value[i].y)};
    }
    dx.store(p.dx.data + row * p.dx.stride, width);
    if (p.dx_rounded.data != nullptr) {
      dx.store(p.dx_rounded.data + row * p.dx_rounded.stride, width);
    }
    if (p.y.data != nullptr) normal.store(p.y.data + row * p.y.stride, width);
  }
  float* mine = shared + static_cast<int>(threadIdx.y) * 2 * width;
  d_weight.store(mine, width);
  d_bias.store(mine + width, width);
  __syncthreads();
  const int me = static_cast<int>(threadIdx.y) * kWarp + static_cast<int>(threadIdx.x);
  for (int i = me; i < 2 * width; i += kWarp * kWarps) {
    float total = 0.0F;
    for (int warp = 0; warp < kWarps; ++warp) total += shared[warp * 2 * width + i];
    parts[static_cast<int64_t>(blockIdx.x) * 2 * width + i] = total;
  }
}

/// Blocks of the backward pass, the same on every device: more for many narrow rows, whose warps
/// wait for memory most of the time.
int64_t backward_blocks(int64_t rows) { return rows < int64_t{1} << 17 ? 264 : 1056; }

/// launch(pairs of columns in a lane), the fewest that hold `width`.
template <class Launch>
void for_width(int64_t width, const Launch& launch) {
  if (width <= 64) return launch(std::integral_constant<int, 1>());
  if (width <= 128) return launch(std::integral_constant<int, 2>());
  if (width <= 256) return launch(std::integral_constant<int, 4>());
  if (width <= 512) return launch(std::integral_constant<int, 8>());
  return launch(std::integral_constant<int, 16>());
}

}  // namespace

void layer_norm_forward_bf16(CudaStream& stream, ConstMatrixView x, const NormWeights& w,
                             const Bf16View& y, float* mean, float* rstd) {
  if (x.rows == 0) return;
  for_width(x.cols, [&](auto pairs) {
    constexpr int kPairs = decltype(pairs)::value;
    const auto kernel = forward_kernel<kPairs>;
    kernel<<<blocks_for(x.rows, kWarps), dim3(kWarp, kWarps), 0, stream.get()>>>(x, w, y, mean,
                                                                                 rstd);
  });
  check_cuda(cudaGetLastError(), "launch layer_norm");
}

void layer_norm_backward_bf16(CudaStream& stream, const LayerNormBackwardBf16& p) {
  if (p.x.rows == 0) return;
  const int64_t blocks = backward_blocks(p.x.rows);
  const int64_t rows_per_block = std::max<int64_t>(kWarps, (p.x.rows + blocks - 1) / blocks);
  const int64_t num_parts = (p.x.rows + rows_per_block - 1) / rows_per_block;
  const int64_t width = p.x.cols;
  const WorkspaceScope scope(stream.workspace());
  float* parts = stream.workspace().allocate<float>(num_parts * 2 * width);
  for_width(width, [&](auto pairs) {
    constexpr int kPairs = decltype(pairs)::value;
    const auto kernel = backward_kernel<kPairs>;
    const auto bytes = static_cast<int>(kWarps * 2 * width * 4);
    check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
               "set up layer_norm gradient");
    kernel<<<static_cast<unsigned>(num_parts), dim3(kWarp, kWarps), bytes, stream.get()>>>(
        p, parts, rows_per_block);
  });
  check_cuda(cudaGetLastError(), "launch layer_norm gradient");
  add_part_sums(stream, parts, num_parts, 2 * width, 1, width, p.gradients.weight, width);
  add_part_sums(stream, parts + width, num_parts, 2 * width, 1, width, p.gradients.bias, width);
}

}  // namespace longer
