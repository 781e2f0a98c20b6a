#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/growing_floats.hpp"
#include "core/placed_floats.hpp"
#include "embedding/segment_index.hpp"
#include "longer/batch.hpp"
#include "model/forward.hpp"
#include "model/longer_model.hpp"
#include "model/optimizer_state.hpp"
#include "ops/optimizer/optimizer.hpp"
#include "training/trainer_options.hpp"

namespace longer {

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
  std::string nonfinite;  // of a skipped step: the first value that was not finite, in words
};

/// The deduplicated gradient of one growable table, on the host: row i of `sums` is that of table
/// row (*rows)[i].
struct TableGradient {
  const std::vector<int32_t>* rows = nullptr;
  ConstMatrixView sums;
};

/// Trains one model: forward, backward, clip, AdamW on dense parameters and row-wise Adagrad on
/// growable tables (LONGER §3.6), over one or several batches a step. Owns its parameters. One
/// thread at a time; the same bits for any number of CPU threads.
class Trainer {
 public:
  Trainer(const LongerModel& model, const TrainerOptions& options,
          std::shared_ptr<Backend> backend);
  Trainer(std::unique_ptr<ModelState> state, std::unique_ptr<OptimizerState> optimizer,
          const TrainerOptions& options, std::shared_ptr<Backend> backend);
  ~Trainer();

  /// One optimizer step on one batch: accumulate, then apply.
  void step(const BatchView& batch);
  /// Adds the gradients of one of several batches of an optimizer step. A batch that is refused
  /// with InvalidArgument leaves what was added before; after any other failure nothing is left of
  /// it.
  void accumulate(const BatchView& batch);
  /// One optimizer step over all batches accumulated since the last one; the loss is normalised
  /// over all of them. A step whose loss or gradients are not finite changes no weight and says so
  /// in its result or, if the options say so, throws InvalidState naming step and value. Throws
  /// InvalidState when there is no batch.
  void apply();
  /// Forgets the accumulated batches; table rows and counts that their ids got stay.
  void discard();
  int64_t num_accumulated() const { return pending_.num_batches; }
  const StepResult& result() const { return result_; }

  /// Loss and gradients of a batch, without an update, dropout as in the next step; the gradients
  /// stay readable until the next call. Throws InvalidState between accumulate and apply.
  double compute_gradients(const BatchView& batch);
  /// Gradient of a dense parameter, `size()` elements on the host, valid until the next call.
  /// Throws InvalidArgument for an unknown name.
  const float* gradient(std::string_view name) const;
  TableGradient table_gradient(int64_t table) const;

  /// Probabilities [tasks, ΣC] with the present weights.
  void predict(const BatchView& batch, float* scores);

  /// A snapshot of the present weights.
  std::shared_ptr<const LongerModel> snapshot() const;

  /// Host copies of what is trained, brought up to date by the call.
  const ModelState& state() const;
  const OptimizerState& optimizer() const;
  const TrainerOptions& options() const { return options_; }
  int64_t bytes() const;

 private:
  /// What the batches of the next optimizer step came to so far.
  struct Pending {
    int64_t num_batches = 0;
    double loss = 0, weight = 0;  // Σ w·t·bce, Σ w·t
    double unit = 0;              // gradients are those of the loss sum / unit; 0 = not set yet
    int64_t num_requests = 0, num_events = 0, num_candidates = 0, new_table_rows = 0;
    std::string nonfinite;
  };

  /// What the batches of an optimizer step send to one table.
  struct TableSums {
    explicit TableSums(Memory& memory) : sums(memory) {}
    SegmentIndex index;
    GrowingFloats sums;  // [rows of the index, width]
  };

  void prepare_weights();
  void add_table_gradients(TableSums& target, const std::vector<GradientSource>& sources,
                           int64_t width, int64_t num_table_rows);
  void fetch_trained() const;
  void run_forward(const Pass& pass);
  Pass training_pass(const BatchView& batch);
  void add_gradients(const BatchView& batch);
  void accumulate_table_gradients();
  void report_pending();
  void refuse();
  double gradient_norm();
  void update(double gradient_scale, double factor);
  void count_bytes();

  std::unique_ptr<ModelState> state_;
  std::unique_ptr<OptimizerState> optimizer_;
  TrainerOptions options_;
  std::shared_ptr<Backend> backend_;
  std::unique_ptr<Stream> stream_;

  mutable PlacedState placed_;
  mutable PlacedFloats first_moment_, second_moment_;
  mutable bool is_host_behind_ = false;          // state_ and optimizer_ await a fetch
  mutable std::vector<float> fetched_gradient_;  // by gradient and table_gradient
  AlignedBuffer gradients_;
  std::vector<DecayRange> decay_ranges_;
  ModelWeights weights_;
  ModelGradients gradient_views_;
  std::unique_ptr<PreparedLinears> prepared_;
  std::unique_ptr<PreparedLinears> rounded_;  // under bf16
  bool is_prepared_ = false;

  Workspace memory_;
  std::vector<float> fetched_;  // what the host reads of a pass
  PreparedBatch batch_;
  UserKeysValues keys_values_;
  Activations activations_;
  InputGradients inputs_;
  std::vector<TableSums> table_sums_;  // one per configured table
  TableSums dense_sums_;               // of dense tables, one after the other
  DropoutPass dropout_;
  Pending pending_;
  std::vector<double> task_weights_;
  StepResult result_;
  int64_t counted_bytes_ = 0;
};

}  // namespace longer
