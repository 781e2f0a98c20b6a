#include "ops/cuda_launch.hpp"
#include "ops/optimizer/optimizer_cuda.hpp"
#include "ops/optimizer/optimizer_kernels.hpp"

namespace longer {
namespace {

constexpr int kWarp = 32;
constexpr int kRowsPerBlock = 4;
constexpr int kNormBlocks = 256;
constexpr int kNormThreads = 256;

/// Grid: (ranges, pieces of their elements).
__global__ void adamw_kernel(AdamwCoefficients decayed, AdamwCoefficients plain,
                             const DecayRange* ranges, const float* gradients, float* weights,
                             float* first, float* second) {
  const DecayRange range = ranges[blockIdx.x];
  const AdamwCoefficients& c = range.is_decayed ? decayed : plain;
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
__global__ void adagrad_kernel(AdagradRows p) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kRowsPerBlock + threadIdx.y;
  if (i >= p.num_rows) return;
  const int64_t at = p.rows[i];
  const float* gradient = p.gradients + i * p.width;
  float squares = 0.0F;
  for (int64_t c = threadIdx.x; c < p.width; c += kWarp) {
    const float g = gradient[c] * p.gradient_scale;
    squares += g * g;
  }
  for (int offset = kWarp / 2; offset > 0; offset /= 2)
    squares += __shfl_xor_sync(0xFFFFFFFF, squares, offset);
  const float state = p.states[at] + squares / static_cast<float>(p.width);
  __syncwarp();  // all have read it
  if (threadIdx.x == 0) p.states[at] = state;
  const float factor = p.learning_rate * p.gradient_scale / (sqrtf(state) + p.epsilon);
  for (int64_t c = threadIdx.x; c < p.width; c += kWarp)
    p.table[at * p.width + c] -= gradient[c] * factor;
}

/// sums[block] of a fixed run of elements: every thread's in order, then the threads' in pairs.
__global__ void squares_kernel(const float* x, int64_t count, double* sums) {
  __shared__ double parts[kNormThreads];
  const auto me = static_cast<int>(threadIdx.x);
  const int64_t begin = count * blockIdx.x / kNormBlocks;
  const int64_t end = count * (blockIdx.x + 1) / kNormBlocks;
  double sum = 0;
  for (int64_t i = begin + me; i < end; i += kNormThreads) {
    sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  }
  parts[me] = sum;
  for (int half = kNormThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (me < half) parts[me] += parts[me + half];
  }
  if (me == 0) sums[blockIdx.x] = parts[0];
}

}  // namespace

void adamw_step_cuda(CudaStream& stream, const AdamwStep& p) {
  constexpr unsigned kPieces = 32;
  if (p.ranges->empty()) return;
  const WorkspaceScope scope(stream.workspace());
  const void* ranges = nullptr;
  const Placement array = {p.ranges->data(), p.ranges->size() * sizeof(DecayRange), &ranges};
  stream.place(stream.workspace(), &array, 1);
  const dim3 grid(static_cast<unsigned>(p.ranges->size()), kPieces);
  adamw_kernel<<<grid, kElementThreads, 0, stream.get()>>>(
      adamw_coefficients(p, true), adamw_coefficients(p, false),
      static_cast<const DecayRange*>(ranges), p.gradients, p.weights, p.first_moment,
      p.second_moment);
  check_cuda(cudaGetLastError(), "launch adamw");
}

void row_wise_adagrad_step_cuda(CudaStream& stream, const RowWiseAdagradStep& p) {
  if (p.num_rows == 0) return;
  const WorkspaceScope scope(stream.workspace());
  const void* rows = nullptr;
  const Placement array = {p.rows, static_cast<size_t>(p.num_rows) * sizeof(int32_t), &rows};
  stream.place(stream.workspace(), &array, 1);
  adagrad_kernel<<<blocks_for(p.num_rows, kRowsPerBlock), dim3(kWarp, kRowsPerBlock), 0,
                   stream.get()>>>(
      {p.table, p.states, static_cast<const int32_t*>(rows), p.gradients, p.num_rows, p.width,
       static_cast<float>(p.learning_rate), static_cast<float>(p.epsilon),
       static_cast<float>(p.gradient_scale)});
  check_cuda(cudaGetLastError(), "launch row-wise adagrad");
}

double squared_norm_cuda(CudaStream& stream, const float* x, int64_t count) {
  if (count == 0) return 0.0;
  const WorkspaceScope scope(stream.workspace());
  double* sums = stream.workspace().allocate<double>(kNormBlocks);
  squares_kernel<<<kNormBlocks, kNormThreads, 0, stream.get()>>>(x, count, sums);
  check_cuda(cudaGetLastError(), "launch norm");
  double parts[kNormBlocks];
  stream.read(parts, sums, sizeof(parts));
  double sum = 0;
  for (const double part : parts) sum += part;
  return sum;
}

}  // namespace longer
