#include "ops/cuda_launch.hpp"
#include "ops/linear/part_sums_cuda.hpp"

namespace longer {
namespace {

constexpr int kColumns = 32;
constexpr int kLanes = 8;

__global__ void part_sums_kernel(const float* parts, int64_t num_parts, int64_t part_stride,
                                 int64_t count, int64_t cols, float* to, int64_t stride) {
  __shared__ float sums[kLanes][kColumns];
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kColumns + threadIdx.x;
  float sum = 0.0F;
  if (i < count) {
#pragma unroll 4
    for (int64_t part = threadIdx.y; part < num_parts; part += kLanes) {
      sum += parts[part * part_stride + i];
    }
  }
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || i >= count) return;
  float total = sums[0][threadIdx.x];
#pragma unroll
  for (int lane = 1; lane < kLanes; ++lane) total += sums[lane][threadIdx.x];
  to[i / cols * stride + i % cols] += total;
}

}  // namespace

void add_part_sums(CudaStream& stream, const float* parts, int64_t num_parts, int64_t part_stride,
                   int64_t rows, int64_t cols, float* to, int64_t stride) {
  const int64_t count = rows * cols;
  if (count == 0 || num_parts == 0) return;
  part_sums_kernel<<<blocks_for(count, kColumns), dim3(kColumns, kLanes), 0, stream.get()>>>(
      parts, num_parts, part_stride, count, cols, to, stride);
  check_cuda(cudaGetLastError(), "launch sums of parts");
}

}  // namespace longer
