#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <vector>

#include "core/cuda_check.hpp"
#include "core/matrix.hpp"
#include "ops/stream.hpp"

namespace longer {

/// A growing stack of device memory. It grows on the first pass over the largest shape; afterwards
/// allocation is a pointer bump, which is what stream capture needs. One thread at a time.
class DeviceArena {
 public:
  DeviceArena() = default;
  ~DeviceArena() {
    for (const Block& block : blocks_) cudaFree(block.data);
  }
  DeviceArena(const DeviceArena&) = delete;
  DeviceArena& operator=(const DeviceArena&) = delete;

  struct Mark {
    size_t block, used;
  };
  Mark mark() const { return {current_, used_}; }
  void release(Mark mark) {
    current_ = mark.block;
    used_ = mark.used;
  }

  template <class T>
  T* allocate(int64_t count) {
    return static_cast<T*>(allocate_bytes(static_cast<size_t>(count) * sizeof(T)));
  }
  MatrixView matrix(int64_t rows, int64_t cols) {
    return {allocate<float>(rows * cols), rows, cols};
  }

 private:
  struct Block {
    void* data;
    size_t bytes;
  };
  void* allocate_bytes(size_t bytes) {
    constexpr size_t kAlignment = 256;
    constexpr size_t kFirstBytes = size_t{16} << 20;
    bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    while (current_ < blocks_.size() && used_ + bytes > blocks_[current_].bytes) {
      ++current_;
      used_ = 0;
    }
    if (current_ == blocks_.size()) {
      const size_t last = blocks_.empty() ? kFirstBytes / 2 : blocks_.back().bytes;
      const size_t wanted = bytes > 2 * last ? bytes : 2 * last;
      void* data = nullptr;
      check_cuda(cudaMalloc(&data, wanted), "allocate device scratch");
      blocks_.push_back({data, wanted});
    }
    char* begin = static_cast<char*>(blocks_[current_].data) + used_;
    used_ += bytes;
    return begin;
  }

  std::vector<Block> blocks_;
  size_t current_ = 0;
  size_t used_ = 0;
};

class DeviceArenaScope {
 public:
  explicit DeviceArenaScope(DeviceArena& arena) : arena_(arena), mark_(arena.mark()) {}
  ~DeviceArenaScope() { arena_.release(mark_); }
  DeviceArenaScope(const DeviceArenaScope&) = delete;
  DeviceArenaScope& operator=(const DeviceArenaScope&) = delete;

 private:
  DeviceArena& arena_;
  DeviceArena::Mark mark_;
};

/// A CUDA stream with its arena. Stages enqueue and return.
class CudaStream final : public Stream {
 public:
  CudaStream() {
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "create a stream");
  }
  ~CudaStream() override { cudaStreamDestroy(stream_); }
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;

  void synchronize() override { check_cuda(cudaStreamSynchronize(stream_), "wait for the stream"); }
  cudaStream_t get() const { return stream_; }
  DeviceArena& arena() { return arena_; }

 private:
  cudaStream_t stream_ = nullptr;
  DeviceArena arena_;
};

}  // namespace longer
