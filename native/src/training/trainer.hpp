#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "embedding/segment_sum.hpp"
#include "longer/batch.hpp"
#include "model/forward.hpp"
#include "model/longer_model.hpp"
#include "model/optimizer_state.hpp"
#include "ops/optimizer/optimizer.hpp"

namespace longer {

/// Optimizer settings (native/docs/model.md, "Optimizer"). Field for field `longer_trainer_options`
/// of the C ABI.
struct TrainerOptions {
  double learning_rate = 1e-3;
  double table_learning_rate = 0.05;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  double table_epsilon = 1e-8;
  double clip_norm = 1.0;
  int64_t warmup_steps = 0;
  int64_t decay_steps = 0;
  double decay_floor = 0.0;
  uint64_t seed = 0;
};

/// Figures of one step. Field for field `longer_step_result` of the C ABI.
struct StepResult {
  int64_t step = 0;
  double loss = 0;
  double weight = 0;
  double gradient_norm = 0;
  double learning_rate = 0;
  bool is_skipped = false;
  int64_t num_requests = 0;
  int64_t num_events = 0;
  int64_t num_candidates = 0;
  int64_t new_table_rows = 0;
};

/// The deduplicated gradient of one growable table.
struct TableGradient {
  const std::vector<int32_t>* rows = nullptr;
  const std::vector<float>* sums = nullptr;
};

/// Trains one model: forward, backward, clip, AdamW on dense parameters and row-wise Adagrad on
/// growable tables (LONGER §3.6). Owns its parameters. One thread at a time; the same bits for any
/// number of CPU threads.
class Trainer {
 public:
  Trainer(const LongerModel& model, const TrainerOptions& options,
          std::shared_ptr<Backend> backend);
  Trainer(std::unique_ptr<ModelState> state, std::unique_ptr<OptimizerState> optimizer,
          const TrainerOptions& options, std::shared_ptr<Backend> backend);
  ~Trainer();

  /// One optimizer step. A step whose loss or gradients are not finite changes no weight and says
  /// so in its result.
  void step(const BatchView& batch);
  const StepResult& result() const { return result_; }

  /// Loss and gradients of a batch, without an update; the gradients stay readable until the next
  /// call.
  double compute_gradients(const BatchView& batch);
  /// Gradient of a dense parameter, `size()` elements. Throws InvalidArgument for an unknown name.
  const float* gradient(std::string_view name) const;
  TableGradient table_gradient(int64_t table) const;

  /// Probabilities [tasks, ΣC] with the present weights.
  void predict(const BatchView& batch, float* scores);

  /// A snapshot of the present weights.
  std::shared_ptr<const LongerModel> snapshot() const;

  const ModelState& state() const { return *state_; }
  const OptimizerState& optimizer() const { return *optimizer_; }
  const TrainerOptions& options() const { return options_; }
  int64_t bytes() const;

 private:
  void prepare_weights();
  void run_forward(PassKind kind);
  void accumulate_table_gradients();
  double learning_rate_factor(int64_t step) const;
  double gradient_norm() const;
  void update(double gradient_scale, double factor);
  void count_bytes();

  std::unique_ptr<ModelState> state_;
  std::unique_ptr<OptimizerState> optimizer_;
  TrainerOptions options_;
  std::shared_ptr<Backend> backend_;
  std::unique_ptr<Stream> stream_;
  ThreadPool* pool_;  // of the CPU stream

  AlignedBuffer gradients_;
  std::vector<DecayRange> decay_ranges_;
  ModelWeights weights_;
  ModelGradients gradient_views_;
  std::unique_ptr<PreparedLinears> prepared_;
  bool is_prepared_ = false;

  Workspace memory_;
  PreparedBatch batch_;
  UserKeysValues keys_values_;
  Activations activations_;
  InputGradients inputs_;
  std::vector<SegmentSum> table_sums_;  // one per configured table
  SegmentSum position_sums_;
  std::vector<double> task_weights_;
  StepResult result_;
  int64_t counted_bytes_ = 0;
};

}  // namespace longer
