#pragma once
#include <cstdint>
#include <string>

namespace longer {

/// A CUDA call that failed: its cudaError_t by number, so that what it means is tested in builds
/// without CUDA.
struct CudaFailure {
  int code = 0;
  const char* name = "";         // cudaGetErrorName
  const char* description = "";  // cudaGetErrorString
  const char* what = "";         // what was being done
  int device = -1;               // -1: not known
  int64_t bytes_free = -1;       // of out of memory
};

/// Whether the process can do nothing with the device after this cudaError_t: every later call
/// returns it again ("sticky"), or the device is gone.
bool is_fatal_cuda_error(int code) noexcept;

/// Throws what the failure means: OutOfMemory, or DeviceError, fatal where the device is lost; a
/// lost device is remembered.
[[noreturn]] void fail_cuda(const CudaFailure& failure);

/// Remembers that a device is lost for this process; `device` -1 = all of them. The first reason
/// stays. Safe from any thread, like the functions below.
void mark_device_lost(int device, const std::string& why);
bool is_device_lost(int device) noexcept;
/// Throws DeviceError, fatal, with the reason if the device is lost. Costs one load otherwise.
void check_device_not_lost(int device);

}  // namespace longer
