#include <algorithm>

#include "ops/cuda_launch.hpp"
#include "ops/optimizer/optimizer_cuda.hpp"

namespace longer {
namespace {

constexpr int kWarp = 32;
constexpr int kRowsPerBlock = 4;
constexpr int kAdagradBlocks = 132 * 16;  // of 4 warps: what an H200 holds at once
constexpr int kNormBlocks = 256;
constexpr int kNormThreads = 256;

/// Grid: (ranges, pieces of their elements).
__global__ void adamw_kernel(const StepNumbers* numbers, const DecayRange* ranges,
                             const float* gradients, float* weights, float* first, float* second) {
  if (numbers->is_skipped != 0) return;
  const DecayRange range = ranges[blockIdx.x];
  const AdamwCoefficients c = range.is_decayed ? numbers->rates.decayed : numbers->rates.plain;
  const int64_t stride = static_cast<int64_t>(gridDim.y) * blockDim.x;
  for (int64_t i = range.begin + static_cast<int64_t>(blockIdx.y) * blockDim.x + threadIdx.x;
       i < range.end; i += stride) {
    const float g = gradients[i] * c.gradient_scale;
    const float m = c.beta1 * first[i] + c.rest1 * g;
    const float v = c.beta2 * second[i] + c.rest2 * (g * g);
    first[i] = m;
    second[i] = v;
    weights[i] =
        weights[i] * c.shrink - c.step_size * m / (sqrtf(v) * c.second_correction + c.epsilon);
  }
}

/// One warp a row.
__global__ void adagrad_kernel(RowWiseAdagradStep p, const int32_t* num_rows) {
  if (p.numbers->is_skipped != 0) return;
  const UpdateRates& n = p.numbers->rates;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kRowsPerBlock;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kRowsPerBlock + threadIdx.y; i < *num_rows;
       i += stride) {
    const int64_t at = p.rows[i];
    const float* gradient = p.gradients + i * p.width;
    float squares = 0.0F;
    for (int64_t c = threadIdx.x; c < p.width; c += kWarp) {
      const float g = gradient[c] * n.table_gradient_scale;
      squares += g * g;
    }
    for (int offset = kWarp / 2; offset > 0; offset /= 2)
      squares += __shfl_xor_sync(0xFFFFFFFF, squares, offset);
    const float state = p.states[at] + squares / static_cast<float>(p.width);
    __syncwarp();  // all have read it
    if (threadIdx.x == 0) p.states[at] = state;
    const float factor =
        n.table_learning_rate * n.table_gradient_scale / (sqrtf(state) + n.table_epsilon);
    for (int64_t c = threadIdx.x; c < p.width; c += kWarp)
      p.table[at * p.width + c] -= gradient[c] * factor;
  }
}

/// The block's sum of every thread's value, the threads' in pairs; thread 0 has it.
__device__ double block_sum(double value) {
  __shared__ double parts[kNormThreads];
  const auto me = static_cast<int>(threadIdx.x);
  parts[me] = value;
  for (int half = kNormThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (me < half) parts[me] += parts[me + half];
  }
  return parts[0];
}

/// sums[block] of a fixed run of elements, every thread's in order.
__global__ void squares_kernel(const float* x, int64_t count, const int32_t* num_rows,
                               int64_t width, double* sums) {
  if (num_rows != nullptr) count = *num_rows * width;
  const int64_t begin = count * blockIdx.x / kNormBlocks;
  const int64_t end = count * (blockIdx.x + 1) / kNormBlocks;
  double sum = 0;
  for (int64_t i = begin + threadIdx.x; i < end; i += kNormThreads) {
    sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

__global__ void add_squares_kernel(const double* sums, double* target) {
  const double sum = block_sum(sums[threadIdx.x]);
  if (threadIdx.x == 0) *target += sum;
}

__global__ void decide_update_kernel(StepNumbers* numbers) {
  decide_update(*numbers, [](double x) { return sqrt(x); });
}

}  // namespace

void adamw_step_cuda(CudaStream& stream, const AdamwStep& p) {
  constexpr unsigned kPieces = 32;
  if (p.num_ranges == 0) return;
  const dim3 grid(static_cast<unsigned>(p.num_ranges), kPieces);
  adamw_kernel<<<grid, kElementThreads, 0, stream.get()>>>(
      p.numbers, p.ranges, p.gradients, p.weights, p.first_moment, p.second_moment);
  check_cuda(cudaGetLastError(), "launch adamw");
}

void row_wise_adagrad_step_cuda(CudaStream& stream, const RowWiseAdagradStep& p,
                                const int32_t* num_rows) {
  if (p.num_rows == 0) return;
  const unsigned blocks = std::min<unsigned>(blocks_for(p.num_rows, kRowsPerBlock), kAdagradBlocks);
  adagrad_kernel<<<blocks, dim3(kWarp, kRowsPerBlock), 0, stream.get()>>>(p, num_rows);
  check_cuda(cudaGetLastError(), "launch row-wise adagrad");
}

void add_squares_cuda(CudaStream& stream, const float* x, int64_t count, double* sum,
                      const int32_t* num_rows, int64_t width) {
  if (count == 0) return;
  static_assert(kNormBlocks == kNormThreads, "one thread adds up each block's sum");
  const WorkspaceScope scope(stream.workspace());
  double* sums = stream.workspace().allocate<double>(kNormBlocks);
  squares_kernel<<<kNormBlocks, kNormThreads, 0, stream.get()>>>(x, count, num_rows, width, sums);
  add_squares_kernel<<<1, kNormThreads, 0, stream.get()>>>(sums, sum);
  check_cuda(cudaGetLastError(), "launch norm");
}

void decide_update_cuda(CudaStream& stream, StepNumbers* numbers) {
  decide_update_kernel<<<1, 1, 0, stream.get()>>>(numbers);
  check_cuda(cudaGetLastError(), "launch the update's decision");
}

}  // namespace longer
