#include <cmath>
#include <vector>

#include "longer/error.hpp"
#include "ops/backend.hpp"
#include "ops/event_encoder/event_encoder_cpu.hpp"
#include "ops/global_tokens/global_tokens_cpu.hpp"
#include "ops/learned_queries/learned_queries_cpu.hpp"
#include "ops/prediction_head/prediction_head_cpu.hpp"
#include "ops/segment_sum/table_gradient_cpu.hpp"
#include "ops/transformer_layer/transformer_layer_cpu.hpp"

namespace longer {
namespace {

class PackedLinears final : public PreparedLinears {
 public:
  int64_t bytes() const override {
    int64_t sum = 0;
    for (const PackedLinear& linear : linears) sum += linear.bytes();
    return sum;
  }
  std::vector<PackedLinear> linears;
};

CpuStream& cpu(Stream& stream) { return static_cast<CpuStream&>(stream); }

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(const Device& device) : device_(device), pool_(device.num_threads) {}

  Device device() const override { return device_; }
  Memory& memory() override { return host_memory(); }
  std::unique_ptr<Stream> make_stream() override { return std::make_unique<CpuStream>(&pool_); }

  void prepare(const std::vector<LinearWeights*>& linears, PackFor purpose,
               std::unique_ptr<PreparedLinears>& prepared) override {
    if (prepared == nullptr) prepared = std::make_unique<PackedLinears>();
    auto& packed = static_cast<PackedLinears&>(*prepared).linears;
    packed.resize(linears.size());
    pool_.parallel_for(static_cast<int64_t>(linears.size()), [&](int64_t i) {
      LinearWeights& w = *linears[static_cast<size_t>(i)];
      PackedLinear& target = packed[static_cast<size_t>(i)];
      target.pack(w.weight, w.bias, w.out, w.in, purpose, w.stride);
      w.packed = &target;
    });
  }
  void round_weights(Stream&, const std::vector<LinearWeights*>&,
                     std::unique_ptr<PreparedLinears>&) override {
    fail(Status::kUnsupported, "[device] precision bf16 needs a CUDA device; use fp32 on the CPU");
  }

  void event_encoder_forward(Stream& s, const EventEncoderForward& p) override {
    longer::event_encoder_forward(cpu(s), p);
  }
  void event_encoder_backward(Stream& s, const EventEncoderBackward& p) override {
    longer::event_encoder_backward(cpu(s), p);
  }
  void global_tokens_forward(Stream& s, const GlobalTokensForward& p) override {
    global_tokens_forward_cpu(cpu(s), p);
  }
  void global_tokens_backward(Stream& s, const GlobalTokensBackward& p) override {
    global_tokens_backward_cpu(cpu(s), p);
  }
  void transformer_layer_forward(Stream& s, const TransformerLayerForward& p) override {
    transformer_layer_forward_cpu(cpu(s), p);
  }
  void transformer_layer_backward(Stream& s, const TransformerLayerBackward& p) override {
    transformer_layer_backward_cpu(cpu(s), p);
  }
  void transformer_layer_probabilities(Stream&, const TransformerLayerForward& p, int64_t span,
                                       int64_t query_row, float* probabilities) override {
    transformer_layer_probabilities_cpu(p, span, query_row, probabilities);
  }
  void learned_queries_forward(Stream&, const LearnedQueriesForward& p) override {
    learned_queries_forward_cpu(p);
  }
  void learned_queries_backward(Stream&, const LearnedQueriesBackward& p) override {
    learned_queries_backward_cpu(p);
  }
  void history_head_forward(Stream& s, const HistoryHeadForward& p) override {
    history_head_forward_cpu(cpu(s), p);
  }
  void history_head_backward(Stream& s, const HistoryHeadBackward& p) override {
    history_head_backward_cpu(cpu(s), p);
  }
  void prediction_head_forward(Stream& s, const PredictionHeadForward& p) override {
    prediction_head_forward_cpu(cpu(s), p);
  }
  void prediction_head_backward(Stream& s, const PredictionHeadBackward& p) override {
    prediction_head_backward_cpu(cpu(s), p);
  }
  void binary_cross_entropy(Stream&, const BinaryCrossEntropy& p) override {
    binary_cross_entropy_cpu(p);
  }
  void spread_mean_gradient(Stream&, const FeatureValues& values, ConstMatrixView d_input,
                            MatrixView d_rows) override {
    longer::spread_mean_gradient(values, d_input, d_rows);
  }
  std::unique_ptr<DeviceTable> make_device_table(const DeviceTableRules&) override {
    return nullptr;
  }
  void group_rows(Stream&, const std::vector<RowSource>& sources, int64_t num_table_rows,
                  std::unique_ptr<RowGroups>& groups) override {
    group_rows_cpu(sources, num_table_rows, groups);
  }
  std::unique_ptr<TableGradient> make_table_gradient(int64_t width) override {
    return make_table_gradient_cpu(width);
  }
  void add_to_rows(Stream& s, const RowGroups& groups, const std::vector<GradientRows>& rows,
                   int64_t width, float* table) override {
    add_to_rows_cpu(cpu(s), groups, rows, width, table);
  }
  void add_squares(Stream&, const float* x, int64_t count, double* sum) override {
    *sum += squared_norm(&pool_, x, count);
  }
  void decide_update(Stream&, StepNumbers* numbers) override {
    longer::decide_update(*numbers, [](double x) { return std::sqrt(x); });
  }
  void adamw_step(Stream&, const AdamwStep& p) override { longer::adamw_step(&pool_, p); }

 private:
  Device device_;
  ThreadPool pool_;
};

}  // namespace

std::shared_ptr<Backend> make_cpu_backend(const Device& device) {
  check_argument(device.num_threads >= 0, "[device] num_threads must not be negative; got ",
                 device.num_threads);
  return std::make_shared<CpuBackend>(device);
}

std::shared_ptr<Backend> make_backend(const Device& device) {
  switch (device.kind) {
    case DeviceKind::kCpu:
      return make_cpu_backend(device);
    case DeviceKind::kCuda:
      return make_cuda_backend(device);
    case DeviceKind::kBest:
      if (cuda_status().num_devices > 0) return make_cuda_backend({DeviceKind::kCuda, 0, 0});
      return make_cpu_backend({DeviceKind::kCpu, 0, device.num_threads});
  }
  fail(Status::kInvalidArgument, "[device] kind must be 0 (CPU), 1 (CUDA) or 2 (best); got ",
       static_cast<int32_t>(device.kind));
}

}  // namespace longer
