#include "ops/cuda_launch.hpp"
#include "ops/prediction_head/prediction_head_cuda.hpp"

namespace longer {
namespace {

constexpr int kThreads = 256;

struct Labelled {
  ConstMatrixView logits;
  const float* labels;
  const float* weights;
  const double* task_weights;

  /// w·t of element i = candidate · tasks + task; 0 without a label.
  __device__ double weight(int64_t i) const {
    if (isnan(label(i))) return 0.0;
    const double weight = weights != nullptr ? weights[i / logits.cols] : 1.0;
    return weight * task_weights[i % logits.cols];
  }
  __device__ float label(int64_t i) const {
    return labels[i % logits.cols * logits.rows + i / logits.cols];
  }
  __device__ double logit(int64_t i) const {
    return logits.data[i / logits.cols * logits.stride + i % logits.cols];
  }
};

/// One block: every thread sums its elements in order, then the threads' sums in pairs.
__global__ void sum_loss_kernel(Labelled p, StepNumbers* numbers) {
  __shared__ double losses[kThreads];
  __shared__ double weights[kThreads];
  const auto me = static_cast<int>(threadIdx.x);
  double loss = 0;
  double total = 0;
  for (int64_t i = me; i < p.logits.rows * p.logits.cols; i += kThreads) {
    const float label = p.label(i);
    if (isnan(label)) continue;
    const double z = p.logit(i);
    // log(1 + e^z) − y·z, without overflow on either side; a NaN comes through
    const double bce = (z > 0 ? z : z <= 0 ? 0.0 : z) - z * label + log1p(exp(-fabs(z)));
    loss += p.weight(i) * bce;
    total += p.weight(i);
  }
  losses[me] = loss;
  weights[me] = total;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (me < half) {
      losses[me] += losses[me + half];
      weights[me] += weights[me + half];
    }
  }
  if (me == 0) {
    numbers->loss += losses[0];
    numbers->weight += weights[0];
    if (!(numbers->unit > 0)) numbers->unit = weights[0];
  }
}

}  // namespace

void binary_cross_entropy_cuda(CudaStream& stream, const BinaryCrossEntropy& p) {
  const Labelled in = {p.logits, p.labels, p.weights, p.task_weights};
  StepNumbers* numbers = p.numbers;
  sum_loss_kernel<<<1, kThreads, 0, stream.get()>>>(in, numbers);
  check_cuda(cudaGetLastError(), "launch loss");

  const MatrixView d_logits = p.d_logits;
  for_elements(
      stream.get(), "loss gradient", p.logits.rows * p.logits.cols, [=] __device__(int64_t i) {
        const double unit = numbers->unit;
        const double scale = unit > 0 ? 1.0 / unit : 0.0;
        const float label = in.label(i);
        const double probability = 1.0 / (1.0 + exp(-in.logit(i)));
        d_logits.data[i / d_logits.cols * d_logits.stride + i % d_logits.cols] =
            isnan(label) ? 0.0F : static_cast<float>(in.weight(i) * scale * (probability - label));
      });
}

}  // namespace longer
