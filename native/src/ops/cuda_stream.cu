#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "ops/cuda_stream.hpp"

namespace longer {
namespace {

constexpr size_t kAlignment = 64;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

size_t bytes_of(int64_t count) { return static_cast<size_t>(count) * sizeof(float); }

class CudaGraph final : public Recording {
 public:
  CudaGraph() = default;
  ~CudaGraph() override { cudaGraphExecDestroy(executable_); }
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  /// Makes the executable graph that of `work`, which enqueues on the stream.
  void record(cudaStream_t stream, const std::function<void()>& work) {
    cudaGraph_t graph = nullptr;
    // Relaxed: scratch memory may grow while a stream is captured.
    check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), "begin a graph");
    try {
      work();
    } catch (...) {
      cudaStreamEndCapture(stream, &graph);
      cudaGetLastError();
      cudaGraphDestroy(graph);
      throw;
    }
    check_cuda(cudaStreamEndCapture(stream, &graph), "end a graph");
    const cudaError_t result = update(graph, stream);
    cudaGraphDestroy(graph);
    check_cuda(result, "instantiate a graph");
  }
  void launch(cudaStream_t stream) {
    check_cuda(cudaGraphLaunch(executable_, stream), "launch a graph");
  }

 private:
  cudaError_t update(cudaGraph_t graph, cudaStream_t stream) {
    if (executable_ != nullptr) {
      cudaGraphExecUpdateResultInfo info{};
      if (cudaGraphExecUpdate(executable_, graph, &info) == cudaSuccess) return cudaSuccess;
      cudaGetLastError();  // another graph than before, which may be running
      cudaStreamSynchronize(stream);
      cudaGraphExecDestroy(executable_);
      executable_ = nullptr;
    }
    return cudaGraphInstantiate(&executable_, graph, 0);
  }

  cudaGraphExec_t executable_ = nullptr;
};

bool graphs_are_on() {
  const char* setting = std::getenv("LONGER_CUDA_GRAPHS");
  return setting == nullptr || std::strcmp(setting, "off") != 0;
}

}  // namespace

CudaMemory::CudaMemory(int device) : device_(device) {
  use();
  cudaMemPool_t pool = nullptr;
  check_cuda(cudaDeviceGetDefaultMemPool(&pool, device), "find the memory pool");
  uint64_t keep_all = UINT64_MAX;
  check_cuda(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep_all),
             "set up the memory pool");
  check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "create a stream");
}

CudaMemory::~CudaMemory() { cudaStreamDestroy(stream_); }

void CudaMemory::use() const {
  check_device_not_lost(device_);
  check_cuda(cudaSetDevice(device_), "choose the device");
}

void CudaMemory::fail_allocation(size_t bytes) const {
  // Free: of the device, and of what the pool keeps.
  size_t free_bytes = 0;
  size_t all_bytes = 0;
  cudaMemGetInfo(&free_bytes, &all_bytes);
  uint64_t reserved = 0;
  uint64_t used = 0;
  cudaMemPool_t pool = nullptr;
  if (cudaDeviceGetDefaultMemPool(&pool, device_) == cudaSuccess &&
      cudaMemPoolGetAttribute(pool, cudaMemPoolAttrReservedMemCurrent, &reserved) == cudaSuccess &&
      cudaMemPoolGetAttribute(pool, cudaMemPoolAttrUsedMemCurrent, &used) == cudaSuccess) {
    free_bytes += reserved - used;
  }
  fail_out_of_memory(static_cast<int64_t>(bytes), static_cast<int64_t>(free_bytes),
                     "[cuda] no room for ", bytes, " bytes on device ", device_, ": ", free_bytes,
                     " of ", all_bytes, " bytes are free");
}

void* CudaMemory::allocate(size_t bytes) {
  use();
  void* data = nullptr;
  const cudaError_t result = cudaMallocAsync(&data, std::max<size_t>(1, bytes), stream_);
  if (result == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // the process goes on
    fail_allocation(bytes);
  }
  check_cuda(result, "allocate device memory");
  check_cuda(cudaStreamSynchronize(stream_), "allocate device memory");
  return data;
}

void CudaMemory::release(void* data) noexcept {
  if (is_device_lost(device_)) return;  // its memory went with it
  cudaSetDevice(device_);
  cudaDeviceSynchronize();
  cudaFreeAsync(data, stream_);
}

