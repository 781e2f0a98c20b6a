#include <cuda_runtime.h>

#include "core/cuda_check.hpp"

namespace longer::testing {
namespace {

__global__ void faulting_kernel(float* nowhere) { *nowhere = 1.0F; }

}  // namespace

void run_faulting_kernel() {
  faulting_kernel<<<1, 1>>>(nullptr);
  check_cuda(cudaDeviceSynchronize(), "run a faulting kernel");
}

}  // namespace longer::testing
