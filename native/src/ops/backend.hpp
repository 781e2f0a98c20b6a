#pragma once
#include <memory>
#include <string>
#include <vector>

#include "longer/device.hpp"
#include "ops/device_table/device_table.hpp"
#include "ops/event_encoder/event_encoder.hpp"
#include "ops/global_tokens/global_tokens.hpp"
#include "ops/learned_queries/learned_queries.hpp"
#include "ops/optimizer/optimizer.hpp"
#include "ops/prediction_head/prediction_head.hpp"
#include "ops/segment_sum/table_gradient.hpp"
#include "ops/stream.hpp"
#include "ops/transformer_layer/transformer_layer.hpp"

namespace longer {

/// Weights of linear maps in the form a backend computes with.
class PreparedLinears {
 public:
  virtual ~PreparedLinears() = default;
  virtual int64_t bytes() const = 0;
};

/// What a device must be able to do: one method per stage of the model, cut at the widest fusion
/// that a backend needs (native/docs/architecture.md, "The seam"). A backend that lacks a stage
/// does not compile.
///
/// All pointers in the parameter structs are memory of the backend unless they say otherwise;
/// nothing is read back to the host. Thread-safe: a backend
/// has no state of a call; streams are one thread at a time.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual Device device() const = 0;
  /// Where weights, gradients, and what passes between stages lie.
  virtual Memory& memory() = 0;
  virtual std::unique_ptr<Stream> make_stream() = 0;

  /// (Re)builds the prepared form of `linears` and points their `packed` at it; reuses the memory
  /// in `prepared`.
  virtual void prepare(const std::vector<LinearWeights*>& linears, PackFor purpose,
                       std::unique_ptr<PreparedLinears>& prepared) = 0;
  /// (Re)rounds the weights of `linears`, which lie in one arena, to bf16 and points their `half`
  /// at it; enqueued. Throws Unsupported where no stage takes bf16.
  virtual void round_weights(Stream& stream, const std::vector<LinearWeights*>& linears,
                             std::unique_ptr<PreparedLinears>& prepared) = 0;

  virtual void event_encoder_forward(Stream& stream, const EventEncoderForward& p) = 0;
  virtual void event_encoder_backward(Stream& stream, const EventEncoderBackward& p) = 0;
  virtual void global_tokens_forward(Stream& stream, const GlobalTokensForward& p) = 0;
  virtual void global_tokens_backward(Stream& stream, const GlobalTokensBackward& p) = 0;
  virtual void transformer_layer_forward(Stream& stream, const TransformerLayerForward& p) = 0;
  virtual void transformer_layer_backward(Stream& stream, const TransformerLayerBackward& p) = 0;
  /// Attention of one query row over its span's keys (prefix, then own), mean over heads, from what
  /// a forward call saved.
  virtual void transformer_layer_probabilities(Stream& stream, const TransformerLayerForward& p,
                                               int64_t span, int64_t query_row,
                                               float* probabilities) = 0;
  virtual void learned_queries_forward(Stream& stream, const LearnedQueriesForward& p) = 0;
  virtual void learned_queries_backward(Stream& stream, const LearnedQueriesBackward& p) = 0;
  virtual void history_head_forward(Stream& stream, const HistoryHeadForward& p) = 0;
  virtual void history_head_backward(Stream& stream, const HistoryHeadBackward& p) = 0;
  virtual void prediction_head_forward(Stream& stream, const PredictionHeadForward& p) = 0;
  virtual void prediction_head_backward(Stream& stream, const PredictionHeadBackward& p) = 0;
  virtual void binary_cross_entropy(Stream& stream, const BinaryCrossEntropy& p) = 0;

  // What an optimizer step does beside the stages.
  virtual void spread_mean_gradient(Stream& stream, const FeatureValues& values,
                                    ConstMatrixView d_input, MatrixView d_rows) = 0;
  /// A growable table, empty, where it is trained; null where the host's own is.
  virtual std::unique_ptr<DeviceTable> make_device_table(const DeviceTableRules& rules) = 0;
  /// Groups the gradient rows of one batch by table row, which are below `num_table_rows`; reuses
  /// the memory in `groups`, made when null. Needs the rows, not the gradients: it may run ahead.
  virtual void group_rows(Stream& stream, const std::vector<RowSource>& sources,
                          int64_t num_table_rows, std::unique_ptr<RowGroups>& groups) = 0;
  virtual std::unique_ptr<TableGradient> make_table_gradient(int64_t width) = 0;
  /// Adds a batch's gradient rows (one entry per source) to the rows of a dense `table` [·, width],
  /// summed as a TableGradient sums them.
  virtual void add_to_rows(Stream& stream, const RowGroups& groups,
                           const std::vector<GradientRows>& rows, int64_t width, float* table) = 0;
  /// *sum += Σ x².
  virtual void add_squares(Stream& stream, const float* x, int64_t count, double* sum) = 0;
  virtual void decide_update(Stream& stream, StepNumbers* numbers) = 0;
  virtual void adamw_step(Stream& stream, const AdamwStep& p) = 0;
};

/// The CPU backend; threads as `device` says.
std::shared_ptr<Backend> make_cpu_backend(const Device& device);
/// The CUDA backend. Throws Unsupported in a build without CUDA and DeviceError on a machine
/// without a driver or a GPU; both name the remedy.
std::shared_ptr<Backend> make_cuda_backend(const Device& device);
std::shared_ptr<Backend> make_backend(const Device& device);
/// Whether this library was compiled with the CUDA backend, how many devices it can use (those
/// before the first that it cannot), and which they are or why there is none, in words.
struct CudaStatus {
  bool compiled = false;
  int num_devices = 0;
  std::string detail;
};
CudaStatus cuda_status();

}  // namespace longer