void CudaMemory::zero(void* data, size_t bytes) {
  if (bytes == 0) return;
  use();
  check_cuda(cudaMemsetAsync(data, 0, bytes, stream_), "clear device memory");
  check_cuda(cudaStreamSynchronize(stream_), "clear device memory");
}

void CudaMemory::copy(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  use();
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_), "copy device memory");
  check_cuda(cudaStreamSynchronize(stream_), "copy device memory");
}

CudaStream::CudaStream(int device, Memory& memory)
    : device_(device), workspace_(memory), uses_graphs_(graphs_are_on()) {
  use();
  check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "create a stream");
  check_cuda(cudaEventCreateWithFlags(&staging_is_read_, cudaEventDisableTiming),
             "create an event");
  check_cuda(cudaEventCreateWithFlags(&is_done_, cudaEventDisableTiming), "create an event");
}

CudaStream::~CudaStream() {
  cudaSetDevice(device_);
  cudaStreamSynchronize(stream_);
  cudaStreamDestroy(stream_);
  cudaEventDestroy(staging_is_read_);
  cudaEventDestroy(is_done_);
  cudaFreeHost(staging_);
}

void CudaStream::synchronize() {
  use();
  check_cuda(cudaStreamSynchronize(stream_), "wait for the stream");
}

void CudaStream::wait_for(Stream& other) {
  auto& before = static_cast<CudaStream&>(other);
  use();
  check_cuda(cudaEventRecord(before.is_done_, before.stream_), "record an event");
  check_cuda(cudaStreamWaitEvent(stream_, before.is_done_, 0), "wait for another stream");
}

void CudaStream::run(std::unique_ptr<Recording>& recording, const std::function<void()>& ready,
                     const std::function<void()>& work) {
  use();
  if (!uses_graphs_) {
    ready();
    work();
    return;
  }
  if (recording == nullptr) recording = std::make_unique<CudaGraph>();
  auto& graph = static_cast<CudaGraph&>(*recording);
  graph.record(stream_, work);
  ready();
  graph.launch(stream_);
}

void CudaStream::zero(float* data, int64_t count) {
  if (count == 0) return;
  use();
  check_cuda(cudaMemsetAsync(data, 0, bytes_of(count), stream_), "clear device memory");
}

void CudaStream::copy(float* to, const float* from, int64_t count) {
  if (count == 0) return;
  use();
  check_cuda(cudaMemcpyAsync(to, from, bytes_of(count), cudaMemcpyDefault, stream_), "copy");
}

void CudaStream::grow_staging(size_t bytes) {
  if (bytes <= staging_bytes_) return;
  cudaFreeHost(staging_);
  staging_ = nullptr;
  staging_bytes_ = 0;
  const size_t wanted = bytes + bytes / 2;
  check_cuda(cudaHostAlloc(reinterpret_cast<void**>(&staging_), wanted, cudaHostAllocDefault),
             "allocate page-locked memory");
  staging_bytes_ = wanted;
}

void CudaStream::place(Workspace& memory, const Placement* arrays, size_t count) {
  use();
  size_t total = 0;
  for (size_t i = 0; i < count; ++i) total += aligned(arrays[i].bytes);
  auto* target = memory.allocate<char>(static_cast<int64_t>(total));
  check_cuda(cudaEventSynchronize(staging_is_read_), "wait for the copy before");
  grow_staging(total);
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    if (arrays[i].bytes > 0) std::memcpy(staging_ + at, arrays[i].host, arrays[i].bytes);
    *arrays[i].placed = target + at;
    at += aligned(arrays[i].bytes);
  }
  if (total == 0) return;
  check_cuda(cudaMemcpyAsync(target, staging_, total, cudaMemcpyHostToDevice, stream_),
             "copy a batch");
  check_cuda(cudaEventRecord(staging_is_read_, stream_), "record an event");
}

void CudaStream::write(void* to, const void* from, size_t bytes) {
  use();
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "write");
}

ConstMatrixView CudaStream::fetch(ConstMatrixView m, std::vector<float>& copy) {
  copy.resize(static_cast<size_t>(m.rows * m.cols));
  read(copy.data(), m.data, copy.size() * sizeof(float));
  return {copy.data(), m.rows, m.cols};
}

void CudaStream::read(void* host, const void* from, size_t bytes) {
  use();
  if (bytes > 0) {
    check_cuda(cudaMemcpyAsync(host, from, bytes, cudaMemcpyDeviceToHost, stream_), "read results");
  }
  check_cuda(cudaStreamSynchronize(stream_), "wait for results");
}

}  // namespace longer
