#pragma once
#include <memory>

#include "ops/backend.hpp"

namespace longer::testing {

/// The backend under test: in the program that tests the GPU (LONGER_TEST_CUDA) the GPU's, without
/// any way back to the CPU, else the CPU's.
inline std::shared_ptr<Backend> test_backend([[maybe_unused]] int num_threads = 2) {
#ifdef LONGER_TEST_CUDA
  return make_backend({DeviceKind::kCuda, 0, 0});
#else
  return make_backend({DeviceKind::kCpu, 0, num_threads});
#endif
}

}  // namespace longer::testing
