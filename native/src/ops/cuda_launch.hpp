#pragma once
#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda_check.hpp"

namespace longer {

/// Threads of a block where a thread owns an element.
inline constexpr int kElementThreads = 256;

/// Blocks that cover `count` elements, `per_block` each.
inline unsigned blocks_for(int64_t count, int64_t per_block = kElementThreads) {
  return static_cast<unsigned>((count + per_block - 1) / per_block);
}

#ifdef __CUDACC__
template <class Body>
__global__ void element_kernel(int64_t count, Body body) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) body(i);
}

/// Enqueues body(i) for i in 0 … count − 1, a thread each. `what` names it in errors.
template <class Body>
void for_elements(cudaStream_t stream, const char* what, int64_t count, const Body& body) {
  if (count == 0) return;
  element_kernel<<<blocks_for(count), kElementThreads, 0, stream>>>(count, body);
  check_cuda(cudaGetLastError(), what);
}

/// Grid: (requests, pieces of their elements).
template <class CountOf, class Body>
__global__ void request_kernel(CountOf count_of, Body body) {
  const int64_t b = blockIdx.x;
  const int64_t count = count_of(b);
  const int64_t stride = static_cast<int64_t>(gridDim.y) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.y) * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    body(b, i);
  }
}

/// Enqueues body(b, i) for each request b and i in 0 … count_of(b) − 1, which device memory knows.
template <class CountOf, class Body>
void for_request_elements(cudaStream_t stream, const char* what, int64_t num_requests,
                          const CountOf& count_of, const Body& body) {
  constexpr unsigned kPieces = 8;
  if (num_requests == 0) return;
  const dim3 grid(static_cast<unsigned>(num_requests), kPieces);
  request_kernel<<<grid, kElementThreads, 0, stream>>>(count_of, body);
  check_cuda(cudaGetLastError(), what);
}
#endif

}  // namespace longer
