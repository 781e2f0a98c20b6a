#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "ops/backend.hpp"

namespace longer::testing {

/// Rows that one call of a layer computed.
struct LayerWork {
  int64_t keys_values = 0;
  int64_t queries = 0;
  bool operator==(const LayerWork& other) const {
    return keys_values == other.keys_values && queries == other.queries;
  }
};

inline std::ostream& operator<<(std::ostream& out, const LayerWork& work) {
  return out << work.keys_values << " keys, " << work.queries << " queries";
}

/// Another backend that counts what its forward passes are asked for. One thread at a time.
class CountingBackend : public Backend {
 public:
  explicit CountingBackend(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}

  void forget() {
    events = 0;
    groups = 0;
    layers.clear();
  }

  int64_t events = 0;
  int64_t groups = 0;
  std::vector<LayerWork> layers;  // calls in order

  Device device() const override { return backend_->device(); }
  Memory& memory() override { return backend_->memory(); }
  std::unique_ptr<Stream> make_stream() override { return backend_->make_stream(); }
  void prepare(const std::vector<LinearWeights*>& linears, PackFor purpose,
               std::unique_ptr<PreparedLinears>& prepared) override {
    backend_->prepare(linears, purpose, prepared);
  }
  void round_weights(Stream& stream, const std::vector<LinearWeights*>& linears,
                     std::unique_ptr<PreparedLinears>& prepared) override {
    backend_->round_weights(stream, linears, prepared);
  }
  void event_encoder_forward(Stream& stream, const EventEncoderForward& p) override {
    events += p.tokens.num_events;
    groups += p.tokens.num_groups;
    backend_->event_encoder_forward(stream, p);
  }
  void event_encoder_backward(Stream& stream, const EventEncoderBackward& p) override {
    backend_->event_encoder_backward(stream, p);
  }
  void global_tokens_forward(Stream& stream, const GlobalTokensForward& p) override {
    backend_->global_tokens_forward(stream, p);
  }
  void global_tokens_backward(Stream& stream, const GlobalTokensBackward& p) override {
    backend_->global_tokens_backward(stream, p);
  }
  void transformer_layer_forward(Stream& stream, const TransformerLayerForward& p) override {
    layers.push_back({p.kv_sink.rows, p.shape.num_query_rows});
    backend_->transformer_layer_forward(stream, p);
  }
  void transformer_layer_backward(Stream& stream, const TransformerLayerBackward& p) override {
    backend_->transformer_layer_backward(stream, p);
  }
  void transformer_layer_probabilities(Stream& stream, const TransformerLayerForward& p,
                                       int64_t span, int64_t query_row,
                                       float* probabilities) override {
    backend_->transformer_layer_probabilities(stream, p, span, query_row, probabilities);
  }
  void learned_queries_forward(Stream& stream, const LearnedQueriesForward& p) override {
    backend_->learned_queries_forward(stream, p);
  }
  void learned_queries_backward(Stream& stream, const LearnedQueriesBackward& p) override {
    backend_->learned_queries_backward(stream, p);
  }
  void history_head_forward(Stream& stream, const HistoryHeadForward& p) override {
    backend_->history_head_forward(stream, p);
  }
  void history_head_backward(Stream& stream, const HistoryHeadBackward& p) override {
    backend_->history_head_backward(stream, p);
  }
  void prediction_head_forward(Stream& stream, const PredictionHeadForward& p) override {
    backend_->prediction_head_forward(stream, p);
  }
  void prediction_head_backward(Stream& stream, const PredictionHeadBackward& p) override {
    backend_->prediction_head_backward(stream, p);
  }
  void binary_cross_entropy(Stream& stream, const BinaryCrossEntropy& p) override {
    backend_->binary_cross_entropy(stream, p);
  }
  void spread_mean_gradient(Stream& stream, const FeatureValues& values, ConstMatrixView d_input,
                            MatrixView d_rows) override {
    backend_->spread_mean_gradient(stream, values, d_input, d_rows);
  }
  std::unique_ptr<DeviceTable> make_device_table(const DeviceTableRules& rules) override {
    return backend_->make_device_table(rules);
  }
  void group_rows(Stream& stream, const std::vector<RowSource>& sources, int64_t num_table_rows,
                  std::unique_ptr<RowGroups>& grouped) override {
    backend_->group_rows(stream, sources, num_table_rows, grouped);
  }
  std::unique_ptr<TableGradient> make_table_gradient(int64_t width) override {
    return backend_->make_table_gradient(width);
  }
  void add_to_rows(Stream& stream, const RowGroups& grouped, const std::vector<GradientRows>& rows,
                   int64_t width, float* table) override {
    backend_->add_to_rows(stream, grouped, rows, width, table);
  }
  void add_squares(Stream& stream, const float* x, int64_t count, double* sum) override {
    backend_->add_squares(stream, x, count, sum);
  }
  void decide_update(Stream& stream, StepNumbers* numbers) override {
    backend_->decide_update(stream, numbers);
  }
  void adamw_step(Stream& stream, const AdamwStep& p) override { backend_->adamw_step(stream, p); }

 private:
  std::shared_ptr<Backend> backend_;
};

}  // namespace longer::testing
