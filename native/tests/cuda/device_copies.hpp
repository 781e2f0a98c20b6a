#pragma once
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/bf16.hpp"
#include "core/cuda_check.hpp"

namespace longer::testing {

/// Device copies of host arrays, freed at the end of a test.
class DeviceCopies {
 public:
  DeviceCopies() = default;
  ~DeviceCopies() {
    for (void* p : owned_) cudaFree(p);
  }
  DeviceCopies(const DeviceCopies&) = delete;
  DeviceCopies& operator=(const DeviceCopies&) = delete;

  template <class T>
  T* upload(const T* host, int64_t count) {
    void* device = nullptr;
    const size_t bytes = static_cast<size_t>(std::max<int64_t>(1, count)) * sizeof(T);
    check_cuda(cudaMalloc(&device, bytes), "allocate");
    owned_.push_back(device);
    if (host != nullptr && count > 0) {
      check_cuda(
          cudaMemcpy(device, host, static_cast<size_t>(count) * sizeof(T), cudaMemcpyHostToDevice),
          "upload");
    }
    return static_cast<T*>(device);
  }
  template <class T>
  T* upload(const std::vector<T>& host) {
    return upload(host.data(), static_cast<int64_t>(host.size()));
  }
  float* zeros(int64_t count) {
    const std::vector<float> host(static_cast<size_t>(count), 0.0F);
    return upload(host);
  }
  /// Rounded to bf16.
  Bf16* upload_bf16(const std::vector<float>& host) {
    std::vector<Bf16> rounded;
    for (const float value : host) rounded.push_back(to_bf16(value));
    return upload(rounded);
  }

 private:
  std::vector<void*> owned_;
};

template <class T>
std::vector<T> download(const T* device, int64_t count) {
  std::vector<T> host(static_cast<size_t>(count));
  check_cuda(cudaMemcpy(host.data(), device, static_cast<size_t>(count) * sizeof(T),
                        cudaMemcpyDeviceToHost),
             "download");
  return host;
}
inline std::vector<float> download_bf16(const Bf16* device, int64_t count) {
  std::vector<float> values;
  for (const Bf16 value : download(device, count)) values.push_back(to_float(value));
  return values;
}

}  // namespace longer::testing
