#pragma once
#include <cuda_runtime.h>

#include "core/cuda_check.hpp"
#include "ops/stream.hpp"

namespace longer {

/// A device's memory, from its driver's pool, which keeps what is released. Safe from any thread.
class CudaMemory final : public Memory {
 public:
  explicit CudaMemory(int device);
  ~CudaMemory() override;
  CudaMemory(const CudaMemory&) = delete;
  CudaMemory& operator=(const CudaMemory&) = delete;

  bool is_host() const override { return false; }
  void* allocate(size_t bytes) override;
  /// Waits for everything that runs on the device: somebody may be using it.
  void release(void* data) noexcept override;
  void zero(void* data, size_t bytes) override;
  void copy(void* to, const void* from, size_t bytes) override;

 private:
  void use() const;
  [[noreturn]] void fail_allocation(size_t bytes) const;

  int device_;
  cudaStream_t stream_ = nullptr;
};

/// A CUDA stream with its scratch memory. Stages enqueue and return; after the first pass over the
/// largest shape none allocates, which is what stream capture needs.
class CudaStream final : public Stream {
 public:
  CudaStream(int device, Memory& memory);
  ~CudaStream() override;
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;

  void synchronize() override;
  int64_t scratch_bytes() const override {
    return static_cast<int64_t>(workspace_.capacity_bytes());
  }
  void wait_for(Stream& other) override;
  /// As one CUDA graph, captured anew in every run and put into the executable graph of the run
  /// before where only parameters differ, so that every size has its own bits and none is padded.
  /// Without graphs if the environment says LONGER_CUDA_GRAPHS=off; same bits.
  void run(std::unique_ptr<Recording>& recording, const std::function<void()>& ready,
           const std::function<void()>& work) override;
  void zero(float* data, int64_t count) override;
  void copy(float* to, const float* from, int64_t count) override;
  /// One copy from page-locked memory.
  void place(Workspace& memory, const Placement* arrays, size_t count) override;
  void write(void* to, const void* from, size_t bytes) override;
  void read(void* to, const void* from, size_t bytes) override;
  ConstMatrixView fetch(ConstMatrixView m, std::vector<float>& copy) override;

  /// Makes this stream's device the calling thread's.
  /// Throws at once if the device is lost.
  void use() const {
    check_device_not_lost(device_);
    check_cuda(cudaSetDevice(device_), "choose the device");
  }
  cudaStream_t get() const { return stream_; }
  int device() const { return device_; }
  Workspace& workspace() { return workspace_; }

 private:
  void grow_staging(size_t bytes);

  int device_;
  cudaStream_t stream_ = nullptr;
  Workspace workspace_;
  char* staging_ = nullptr;  // page-locked
  size_t staging_bytes_ = 0;
  cudaEvent_t staging_is_read_ = nullptr;
  cudaEvent_t is_done_ = nullptr;  // for streams that wait for this one
  bool uses_graphs_;
};

}  // namespace longer
