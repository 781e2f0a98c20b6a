#include <algorithm>

#include "ops/cuda_launch.hpp"
#include "ops/linear/bf16_product.cuh"
#include "ops/linear/linear_bf16_cuda.hpp"
#include "ops/linear/part_sums_cuda.hpp"

namespace longer {
namespace {

constexpr int64_t kBlocks = 264;  // two for each of 132 multiprocessors: the same on every device

int64_t tiles_of(int64_t m, int64_t n, int64_t tile) {
  return (m + tile - 1) / tile * ((n + tile - 1) / tile);
}

template <int kTile, bool kTransposedA, bool kTransposedB, bool kParts>
void launch(cudaStream_t stream, const Bf16Factor& a, const Bf16Factor& b, int64_t depth,
            const Bf16Epilogue& epilogue, const ProductParts& parts) {
  const auto kernel = bf16_product_kernel<kTile, kTransposedA, kTransposedB, kParts>;
  constexpr int kBytes = product_shared_bytes<kTile>();
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes),
             "set up linear");
  const dim3 grid(blocks_for(b.count, kTile), blocks_for(a.count, kTile),
                  kParts ? blocks_for(depth, parts.depth) : 1);
  kernel<<<grid, kProductThreads, kBytes, stream>>>(a, b, static_cast<int>(depth), epilogue, parts);
  check_cuda(cudaGetLastError(), "launch linear");
}

template <bool kTransposedA, bool kTransposedB, bool kParts>
void launch(cudaStream_t stream, const Bf16Factor& a, const Bf16Factor& b, int64_t depth,
            const Bf16Epilogue& epilogue, const ProductParts& parts, int64_t num_parts) {
  if (a.count == 0 || b.count == 0) return;
  if (bf16_tile(a.count, b.count, num_parts) == 128) {
    launch<128, kTransposedA, kTransposedB, kParts>(stream, a, b, depth, epilogue, parts);
  } else {
    launch<64, kTransposedA, kTransposedB, kParts>(stream, a, b, depth, epilogue, parts);
  }
}

Bf16Factor factor(const Bf16Rows& rows) {
  return {rows.matrix.data, rows.matrix.stride, rows.numbers, static_cast<int>(rows.count)};
}

}  // namespace

int64_t bf16_tile(int64_t m, int64_t n, int64_t parts) {
  return n > 64 && tiles_of(m, n, 128) * parts >= kBlocks / 2 ? 128 : 64;
}

int64_t bf16_parts(int64_t m, int64_t n, int64_t depth) {
  const int64_t tiles = tiles_of(m, n, 128);
  const int64_t steps = (depth + kProductDepth - 1) / kProductDepth;
  return std::clamp<int64_t>(std::min((kBlocks + tiles - 1) / tiles, steps / 4), 1, kBlocks);
}

void linear_forward_bf16(CudaStream& stream, const Bf16Rows& x, const LinearWeights& w,
                         const Bf16Epilogue& epilogue) {
  const Bf16Factor b = {w.half, w.row_stride(), nullptr, static_cast<int>(w.out)};
  launch<false, false, false>(stream.get(), factor(x), b, w.in, epilogue, {}, 1);
}

void linear_backward_input_bf16(CudaStream& stream, const Bf16View& dy, const LinearWeights& w,
                                const Bf16Epilogue& epilogue) {
  const Bf16Factor b = {w.half, w.row_stride(), nullptr, static_cast<int>(w.in)};
  launch<false, true, false>(stream.get(), factor(dy), b, w.out, epilogue, {}, 1);
}

void linear_backward_weights_bf16(CudaStream& stream, const Bf16Rows& x, const Bf16View& dy,
                                  const LinearGradients& gradients) {
  const int64_t depth = x.count;
  const int64_t m = dy.cols;
  const int64_t n = x.matrix.cols;
  if (depth == 0 || m == 0 || n == 0) return;
  const int64_t wanted = bf16_parts(m, n, depth);
  const int64_t steps = (depth + kProductDepth - 1) / kProductDepth;
  ProductParts parts;
  parts.depth = static_cast<int>((steps + wanted - 1) / wanted * kProductDepth);
  const int64_t num_parts = (depth + parts.depth - 1) / parts.depth;
  const WorkspaceScope scope(stream.workspace());
  parts.sums = stream.workspace().allocate<float>(num_parts * m * n);
  if (gradients.bias != nullptr) parts.a_sums = stream.workspace().allocate<float>(num_parts * m);
  const Bf16Factor a = {dy.data, dy.stride, nullptr, static_cast<int>(m)};
  const Bf16Factor b = {x.matrix.data, x.matrix.stride, x.numbers, static_cast<int>(n)};
  launch<true, true, true>(stream.get(), a, b, depth, {}, parts, num_parts);

  const int64_t stride = gradients.stride == 0 ? n : gradients.stride;
  add_part_sums(stream, parts.sums, num_parts, m * n, m, n, gradients.weight, stride);
  if (gradients.bias == nullptr) return;
  add_part_sums(stream, parts.a_sums, num_parts, m, 1, m, gradients.bias, m);
}

void round_to_bf16(CudaStream& stream, ConstMatrixView from, const Bf16View& to) {
  if (from.stride == from.cols && to.stride == to.cols && from.rows * from.cols % 4 == 0) {
    for_elements(stream.get(), "round", from.rows * from.cols / 4, [=] __device__(int64_t i) {
      const float4 four = reinterpret_cast<const float4*>(from.data)[i];
      reinterpret_cast<uint2*>(to.data)[i] = {pack_bf16(four.x, four.y), pack_bf16(four.z, four.w)};
    });
    return;
  }
  const int64_t pairs = from.cols / 2;
  for_elements(stream.get(), "round", from.rows * pairs, [=] __device__(int64_t i) {
    const int64_t row = i / pairs;
    const int64_t col = i % pairs * 2;
    const float* value = from.data + row * from.stride + col;
    *reinterpret_cast<uint32_t*>(to.data + row * to.stride + col) = pack_bf16(value[0], value[1]);
  });
}

}  // namespace longer
