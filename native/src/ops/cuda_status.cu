#include <cuda_runtime.h>

#include <sstream>

#include "ops/backend.hpp"

namespace longer {

// The numbers that core/device_faults.cc goes by.
static_assert(cudaErrorMemoryAllocation == 2 && cudaErrorECCUncorrectable == 214 &&
              cudaErrorNvlinkUncorrectable == 220 && cudaErrorContained == 226 &&
              cudaErrorIllegalAddress == 700 && cudaErrorLaunchTimeout == 702 &&
              cudaErrorContextIsDestroyed == 709 && cudaErrorAssert == 710 &&
              cudaErrorHardwareStackError == 714 && cudaErrorIllegalInstruction == 715 &&
              cudaErrorMisalignedAddress == 716 && cudaErrorInvalidAddressSpace == 717 &&
              cudaErrorInvalidPc == 718 && cudaErrorLaunchFailure == 719 &&
              cudaErrorTensorMemoryLeak == 721 && cudaErrorMpsClientTerminated == 810 &&
              cudaErrorExternalDevice == 911);

namespace {

/// The first generation that kernels are compiled for.
constexpr int kOldestMajor = 8;

struct Version {
  int number;
};

/// CUDA's 13020 is 13.2.
std::ostream& operator<<(std::ostream& out, Version v) {
  return out << v.number / 1000 << '.' << v.number % 1000 / 10;
}

/// Why no device can be used: what the driver answered, in the words that help.
std::string reason(cudaError_t result, Version driver, Version runtime) {
  std::ostringstream text;
  if (driver.number == 0) {
    text << "no NVIDIA driver was found";
  } else if (driver.number / 1000 < runtime.number / 1000) {
    text << "the NVIDIA driver is too old (made for CUDA " << driver << ")";
  } else {
    text << "the NVIDIA driver (CUDA " << driver << ") shows no GPU";
    if (result != cudaSuccess) text << ": " << cudaGetErrorString(result);
  }
  return text.str();
}

}  // namespace

CudaStatus cuda_status() {
  CudaStatus status;
  status.compiled = true;
  Version driver{0};
  Version runtime{0};
  cudaDriverGetVersion(&driver.number);
  cudaRuntimeGetVersion(&runtime.number);
  std::ostringstream detail;
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  cudaGetLastError();  // a failed query must not stick to the next launch
  if (result != cudaSuccess || count == 0) {
    detail << reason(result, driver, runtime);
  } else {
    for (int i = 0; i < count; ++i) {
      cudaDeviceProp properties{};
      if (cudaGetDeviceProperties(&properties, i) != cudaSuccess) break;
      detail << "device " << i << " is " << properties.name << " (compute capability "
             << properties.major << '.' << properties.minor << ", "
             << (properties.totalGlobalMem >> 20U) << " MiB)";
      if (properties.major < kOldestMajor) {
        detail << ", older than capability " << kOldestMajor << ".0 and not usable; ";
        break;
      }
      detail << "; ";
      status.num_devices = i + 1;
    }
    detail << "the driver is for CUDA " << driver;
  }
  detail << "; this library was built with CUDA " << runtime;
  status.detail = detail.str();
  return status;
}

}  // namespace longer
