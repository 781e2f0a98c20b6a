// Link-time stand-in for the CUDA backend in builds without nvcc.
#include "longer/error.hpp"
#include "ops/backend.hpp"

namespace longer {

std::shared_ptr<Backend> make_cuda_backend(const Device&) {
  fail(Status::kUnsupported,
       "[device] this library was built without CUDA; use the linux-x86_64-cuda13 natives or the "
       "CPU device");
}

CudaStatus cuda_status() { return {false, 0, "not compiled"}; }

}  // namespace longer
