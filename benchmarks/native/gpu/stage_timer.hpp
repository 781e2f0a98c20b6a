#pragma once
#include <cuda_runtime.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/cuda_check.hpp"
#include "ops/backend.hpp"
#include "ops/cuda_stream.hpp"

namespace longer::bench {

/// Another CUDA backend that times every stage between two events on its stream. Only without
/// graphs, in which an event has no time. One thread at a time.
class StageTimer final : public Backend {
 public:
  explicit StageTimer(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}
  ~StageTimer() override { forget(); }

  /// Milliseconds and calls by stage since `forget`; waits for the device.
  struct Time {
    double ms = 0;
    int64_t calls = 0;
  };
  std::map<std::string, Time> times() const {
    check_cuda(cudaDeviceSynchronize(), "wait for the device");
    std::map<std::string, Time> times;
    for (const Span& span : spans_) {
      float ms = 0;
      check_cuda(cudaEventElapsedTime(&ms, span.begin, span.end), "read a time");
      Time& time = times[span.name];
      time.ms += static_cast<double>(ms);
      ++time.calls;
    }
    return times;
  }
  void forget() {
    for (const Span& span : spans_) {
      cudaEventDestroy(span.begin);
      cudaEventDestroy(span.end);
    }
    spans_.clear();
  }

  Device device() const override { return backend_->device(); }
  Memory& memory() override { return backend_->memory(); }
  std::unique_ptr<Stream> make_stream() override { return backend_->make_stream(); }
  void prepare(const std::vector<LinearWeights*>& linears, PackFor purpose,
               std::unique_ptr<PreparedLinears>& prepared) override {
    backend_->prepare(linears, purpose, prepared);
  }
  void round_weights(Stream& s, const std::vector<LinearWeights*>& linears,
                     std::unique_ptr<PreparedLinears>& prepared) override {
    timed("rounding of weights", s, [&] { backend_->round_weights(s, linears, prepared); });
  }
  void event_encoder_forward(Stream& s, const EventEncoderForward& p) override {
    timed("event encoder, forward", s, [&] { backend_->event_encoder_forward(s, p); });
  }
  void event_encoder_backward(Stream& s, const EventEncoderBackward& p) override {
    timed("event encoder, backward", s, [&] { backend_->event_encoder_backward(s, p); });
  }
  void global_tokens_forward(Stream& s, const GlobalTokensForward& p) override {
    timed("global tokens, forward", s, [&] { backend_->global_tokens_forward(s, p); });
  }
  void global_tokens_backward(Stream& s, const GlobalTokensBackward& p) override {
    timed("global tokens, backward", s, [&] { backend_->global_tokens_backward(s, p); });
  }
  void transformer_layer_forward(Stream& s, const TransformerLayerForward& p) override {
    timed("layers, forward", s, [&] { backend_->transformer_layer_forward(s, p); });
  }
  void transformer_layer_backward(Stream& s, const TransformerLayerBackward& p) override {
    timed("layers, backward", s, [&] { backend_->transformer_layer_backward(s, p); });
  }
  void transformer_layer_probabilities(Stream& s, const TransformerLayerForward& p, int64_t span,
                                       int64_t query_row, float* probabilities) override {
    backend_->transformer_layer_probabilities(s, p, span, query_row, probabilities);
  }
  void learned_queries_forward(Stream& s, const LearnedQueriesForward& p) override {
    timed("learned queries", s, [&] { backend_->learned_queries_forward(s, p); });
  }
  void learned_queries_backward(Stream& s, const LearnedQueriesBackward& p) override {
    timed("learned queries", s, [&] { backend_->learned_queries_backward(s, p); });
  }
  void history_head_forward(Stream& s, const HistoryHeadForward& p) override {
    timed("head, forward", s, [&] { backend_->history_head_forward(s, p); });
  }
  void history_head_backward(Stream& s, const HistoryHeadBackward& p) override {
    timed("head, backward", s, [&] { backend_->history_head_backward(s, p); });
  }
  void prediction_head_forward(Stream& s, const PredictionHeadForward& p) override {
    timed("head, forward", s, [&] { backend_->prediction_head_forward(s, p); });
  }
  void prediction_head_backward(Stream& s, const PredictionHeadBackward& p) override {
    timed("head, backward", s, [&] { backend_->prediction_head_backward(s, p); });
  }
  void binary_cross_entropy(Stream& s, const BinaryCrossEntropy& p) override {
    timed("loss", s, [&] { backend_->binary_cross_entropy(s, p); });
  }
  void spread_mean_gradient(Stream& s, const FeatureValues& values, ConstMatrixView d_input,
                            MatrixView d_rows) override {
    timed("gradients of means", s,
          [&] { backend_->spread_mean_gradient(s, values, d_input, d_rows); });
  }
  std::unique_ptr<DeviceTable> make_device_table(const DeviceTableRules& rules) override {
    return std::make_unique<Table>(*this, backend_->make_device_table(rules));
  }
  void group_rows(Stream& s, const std::vector<RowSource>& sources, int64_t num_table_rows,
                  std::unique_ptr<RowGroups>& groups) override {
    timed("ahead: grouping by row", s,
          [&] { backend_->group_rows(s, sources, num_table_rows, groups); });
  }
  std::unique_ptr<TableGradient> make_table_gradient(int64_t width) override {
    return std::make_unique<Gradient>(*this, backend_->make_table_gradient(width));
  }
  void add_to_rows(Stream& s, const RowGroups& groups, const std::vector<GradientRows>& rows,
                   int64_t width, float* table) override {
    timed("sums of dense tables", s, [&] { backend_->add_to_rows(s, groups, rows, width, table); });
  }
  void add_squares(Stream& s, const float* x, int64_t count, double* sum) override {
    timed("norm", s, [&] { backend_->add_squares(s, x, count, sum); });
  }
  void decide_update(Stream& s, StepNumbers* numbers) override {
    timed("norm", s, [&] { backend_->decide_update(s, numbers); });
  }
  void adamw_step(Stream& s, const AdamwStep& p) override {
    timed("AdamW", s, [&] { backend_->adamw_step(s, p); });
  }

