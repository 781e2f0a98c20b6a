#pragma once
#include <atomic>
#include <memory>
#include <utility>

#include "core/device_faults.hpp"
#include "support/counting_backend.hpp"

namespace longer::testing {

/// A backend in the place of a CUDA device whose layers can be made to fail as CUDA reports it.
/// Like a CUDA stream, it refuses all work once its device is lost. Each needs a device number of
/// its own: what is lost stays so in the process.
class FaultyBackend final : public CountingBackend {
 public:
  FaultyBackend(std::shared_ptr<Backend> backend, int device)
      : CountingBackend(std::move(backend)), device_(device) {}

  /// cudaError_t to fail with at the next layer; 0 = do not.
  std::atomic<int> layer_error{0};

  Device device() const override { return {DeviceKind::kCuda, device_, 2}; }
  void event_encoder_forward(Stream& stream, const EventEncoderForward& p) override {
    check_device_not_lost(device_);
    CountingBackend::event_encoder_forward(stream, p);
  }
  void transformer_layer_forward(Stream& stream, const TransformerLayerForward& p) override {
    check_device_not_lost(device_);
    const int code = layer_error.exchange(0);
    if (code != 0) fail_as_cuda(code);
    CountingBackend::transformer_layer_forward(stream, p);
  }

 private:
  [[noreturn]] void fail_as_cuda(int code) const {
    CudaFailure failure;
    failure.code = code;
    failure.name = "cudaErrorOfATest";
    failure.description = "injected";
    failure.what = "transformer_layer_forward";
    failure.device = device_;
    failure.bytes_free = 4096;
    fail_cuda(failure);
  }

  int device_;
};

}  // namespace longer::testing
