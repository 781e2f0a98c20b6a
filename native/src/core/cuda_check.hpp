#pragma once
#include <cuda_runtime.h>

#include "longer/error.hpp"

namespace longer {

/// Throws DeviceError, OutOfMemory or Unsupported with `what` and CUDA's own words unless `result`
/// is success.
inline void check_cuda(cudaError_t result, const char* what) {
  if (result == cudaSuccess) return;
  const Status status =
      result == cudaErrorMemoryAllocation ? Status::kOutOfMemory : Status::kDeviceError;
  fail(status, "[cuda] ", what, ": ", cudaGetErrorString(result), " (", cudaGetErrorName(result),
       ")");
}

}  // namespace longer
