#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/growing_array.hpp"
#include "core/placed_floats.hpp"
#include "longer/batch.hpp"
#include "model/forward.hpp"
#include "model/longer_model.hpp"
#include "model/optimizer_state.hpp"
#include "model/placed_state.hpp"
#include "training/table_gradients.hpp"
#include "training/trainer_options.hpp"
#include "training/training_batch.hpp"

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

/// Trains one model: forward, backward, clip, AdamW on dense parameters and row-wise Adagrad on
/// growable tables (LONGER §3.6), over one or several batches a step. Owns its parameters. One
/// thread at a time; the same bits for any number of CPU threads.
///
/// On a device, a step is enqueued: the call returns while it runs, and the next batch is made
/// ready meanwhile. Whatever hands out a result waits for it first.
class Trainer {
 public:
  Trainer(const LongerModel& model, const TrainerOptions& options,
          std::shared_ptr<Backend> backend);
  Trainer(std::unique_ptr<ModelState> state, std::unique_ptr<OptimizerState> optimizer,
          const TrainerOptions& options, std::shared_ptr<Backend> backend);
  ~Trainer();

  /// A batch for `stage`; it outlives the trainer's next call, and the next step when it was
  /// trained on.
  std::unique_ptr<TrainingBatch> make_batch() const;
  /// Makes a batch ready: validates it, gives new ids their rows, copies it to where it is read.
  /// Throws InvalidArgument.
  void stage(const BatchView& view, TrainingBatch& batch);

  /// One optimizer step on one batch: accumulate, then apply.
  void step(const BatchView& batch);
  /// Adds the gradients of one of several batches of an optimizer step. A batch that is refused
  /// with InvalidArgument leaves what was added before; after any other failure nothing is left of
  /// it.
  void accumulate(const BatchView& batch);
  /// As the others, of a staged batch, as often as wanted.
  void step(TrainingBatch& batch);
  void accumulate(TrainingBatch& batch);
  /// One optimizer step over all batches accumulated since the last one; the loss is normalised
  /// over all of them. A step whose loss or gradients are not finite changes no weight and says so
  /// in its result or, if the options say so, throws InvalidState naming step and value (for which
  /// the call waits for the step). Throws InvalidState when there is no batch.
  void apply();
  /// Forgets the accumulated batches; table rows and counts that their ids got stay.
  void discard();
  int64_t num_accumulated() const { return pending_.count; }
  /// Of the last optimizer step, once it is done.
  const StepResult& result() const;

  /// Loss and gradients of a batch, without an update, dropout as in the next step; the gradients
  /// stay readable until the next call. Throws InvalidState between accumulate and apply.
  double compute_gradients(const BatchView& batch);
  /// Gradient of a dense parameter, `size()` elements on the host, valid until the next call.
  /// Throws InvalidArgument for an unknown name.
  const float* gradient(std::string_view name) const;
  /// The deduplicated gradient of a growable table, valid until the next call.
  TableGradient::Rows table_gradient(int64_t table) const;

  /// Probabilities [tasks, ΣC] with the present weights.
  void predict(const BatchView& batch, float* scores);

  /// A snapshot of the present weights.
  std::shared_ptr<const LongerModel> snapshot() const;

  /// Host copies of what is trained, brought up to date by the call.
  const ModelState& state() const;
  const OptimizerState& optimizer() const;
  const TrainerOptions& options() const { return options_; }
  /// Where steps are enqueued.
  Stream& stream() { return *stream_; }
  /// Of growable tables and their optimizer state, where they are trained.
  int64_t table_bytes() const;
  int64_t bytes() const;

 private:
  /// What the batches of an optimizer step came to so far.
  struct Batches {
    int64_t count = 0;
    int64_t num_requests = 0, num_events = 0, num_candidates = 0, new_table_rows = 0;
    std::string nonfinite;
  };

  void validate(const BatchView& view) const;
  void make_ready(const BatchView& view, TrainingBatch& batch);
  /// Prepares a batch and looks its ids up; with `inserts` new ones get rows.
  void place(const BatchView& view, PreparedBatch& batch, Stream& stream, Workspace& memory,
             bool inserts);
  int64_t num_table_rows() const;
  void count_new_rows() const;
  void prepare_weights();
  void fetch_trained() const;
  void run_forward(const PreparedBatch& batch, const Pass& pass, UserKeysValues& keys_values,
                   Activations& activations);
  void name_dropout(TrainingBatch& batch);
  void add_gradients(TrainingBatch& batch, bool is_first);
  UpdateRates update_rates() const;
  void update();
  void settle() const;
  void report(const Batches& batches) const;
  void refuse() const;
  void count_bytes();

  std::unique_ptr<ModelState> state_;
  std::unique_ptr<OptimizerState> optimizer_;
  TrainerOptions options_;
  std::shared_ptr<Backend> backend_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Stream> ahead_;  // makes batches ready

  mutable PlacedState placed_;
  mutable PlacedFloats first_moment_, second_moment_;
  mutable bool is_host_behind_ = false;          // state_ and optimizer_ await a fetch
  mutable std::vector<float> fetched_gradient_;  // by gradient
  AlignedBuffer gradients_;
  TableGradients table_gradients_;
  ModelWeights weights_;
  ModelGradients gradient_views_;
  std::unique_ptr<PreparedLinears> prepared_;
  std::unique_ptr<PreparedLinears> rounded_;  // under bf16
  bool is_prepared_ = false;

  Workspace memory_;     // of a pass
  Workspace constants_;  // as long as the trainer
  GrowingArray<StepNumbers> numbers_;
  PlacedArray<DecayRange> decay_ranges_;
  PlacedArray<double> task_weights_;
  std::vector<std::unique_ptr<TrainingBatch>> staged_;  // of the calls that take a view, in turn
  size_t next_staged_ = 0;
  PreparedBatch predicted_;
  std::vector<float> fetched_;  // logits of predict
  std::unique_ptr<Recording> update_recording_;

  mutable Batches pending_;                       // of the next optimizer step
  mutable TrainingBatch* last_staged_ = nullptr;  // until its new rows are counted
  int64_t rows_before_staged_ = 0;
  // What was enqueued and not looked at yet:
  mutable TrainingBatch* unsettled_batch_ = nullptr;
  mutable bool has_unsettled_step_ = false;
  mutable Batches applied_;  // of the step before, or of compute_gradients
  mutable StepNumbers read_;
  mutable StepResult result_;
  int64_t counted_bytes_ = 0;
};

}  // namespace longer