 private:
  struct Span {
    const char* name;
    cudaEvent_t begin, end;
  };

  /// The gradient of a table, timed.
  class Gradient final : public TableGradient {
   public:
    Gradient(StageTimer& timer, std::unique_ptr<TableGradient> gradient)
        : timer_(timer), gradient_(std::move(gradient)) {}
    void clear(Stream& s) override {
      timer_.timed("sums of growable tables", s, [&] { gradient_->clear(s); });
    }
    void reserve(Stream& s, const RowGroups& groups, bool is_first) override {
      gradient_->reserve(s, groups, is_first);
    }
    void add(Stream& s, const RowGroups& groups, const std::vector<GradientRows>& rows) override {
      timer_.timed("sums of growable tables", s, [&] { gradient_->add(s, groups, rows); });
    }
    void add_squares(Stream& s, double* sum) override {
      timer_.timed("norm", s, [&] { gradient_->add_squares(s, sum); });
    }
    void update(Stream& s, RowWiseAdagradStep p) override {
      timer_.timed("row-wise Adagrad", s, [&] { gradient_->update(s, p); });
    }
    Rows fetch(Stream& s) override { return gradient_->fetch(s); }
    int64_t bytes() const override { return gradient_->bytes(); }

   private:
    StageTimer& timer_;
    std::unique_ptr<TableGradient> gradient_;
  };

  /// A growable table whose lookups are timed.
  class Table final : public DeviceTable {
   public:
    Table(StageTimer& timer, std::unique_ptr<DeviceTable> table)
        : timer_(timer), table_(std::move(table)) {}
    void load(Stream& s, const Rows& rows, const std::vector<Pending>& pending) override {
      table_->load(s, rows, pending);
    }
    bool moves(int64_t num_ids) const override { return table_->moves(num_ids); }
    void reserve(Stream& s, int64_t num_ids) override { table_->reserve(s, num_ids); }
    void find(Stream& s, const int64_t* ids, const uint8_t* present, int64_t count, bool inserts,
              int32_t* rows) override {
      timer_.timed("ahead: lookup of ids", s,
                   [&] { table_->find(s, ids, present, count, inserts, rows); });
    }
    float* values() override { return table_->values(); }
    float* states() override { return table_->states(); }
    int64_t count_rows(Stream& s) override { return table_->count_rows(s); }
    int64_t most_rows() const override { return table_->most_rows(); }
    void fetch(Stream& s, const Rows& rows, std::vector<Pending>& pending) override {
      table_->fetch(s, rows, pending);
    }
    int64_t bytes() const override { return table_->bytes(); }

   private:
    StageTimer& timer_;
    std::unique_ptr<DeviceTable> table_;
  };

  template <class Work>
  void timed(const char* name, Stream& stream, const Work& work) {
    const cudaStream_t s = static_cast<CudaStream&>(stream).get();
    Span span = {name, nullptr, nullptr};
    check_cuda(cudaEventCreate(&span.begin), "create an event");
    check_cuda(cudaEventCreate(&span.end), "create an event");
    check_cuda(cudaEventRecord(span.begin, s), "record an event");
    work();
    check_cuda(cudaEventRecord(span.end, s), "record an event");
    spans_.push_back(span);
  }

  std::shared_ptr<Backend> backend_;
  std::vector<Span> spans_;
};

}  // namespace longer::bench
