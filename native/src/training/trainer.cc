#include "training/trainer.hpp"

#include <cmath>
#include <utility>

#include "core/live_count.hpp"
#include "longer/error.hpp"
#include "training/nonfinite.hpp"

namespace longer {
namespace {

bool is_decayed(ParameterKind kind) {
  return kind == ParameterKind::kLinearWeight || kind == ParameterKind::kResidualWeight;
}

/// What training starts from: the optimizer's state, or none yet.
std::unique_ptr<OptimizerState> started(std::unique_ptr<OptimizerState> optimizer,
                                        ModelState& state) {
  if (optimizer != nullptr) return optimizer;
  for (const auto& table : state.tables) {
    if (table != nullptr) table->reset_training();
  }
  return std::make_unique<OptimizerState>(state.layout.arena_size());
}

/// New rows start from the trainer's seed.
ModelState& seeded(ModelState& state, const TrainerOptions& options) {
  for (const auto& table : state.tables) {
    if (table != nullptr) table->set_seed(options.seed);
  }
  return state;
}

}  // namespace

Trainer::Trainer(const LongerModel& model, const TrainerOptions& options,
                 std::shared_ptr<Backend> backend)
    : Trainer(std::make_unique<ModelState>(model.state()), nullptr, options, std::move(backend)) {}

Trainer::Trainer(std::unique_ptr<ModelState> state, std::unique_ptr<OptimizerState> optimizer,
                 const TrainerOptions& options, std::shared_ptr<Backend> backend)
    : state_(std::move(state)),
      optimizer_(started(std::move(optimizer), *state_)),
      options_(options),
      backend_(std::move(backend)),
      stream_(backend_->make_stream()),
      ahead_(backend_->make_stream()),
      placed_(seeded(*state_, options), *backend_, *stream_),
      first_moment_(optimizer_->first_moment, backend_->memory()),
      second_moment_(optimizer_->second_moment, backend_->memory()),
      gradients_(state_->layout.arena_size(), backend_->memory()),
      table_gradients_(*state_, *backend_),
      memory_(backend_->memory()),
      constants_(backend_->memory()),
      numbers_(backend_->memory()) {
  check_options(options_);
  if (options_.precision == Precision::kBf16 && backend_->device().kind != DeviceKind::kCuda) {
    fail(Status::kUnsupported,
         "[trainer_options] precision bf16 needs a CUDA device; use fp32 on the CPU");
  }
  for (const Parameter& p : state_->layout.parameters()) {
    decay_ranges_.push_back({p.offset, p.offset + p.size(), is_decayed(p.kind)});
  }
  for (const TaskConfig& task : state_->config.tasks) task_weights_.push_back(task.weight);
  const Placement constants[] = {decay_ranges_.placement(), task_weights_.placement()};
  stream_->place(constants_, constants, 2);
  numbers_.reserve(1);
  gradient_views_ = bind_gradients(state_->config, state_->layout, gradients_.data());
  for (int i = 0; i < 2; ++i) staged_.push_back(make_batch());
  result_.step = optimizer_->step;
  count_bytes();
}

Trainer::~Trainer() { live_bytes().add(-counted_bytes_); }

int64_t Trainer::bytes() const {
  int64_t sum = state_->bytes() + placed_.bytes() + gradients_.bytes() +
                optimizer_->first_moment.bytes() + optimizer_->second_moment.bytes() +
                first_moment_.bytes() + second_moment_.bytes() + table_gradients_.bytes() +
                static_cast<int64_t>(memory_.capacity_bytes()) + stream_->scratch_bytes() +
                ahead_->scratch_bytes();
  if (prepared_ != nullptr) sum += prepared_->bytes();
  if (rounded_ != nullptr) sum += rounded_->bytes();
  for (const auto& batch : staged_) sum += batch->bytes();
  return sum;
}

int64_t Trainer::table_bytes() const { return placed_.table_bytes(); }

void Trainer::count_bytes() {
  const int64_t now = bytes();
  live_bytes().add(now - counted_bytes_);
  counted_bytes_ = now;
}

void Trainer::prepare_weights() {
  // Tables grow with every batch; linear maps are packed again after an update only.
  const ModelWeights bound =
      bind_weights(state_->config, state_->layout, placed_.dense(), placed_.table_views());
  if (is_prepared_) {
    weights_.event_encoder.tables = bound.event_encoder.tables;
    weights_.global_tokens.user_tables = bound.global_tokens.user_tables;
    weights_.global_tokens.candidate_tables = bound.global_tokens.candidate_tables;
    return;
  }
  weights_ = bound;
  backend_->prepare(weights_.linears(), PackFor::kTraining, prepared_);
  if (options_.precision == Precision::kBf16) {
    backend_->round_weights(*stream_, weights_.linears(), rounded_);
  }
  is_prepared_ = true;
}

void Trainer::run_forward(const PreparedBatch& batch, const Pass& pass, UserKeysValues& keys_values,
                          Activations& activations) {
  const Config& config = state_->config;
  allocate_keys_values(config, batch, memory_, keys_values, pass.precision);
  encode_user(config, weights_, *backend_, *stream_, memory_, batch, pass, keys_values,
              activations);
  score_candidates(config, weights_, *backend_, *stream_, memory_, batch, pass, keys_values,
                   activations);
}

void Trainer::name_dropout(TrainingBatch& batch) {
  DropoutPass& dropout = batch.dropout;
  dropout.probability = state_->config.dropout;
  dropout.key = dropout_key(options_.seed, optimizer_->step + 1);
  dropout.name_rows(batch.prepared, batch.candidate_offsets.data(), pending_.num_requests);
  batch.memory.release(batch.staged);
  dropout.place(*stream_, batch.memory);
}

void Trainer::step(const BatchView& batch) {
  accumulate(batch);
  apply();
}

void Trainer::step(TrainingBatch& batch) {
  accumulate(batch);
  apply();
}

void Trainer::accumulate(const BatchView& view) {
  validate(view);
  TrainingBatch& batch = *staged_[next_staged_];
  next_staged_ = 1 - next_staged_;
  try {
    make_ready(view, batch);
  } catch (...) {
    discard();
    throw;
  }
  accumulate(batch);
}

void Trainer::accumulate(TrainingBatch& batch) {
  try {
    // Dropout's key and names follow from the steps before.
    if (state_->config.dropout > 0) {
      settle();
      name_dropout(batch);
    }
    const bool is_first = pending_.count == 0;
    table_gradients_.reserve(*stream_, batch.groups, is_first);
    stream_->run(
        batch.recording,
        [&] {
          settle();
          stream_->wait_for(*ahead_);
          if (is_first) {
            const StepNumbers zeros;
            stream_->write(numbers_.data(), &zeros, sizeof(zeros));
          }
        },
        [&] { add_gradients(batch, is_first); });
    unsettled_batch_ = &batch;
    ++pending_.count;
    pending_.num_requests += batch.prepared.num_requests;
    pending_.num_events += batch.prepared.num_tokens();
    pending_.num_candidates += batch.prepared.num_candidates;
    if (backend_->memory().is_host()) settle();
    count_bytes();
  } catch (...) {
    discard();  // some gradients may have been added and others not
    throw;
  }
}

void Trainer::add_gradients(TrainingBatch& batch, bool is_first) {
  const Config& config = state_->config;
  if (is_first) {
    stream_->zero(gradients_.data(), gradients_.size());
    table_gradients_.clear(*stream_);
  }
  prepare_weights();
  WorkspaceScope scope(memory_);
  Pass pass = PassKind::kTraining;
  pass.recomputation = options_.recomputation;
  pass.precision = options_.precision;
  if (config.dropout > 0) pass.dropout = &batch.dropout;
  run_forward(batch.prepared, pass, batch.keys_values, batch.activations);
  const ConstMatrixView logits = batch.activations.head.logits;
  const MatrixView d_logits = memory_.matrix(logits.rows, logits.cols);
  backend_->binary_cross_entropy(
      *stream_,
      {logits, batch.labels.placed(), batch.weights.empty() ? nullptr : batch.weights.placed(),
       task_weights_.placed(), d_logits, numbers_.data()});
  backward(config, weights_, *backend_, *stream_, memory_, batch.prepared, batch.keys_values,
           batch.activations, d_logits, gradient_views_, batch.inputs);
  table_gradients_.add(*stream_, memory_, batch.prepared, batch.groups, batch.inputs,
                       gradients_.data());
}

void Trainer::discard() {
  unsettled_batch_ = nullptr;
  if (!has_unsettled_step_) applied_ = {};
  pending_ = {};
}

double Trainer::compute_gradients(const BatchView& batch) {
  if (pending_.count > 0) {
    fail(Status::kInvalidState, "[trainer] ", pending_.count,
         " accumulated batches wait for their optimizer step; gradients would mix with them");
  }
  accumulate(batch);
  settle();
  report(pending_);
  pending_ = {};  // the gradients stay until the next batch
  return result_.loss;
}

UpdateRates Trainer::update_rates() const {
  const int64_t step = optimizer_->step + 1;
  const double factor = learning_rate_factor(options_, step);
  const AdamwRates dense = {options_.learning_rate * factor, options_.beta1, options_.beta2,
                            options_.epsilon, options_.weight_decay};
  UpdateRates rates;
  rates.decayed = adamw_coefficients(dense, step, true);
  rates.plain = adamw_coefficients(dense, step, false);
  rates.table_learning_rate = static_cast<float>(options_.table_learning_rate * factor);
  rates.table_epsilon = static_cast<float>(options_.table_epsilon);
  rates.clip_norm = options_.clip_norm;
  return rates;
}

void Trainer::update() {
  StepNumbers* numbers = numbers_.data();
  backend_->add_squares(*stream_, gradients_.data(), gradients_.size(), &numbers->squares);
  table_gradients_.add_squares(*stream_, &numbers->squares);
  backend_->decide_update(*stream_, numbers);
  AdamwStep dense;
  dense.weights = placed_.dense();
  dense.gradients = gradients_.data();
  dense.first_moment = first_moment_.data();
  dense.second_moment = second_moment_.data();
  dense.ranges = decay_ranges_.placed();
  dense.num_ranges = static_cast<int64_t>(decay_ranges_.size());
  dense.numbers = numbers;
  backend_->adamw_step(*stream_, dense);
  table_gradients_.update(*stream_, placed_, numbers);
}

void Trainer::apply() {
  if (pending_.count == 0) {
    fail(Status::kInvalidState, "[trainer] no batch was accumulated since the last optimizer step");
  }
  const UpdateRates rates = update_rates();
  stream_->run(
      update_recording_, [&] { stream_->write(&numbers_.data()->rates, &rates, sizeof(rates)); },
      [&] { update(); });
  applied_ = std::exchange(pending_, {});
  has_unsettled_step_ = true;
  is_host_behind_ = !backend_->memory().is_host();
  is_prepared_ = false;
  if (backend_->memory().is_host() || options_.nonfinite == OnNonfinite::kFail) settle();
}

/// Waits for what was enqueued and looks at it, before anything else may change what it left.
void Trainer::settle() const {
  if (unsettled_batch_ == nullptr && !has_unsettled_step_) return;
  stream_->read(&read_, numbers_.data(), sizeof(read_));
  TrainingBatch* batch = std::exchange(unsettled_batch_, nullptr);
  const bool is_step = std::exchange(has_unsettled_step_, false);
  Batches& batches = is_step ? applied_ : pending_;
  if (batch != nullptr) {
    if (batch == last_staged_) count_new_rows();
    batches.new_table_rows += std::exchange(batch->new_table_rows, 0);
    if (!std::isfinite(read_.loss) && batches.nonfinite.empty()) {
      batches.nonfinite =
          first_nonfinite_value(state(), batch->prepared, batch->activations, *stream_);
    }
  }
  if (!is_step) return;
  report(applied_);
  result_.gradient_norm = read_.gradient_norm;
  result_.is_skipped = read_.is_skipped != 0;
  result_.nonfinite = applied_.nonfinite;
  if (result_.is_skipped) return refuse();
  ++optimizer_->step;
  result_.learning_rate = options_.learning_rate * learning_rate_factor(options_, optimizer_->step);
  result_.step = optimizer_->step;
}

void Trainer::report(const Batches& batches) const {
  result_.loss = read_.weight > 0 ? read_.loss / read_.weight : read_.loss;
  result_.weight = read_.weight;
  result_.num_requests = batches.num_requests;
  result_.num_events = batches.num_events;
  result_.num_candidates = batches.num_candidates;
  result_.new_table_rows = batches.new_table_rows;
}

void Trainer::refuse() const {
  if (result_.nonfinite.empty()) result_.nonfinite = first_nonfinite_gradient(*this);
  if (result_.nonfinite.empty()) result_.nonfinite = "the gradients' norm overflows";
  if (options_.nonfinite == OnNonfinite::kSkip) return;
  fail(Status::kInvalidState, "[trainer] step ", optimizer_->step + 1,
       " is not finite: ", result_.nonfinite, "; no weight was changed");
}

const StepResult& Trainer::result() const {
  settle();
  return result_;
}

const float* Trainer::gradient(std::string_view name) const {
  const Parameter& p = state_->layout.get(name);
  return stream_->fetch({gradients_.data() + p.offset, 1, p.size()}, fetched_gradient_).data;
}

TableGradient::Rows Trainer::table_gradient(int64_t table) const {
  return table_gradients_.of(table).fetch(*stream_);
}

void Trainer::fetch_trained() const {
  settle();
  if (!is_host_behind_) return;
  stream_->synchronize();
  ahead_->synchronize();
  placed_.fetch(*ahead_);
  first_moment_.fetch();
  second_moment_.fetch();
  is_host_behind_ = false;
}

const ModelState& Trainer::state() const {
  fetch_trained();
  return *state_;
}

const OptimizerState& Trainer::optimizer() const {
  fetch_trained();
  return *optimizer_;
}

void Trainer::predict(const BatchView& view, float* scores) {
  validate_batch(state_->config, view);
  settle();
  WorkspaceScope scope(memory_);
  stream_->wait_for(*ahead_);
  place(view, predicted_, *stream_, memory_, false);
  prepare_weights();
  UserKeysValues keys_values;
  Activations activations;
  Pass pass = PassKind::kInference;
  pass.precision = options_.precision;
  run_forward(predicted_, pass, keys_values, activations);
  sigmoid_scores(state_->config, stream_->fetch(activations.head.logits, fetched_), scores);
}

std::shared_ptr<const LongerModel> Trainer::snapshot() const {
  return std::make_shared<const LongerModel>(std::make_unique<ModelState>(state()), backend_);
}

}  // namespace longer
