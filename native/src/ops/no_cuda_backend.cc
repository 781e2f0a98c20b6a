// Link-time stand-in for the CUDA backend in builds without nvcc.
#include "longer/error.hpp"
#include "ops/backend.hpp"

namespace longer {

std::shared_ptr<Backend> make_cuda_backend(const Device& device) {
  fail(Status::kUnsupported, "[device] CUDA device ", device.index,
       " cannot be used: these natives were built without CUDA. Add "
       "ai.longer:longer-native with the classifier linux-x86_64-cuda13 (CUDA 13; needs an NVIDIA "
       "driver of version 580 or later and no toolkit), or use the CPU device");
}

CudaStatus cuda_status() {
  return {false, 0, "not in these natives; the classifier linux-x86_64-cuda13 has it"};
}

}  // namespace longer
