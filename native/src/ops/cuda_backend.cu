#include <algorithm>
#include <memory>

#include "core/aligned_buffer.hpp"
#include "ops/backend.hpp"
#include "ops/cuda_stream.hpp"
#include "ops/device_table/device_table_cuda.hpp"
#include "ops/event_encoder/event_encoder_cuda.hpp"
#include "ops/feature_input/feature_input_cuda.hpp"
#include "ops/global_tokens/global_tokens_cuda.hpp"
#include "ops/learned_queries/learned_queries_cuda.hpp"
#include "ops/linear/linear_bf16_cuda.hpp"
#include "ops/optimizer/optimizer_cuda.hpp"
#include "ops/prediction_head/prediction_head_cuda.hpp"
#include "ops/segment_sum/table_gradient_cuda.hpp"
#include "ops/transformer_layer/transformer_layer_cuda.hpp"

namespace longer {
namespace {

/// Stages compute with the raw weights: there is nothing to prepare.
class RawLinears final : public PreparedLinears {
 public:
  int64_t bytes() const override { return 0; }
};

/// The span of memory that all weights lie in, rounded.
class RoundedLinears final : public PreparedLinears {
 public:
  explicit RoundedLinears(Memory& memory) : numbers_(0, memory) {}
  int64_t bytes() const override { return numbers_.bytes(); }

  void round(CudaStream& stream, const std::vector<LinearWeights*>& linears) {
    const float* begin = linears.front()->weight;
    const float* end = begin;
    for (const LinearWeights* l : linears) {
      begin = std::min(begin, l->weight);
      end = std::max(end, l->weight + (l->out - 1) * l->row_stride() + l->in);
    }
    const int64_t count = (end - begin + 1) / 2 * 2;  // the arena ends on a multiple of 16
    if (2 * numbers_.size() < count) numbers_ = AlignedBuffer(count / 2, numbers_.memory());
    auto* half = reinterpret_cast<Bf16*>(numbers_.data());
    round_to_bf16(stream, {begin, 1, count}, {half, 1, count});
    for (LinearWeights* l : linears) l->half = half + (l->weight - begin);
  }

 private:
  AlignedBuffer numbers_;
};

/// The stream, its device chosen for the calling thread.
CudaStream& cuda(Stream& stream) {
  auto& own = static_cast<CudaStream&>(stream);
  own.use();
  return own;
}

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(const Device& device) : device_(device), memory_(device.index) {}

  Device device() const override { return device_; }
  Memory& memory() override { return memory_; }
  std::unique_ptr<Stream> make_stream() override {
    return std::make_unique<CudaStream>(device_.index, memory_);
  }
  void prepare(const std::vector<LinearWeights*>&, PackFor,
               std::unique_ptr<PreparedLinears>& prepared) override {
    if (prepared == nullptr) prepared = std::make_unique<RawLinears>();
  }

  void round_weights(Stream& s, const std::vector<LinearWeights*>& linears,
                     std::unique_ptr<PreparedLinears>& prepared) override {
    if (prepared == nullptr) prepared = std::make_unique<RoundedLinears>(memory_);
    static_cast<RoundedLinears&>(*prepared).round(cuda(s), linears);
  }

  void event_encoder_forward(Stream& s, const EventEncoderForward& p) override {
    event_encoder_forward_cuda(cuda(s), p);
  }
  void event_encoder_backward(Stream& s, const EventEncoderBackward& p) override {
    event_encoder_backward_cuda(cuda(s), p);
  }
  void global_tokens_forward(Stream& s, const GlobalTokensForward& p) override {
    global_tokens_forward_cuda(cuda(s), p);
  }
  void global_tokens_backward(Stream& s, const GlobalTokensBackward& p) override {
    global_tokens_backward_cuda(cuda(s), p);
  }
  void transformer_layer_forward(Stream& s, const TransformerLayerForward& p) override {
    transformer_layer_forward_cuda(cuda(s), p);
  }
  void transformer_layer_backward(Stream& s, const TransformerLayerBackward& p) override {
    transformer_layer_backward_cuda(cuda(s), p);
  }
  void transformer_layer_probabilities(Stream& s, const TransformerLayerForward& p, int64_t span,
                                       int64_t query_row, float* probabilities) override {
    transformer_layer_probabilities_cuda(cuda(s), p, span, query_row, probabilities);
  }
  void learned_queries_forward(Stream& s, const LearnedQueriesForward& p) override {
    learned_queries_forward_cuda(cuda(s), p);
  }
  void learned_queries_backward(Stream& s, const LearnedQueriesBackward& p) override {
    learned_queries_backward_cuda(cuda(s), p);
  }
  void history_head_forward(Stream& s, const HistoryHeadForward& p) override {
    history_head_forward_cuda(cuda(s), p);
  }
  void history_head_backward(Stream& s, const HistoryHeadBackward& p) override {
    history_head_backward_cuda(cuda(s), p);
  }
  void prediction_head_forward(Stream& s, const PredictionHeadForward& p) override {
    prediction_head_forward_cuda(cuda(s), p);
  }
  void prediction_head_backward(Stream& s, const PredictionHeadBackward& p) override {
    prediction_head_backward_cuda(cuda(s), p);
  }
  void binary_cross_entropy(Stream& s, const BinaryCrossEntropy& p) override {
    binary_cross_entropy_cuda(cuda(s), p);
  }
  void spread_mean_gradient(Stream& s, const FeatureValues& values, ConstMatrixView d_input,
                            MatrixView d_rows) override {
    spread_mean_gradient_cuda(cuda(s), values, d_input, d_rows);
  }
  std::unique_ptr<DeviceTable> make_device_table(const DeviceTableRules& rules) override {
    return make_device_table_cuda(memory_, rules);
  }
  void group_rows(Stream& s, const std::vector<RowSource>& sources, int64_t num_table_rows,
                  std::unique_ptr<RowGroups>& groups) override {
    group_rows_cuda(cuda(s), sources, num_table_rows, groups);
  }
  std::unique_ptr<TableGradient> make_table_gradient(int64_t width) override {
    return make_table_gradient_cuda(memory_, width);
  }
  void add_to_rows(Stream& s, const RowGroups& groups, const std::vector<GradientRows>& rows,
                   int64_t width, float* table) override {
    add_to_rows_cuda(cuda(s), groups, rows, width, table);
  }
  void add_squares(Stream& s, const float* x, int64_t count, double* sum) override {
    add_squares_cuda(cuda(s), x, count, sum);
  }
  void decide_update(Stream& s, StepNumbers* numbers) override {
    decide_update_cuda(cuda(s), numbers);
  }
  void adamw_step(Stream& s, const AdamwStep& p) override { adamw_step_cuda(cuda(s), p); }

 private:
  Device device_;
  CudaMemory memory_;
};

}  // namespace

std::shared_ptr<Backend> make_cuda_backend(const Device& device) {
  const CudaStatus status = cuda_status();
  if (status.num_devices == 0) {
    fail(Status::kDeviceError, "[device] CUDA device ", device.index,
         " cannot be used: ", status.detail,
         ". Install an NVIDIA driver of version 580 or later (nvidia-smi shows it; containers need "
         "--gpus all; no toolkit is needed), or use the CPU device");
  }
  check_argument(device.index >= 0 && device.index < status.num_devices,
                 "[device] CUDA device must be in 0 … ", status.num_devices - 1, "; got ",
                 device.index);
  return std::make_shared<CudaBackend>(device);
}

}  // namespace longer
