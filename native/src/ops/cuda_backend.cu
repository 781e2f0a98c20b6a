#include <memory>

#include "ops/backend.hpp"
#include "ops/cuda_stream.hpp"
#include "ops/event_encoder/event_encoder_cuda.hpp"
#include "ops/transformer_layer/transformer_layer_cuda.hpp"

namespace longer {
namespace {

/// Stages compute with the raw weights: there is nothing to prepare.
class RawLinears final : public PreparedLinears {
 public:
  int64_t bytes() const override { return 0; }
};

[[noreturn]] void not_on_gpu(const char* stage) {
  fail(Status::kUnsupported, "[cuda] stage ", stage,
       " does not run on the GPU in this version; use the CPU device");
}

CudaStream& cuda(Stream& stream) { return static_cast<CudaStream&>(stream); }

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(const Device& device) : device_(device) {
    check_cuda(cudaSetDevice(device.index), "choose the device");
  }

  Device device() const override { return device_; }
  std::unique_ptr<Stream> make_stream() override { return std::make_unique<CudaStream>(); }
  void prepare(const std::vector<LinearWeights*>&, PackFor,
               std::unique_ptr<PreparedLinears>& prepared) override {
    if (prepared == nullptr) prepared = std::make_unique<RawLinears>();
  }

  void event_encoder_forward(Stream& s, const EventEncoderForward& p) override {
    if (p.dropout.is_on()) not_on_gpu("dropout");
    event_encoder_forward_cuda(cuda(s), p);
  }
  void event_encoder_backward(Stream& s, const EventEncoderBackward& p) override {
    event_encoder_backward_cuda(cuda(s), p);
  }
  void transformer_layer_forward(Stream& s, const TransformerLayerForward& p) override {
    if (p.dropout.is_on()) not_on_gpu("dropout");
    transformer_layer_forward_cuda(cuda(s), p);
  }
  void transformer_layer_backward(Stream& s, const TransformerLayerBackward& p) override {
    transformer_layer_backward_cuda(cuda(s), p);
  }
  void global_tokens_forward(Stream&, const GlobalTokensForward&) override {
    not_on_gpu("global_tokens");
  }
  void global_tokens_backward(Stream&, const GlobalTokensBackward&) override {
    not_on_gpu("global_tokens");
  }
  void transformer_layer_probabilities(Stream&, const TransformerLayerForward&, int64_t, int64_t,
                                       float*) override {
    not_on_gpu("transformer_layer_probabilities");
  }
  void learned_queries_forward(Stream&, const LearnedQueriesForward&) override {
    not_on_gpu("learned_queries");
  }
  void learned_queries_backward(Stream&, const LearnedQueriesBackward&) override {
    not_on_gpu("learned_queries");
  }
  void history_head_forward(Stream&, const HistoryHeadForward&) override {
    not_on_gpu("history_head");
  }
  void history_head_backward(Stream&, const HistoryHeadBackward&) override {
    not_on_gpu("history_head");
  }
  void prediction_head_forward(Stream&, const PredictionHeadForward&) override {
    not_on_gpu("prediction_head");
  }
  void prediction_head_backward(Stream&, const PredictionHeadBackward&) override {
    not_on_gpu("prediction_head");
  }
  LossSum binary_cross_entropy(Stream&, const BinaryCrossEntropy&) override {
    not_on_gpu("binary_cross_entropy");
  }

 private:
  Device device_;
};

}  // namespace

std::shared_ptr<Backend> make_cuda_backend(const Device& device) {
  const CudaStatus status = cuda_status();
  if (status.num_devices == 0) {
    fail(Status::kUnsupported, "[device] no CUDA device can be used: ", status.detail,
         "; install an NVIDIA driver of version 580 or later, or use the CPU device");
  }
  check_argument(device.index >= 0 && device.index < status.num_devices,
                 "[device] CUDA device must be in 0 … ", status.num_devices - 1, "; got ",
                 device.index);
  return std::make_shared<CudaBackend>(device);
}

CudaStatus cuda_status() {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result != cudaSuccess) {
    cudaGetLastError();  // a failed query must not stick to the next launch
    return {true, 0, cudaGetErrorString(result)};
  }
  return {true, count, "ready"};
}

}  // namespace longer
