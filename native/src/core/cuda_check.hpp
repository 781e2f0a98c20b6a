#pragma once
#include <cuda_runtime.h>

#include "core/device_faults.hpp"
#include "longer/error.hpp"

namespace longer {

/// Throws with `what` and CUDA's own words unless `result` is success: OutOfMemory, or DeviceError,
/// fatal where the device is lost for this process (device_faults.hpp).
inline void check_cuda(cudaError_t result, const char* what) {
  if (result == cudaSuccess) return;
  cudaGetLastError();  // the failure must not be taken for one of the next launch
  CudaFailure failure;
  failure.code = result;
  failure.name = cudaGetErrorName(result);
  failure.description = cudaGetErrorString(result);
  failure.what = what;
  if (cudaGetDevice(&failure.device) != cudaSuccess) failure.device = -1;
  size_t free_bytes = 0;
  size_t all_bytes = 0;
  if (result == cudaErrorMemoryAllocation &&
      cudaMemGetInfo(&free_bytes, &all_bytes) == cudaSuccess) {
    failure.bytes_free = static_cast<int64_t>(free_bytes);
  }
  fail_cuda(failure);
}

}  // namespace longer
