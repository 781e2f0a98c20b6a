#include "training/trainer.hpp"

#include <algorithm>
#include <cmath>

#include "core/live_count.hpp"
#include "longer/error.hpp"
#include "training/nonfinite.hpp"

namespace longer {
namespace {

/// Looks ids up and gives new ids rows: training only.
class InsertingLookup final : public RowLookup {
 public:
  explicit InsertingLookup(ModelState& state) : state_(state) {}
  void rows(int64_t table, const int64_t* ids, int64_t count, int32_t* rows) override {
    const auto t = static_cast<size_t>(table);
    if (state_.tables[t] != nullptr) {
      state_.tables[t]->find_or_insert(ids, count, rows);
    } else {
      dense_table_rows(state_.config.tables[t].rows, ids, count, rows);
    }
  }

 private:
  ModelState& state_;
};

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
      placed_(*state_, backend_->memory()),
      first_moment_(optimizer_->first_moment, backend_->memory()),
      second_moment_(optimizer_->second_moment, backend_->memory()),
      gradients_(state_->layout.arena_size(), backend_->memory()),
      memory_(backend_->memory()),
      dense_sums_(backend_->memory()) {
  check_options(options_);
  if (options_.precision == Precision::kBf16 && backend_->device().kind != DeviceKind::kCuda) {
    fail(Status::kUnsupported,
         "[trainer_options] precision bf16 needs a CUDA device; use fp32 on the CPU");
  }
  for (size_t t = 0; t < state_->config.tables.size(); ++t)
    table_sums_.emplace_back(backend_->memory());
  for (const Parameter& p : state_->layout.parameters()) {
    decay_ranges_.push_back({p.offset, p.offset + p.size(), is_decayed(p.kind)});
  }
  for (const auto& table : state_->tables) {
    if (table != nullptr) table->set_seed(options_.seed);
  }
  for (const TaskConfig& task : state_->config.tasks) task_weights_.push_back(task.weight);
  gradient_views_ = bind_gradients(state_->config, state_->layout, gradients_.data());
  result_.step = optimizer_->step;
  count_bytes();
}

Trainer::~Trainer() { live_bytes().add(-counted_bytes_); }

int64_t Trainer::bytes() const {
  int64_t sum = state_->bytes() + placed_.bytes() + gradients_.bytes() +
                optimizer_->first_moment.bytes() + optimizer_->second_moment.bytes() +
                first_moment_.bytes() + second_moment_.bytes() +
                static_cast<int64_t>(memory_.capacity_bytes()) + stream_->scratch_bytes();
  if (prepared_ != nullptr) sum += prepared_->bytes();
  if (rounded_ != nullptr) sum += rounded_->bytes();
  for (const TableSums& sums : table_sums_) sum += sums.index.bytes() + sums.sums.bytes();
  return sum + dense_sums_.index.bytes() + dense_sums_.sums.bytes();
}

void Trainer::count_bytes() {
  const int64_t now = bytes();
  live_bytes().add(now - counted_bytes_);
  counted_bytes_ = now;
}

void Trainer::prepare_weights() {
  // Tables grow with every batch; linear maps are packed again after an update only.
  if (placed_.lacks_rows()) {
    stream_->synchronize();
    placed_.add_rows();
  }
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

void Trainer::run_forward(const Pass& pass) {
  const Config& config = state_->config;
  batch_.place(*stream_, memory_);
  allocate_keys_values(config, batch_, memory_, keys_values_, pass.precision);
  encode_user(config, weights_, *backend_, *stream_, memory_, batch_, pass, keys_values_,
              activations_);
  score_candidates(config, weights_, *backend_, *stream_, memory_, batch_, pass, keys_values_,
                   activations_);
}

Pass Trainer::training_pass(const BatchView& batch) {
  Pass pass = PassKind::kTraining;
  pass.recomputation = options_.recomputation;
  pass.precision = options_.precision;
  if (state_->config.dropout > 0) {
    dropout_.probability = state_->config.dropout;
    dropout_.key = dropout_key(options_.seed, optimizer_->step + 1);
    dropout_.name_rows(batch_, batch.candidate_offsets, pending_.num_requests);
    dropout_.place(*stream_, memory_);
    pass.dropout = &dropout_;
  }
  return pass;
}

void Trainer::accumulate(const BatchView& batch) {
  validate_batch(state_->config, batch);
  validate_labels(state_->config, batch);
  try {
    if (pending_.num_batches == 0) discard();
    add_gradients(batch);
    count_bytes();
  } catch (...) {
    pending_ = {};  // some gradients may have been added and others not: the next batch starts anew
    throw;
  }
}

void Trainer::add_gradients(const BatchView& batch) {
  const Config& config = state_->config;
  const int64_t rows_before = state_->num_table_rows();
  InsertingLookup lookup(*state_);
  prepare_batch(config, batch, lookup, batch_);
  prepare_weights();
  WorkspaceScope scope(memory_);
  run_forward(training_pass(batch));

  const ConstMatrixView logits = activations_.head.logits;
  const MatrixView d_logits = memory_.matrix(logits.rows, logits.cols);
  const LossSum sum = backend_->binary_cross_entropy(
      *stream_,
      {logits, batch.labels, batch.weights, task_weights_.data(), d_logits, pending_.unit});
  if (!std::isfinite(sum.loss) && pending_.nonfinite.empty()) {
    pending_.nonfinite = first_nonfinite_value(state(), batch_, activations_, *stream_);
  }
  backward(config, weights_, *backend_, *stream_, memory_, batch_, keys_values_, activations_,
           d_logits, gradient_views_, inputs_);
  accumulate_table_gradients();

  ++pending_.num_batches;
  if (pending_.unit == 0) pending_.unit = sum.weight;
  pending_.loss += sum.loss;
  pending_.weight += sum.weight;
  pending_.num_requests += batch_.num_requests;
  pending_.num_events += batch_.num_tokens();
  pending_.num_candidates += batch_.num_candidates;
  pending_.new_table_rows += state_->num_table_rows() - rows_before;
}

void Trainer::discard() {
  pending_ = {};
  stream_->zero(gradients_.data(), gradients_.size());
  for (TableSums& sums : table_sums_) {
    sums.index.clear();
    sums.sums.resize(0);
  }
}

void Trainer::report_pending() {
  result_.loss = pending_.weight > 0 ? pending_.loss / pending_.weight : pending_.loss;
  result_.weight = pending_.weight;
  result_.num_requests = pending_.num_requests;
  result_.num_events = pending_.num_events;
  result_.num_candidates = pending_.num_candidates;
  result_.new_table_rows = pending_.new_table_rows;
}

double Trainer::compute_gradients(const BatchView& batch) {
  if (pending_.num_batches > 0) {
    fail(Status::kInvalidState, "[trainer] ", pending_.num_batches,
         " accumulated batches wait for their optimizer step; gradients would mix with them");
  }
  accumulate(batch);
  report_pending();
  pending_ = {};  // the gradients stay until the next batch
  return result_.loss;
}

void Trainer::accumulate_table_gradients() {
  const Config& config = state_->config;
  const int64_t tokens = batch_.num_tokens();
  std::vector<std::vector<GradientSource>> sources(config.tables.size());
  auto add_features = [&](const std::vector<FeatureConfig>& features,
                          const PreparedFeatures& prepared, size_t first, int64_t count,
                          const MatrixView& d_input, int64_t column) {
    const FeatureValues* values = prepared.values() + first;
    for (size_t f = 0; f < features.size(); ++f) {
      if (features[f].kind == FeatureKind::kNumeric) {
        column += kNumericWidth;
        continue;
      }
      const int64_t table = config.table_index(features[f].table);
      const int64_t width = config.tables[static_cast<size_t>(table)].width;
      MatrixView d_rows = d_input.slice_cols(column, column + width);
      if (features[f].kind == FeatureKind::kManyValued) {
        d_rows = memory_.matrix(count, width);
        backend_->spread_mean_gradient(*stream_, prepared.placed()[first + f],
                                       d_input.slice_cols(column, column + width), d_rows);
      }
      sources[static_cast<size_t>(table)].push_back(
          {values[f].rows, d_rows.data, d_rows.stride, count, values[f].offsets});
      column += width;
    }
    return column;
  };
  add_features(config.event_features, batch_.event_features, 0, tokens, inputs_.features, 0);
  const int64_t requests = batch_.num_requests;
  const int64_t context_column =
      add_features(config.user_features, batch_.user_features, 0, requests, inputs_.user_input, 0);
  const int64_t time_column =
      add_features(config.context_features, batch_.user_features, config.user_features.size(),
                   requests, inputs_.user_input, context_column);
  add_features(config.candidate_features, batch_.candidate_features, 0, batch_.num_candidates,
               inputs_.candidate_input, 0);

  auto add_dense = [&](const std::string& name, const std::vector<GradientSource>& from,
                       int64_t width, int64_t rows) {
    dense_sums_.index.clear();
    dense_sums_.sums.resize(0);
    add_table_gradients(dense_sums_, from, width, rows);
    const std::vector<int32_t>& at = dense_sums_.index.rows();
    backend_->add_rows(*stream_,
                       {at.data(), static_cast<int64_t>(at.size()), width, dense_sums_.sums.data(),
                        state_->layout.at(gradients_.data(), name)});
  };
  for (size_t t = 0; t < config.tables.size(); ++t) {
    const TableConfig& table = config.tables[t];
    if (state_->tables[t] != nullptr) {
      add_table_gradients(table_sums_[t], sources[t], table.width, state_->tables[t]->num_rows());
    } else {
      add_dense(table_parameter(table), sources[t], table.width, table.rows + 1);
    }
  }

  if (config.position == PositionMode::kLearned) {
    add_dense("event_encoder.position.weight",
              {{batch_.positions.data(), inputs_.features.data, inputs_.features.stride, tokens}},
              inputs_.features.cols, config.max_history);
  }
  if (config.time != TimeMode::kNone) {
    add_dense("event_encoder.time_bucket.weight",
              {{batch_.time_buckets.data(), inputs_.time.data, inputs_.time.stride, tokens}},
              config.time_width, config.time_buckets + 1);
  }
  if (!config.global_tokens.empty()) {
    add_dense("global.user_time_bucket.weight",
              {{batch_.user_time_buckets.data(), inputs_.user_input.data + time_column,
                inputs_.user_input.stride, requests}},
              config.time_width, config.time_buckets + 1);
  }
}

void Trainer::add_table_gradients(TableSums& target, const std::vector<GradientSource>& sources,
                                  int64_t width, int64_t num_table_rows) {
  const Segments segments = target.index.add(sources, width, num_table_rows);
  const int64_t size = static_cast<int64_t>(target.index.rows().size()) * width;
  const int64_t former_size = target.sums.size();
  if (target.sums.moves(size)) stream_->synchronize();
  target.sums.resize(size);
  if (size == 0) return;
  stream_->zero(target.sums.data() + former_size, size - former_size);
  backend_->add_segments(*stream_, segments, target.sums.data());
}

double Trainer::gradient_norm() {
  double sum = backend_->squared_norm(*stream_, gradients_.data(), gradients_.size());
  for (size_t t = 0; t < table_sums_.size(); ++t) {
    if (state_->tables[t] == nullptr) continue;
    const GrowingFloats& sums = table_sums_[t].sums;
    sum += backend_->squared_norm(*stream_, sums.data(), sums.size());
  }
  return std::sqrt(sum);
}

void Trainer::update(double gradient_scale, double factor) {
  AdamwStep dense;
  dense.weights = placed_.dense();
  dense.gradients = gradients_.data();
  dense.first_moment = first_moment_.data();
  dense.second_moment = second_moment_.data();
  dense.ranges = &decay_ranges_;
  dense.learning_rate = options_.learning_rate * factor;
  dense.beta1 = options_.beta1;
  dense.beta2 = options_.beta2;
  dense.epsilon = options_.epsilon;
  dense.weight_decay = options_.weight_decay;
  dense.gradient_scale = gradient_scale;
  dense.step = optimizer_->step;
  backend_->adamw_step(*stream_, dense);
  for (size_t t = 0; t < table_sums_.size(); ++t) {
    if (state_->tables[t] == nullptr) continue;
    const std::vector<int32_t>& rows = table_sums_[t].index.rows();
    backend_->row_wise_adagrad_step(
        *stream_,
        {placed_.table_values(t), placed_.table_states(t), rows.data(), table_sums_[t].sums.data(),
         static_cast<int64_t>(rows.size()), state_->tables[t]->width(),
         options_.table_learning_rate * factor, options_.table_epsilon, gradient_scale});
  }
  is_host_behind_ = !backend_->memory().is_host();
}

void Trainer::step(const BatchView& batch) {
  accumulate(batch);
  apply();
}

void Trainer::apply() {
  if (pending_.num_batches == 0) {
    fail(Status::kInvalidState, "[trainer] no batch was accumulated since the last optimizer step");
  }
  report_pending();
  // The gradients are those of Σ w·t·bce / unit; exactly 1 for a single batch.
  const double scale = pending_.weight > 0 ? pending_.unit / pending_.weight : 1.0;
  const double norm = gradient_norm() * scale;
  result_.gradient_norm = norm;
  result_.is_skipped = !std::isfinite(norm) || !std::isfinite(result_.loss);
  result_.nonfinite = pending_.nonfinite;
  pending_ = {};
  if (result_.is_skipped) return refuse();
  ++optimizer_->step;
  const double factor = learning_rate_factor(options_, optimizer_->step);
  const bool is_clipped = options_.clip_norm > 0 && norm > options_.clip_norm;
  update((is_clipped ? options_.clip_norm / norm : 1.0) * scale, factor);
  result_.learning_rate = options_.learning_rate * factor;
  result_.step = optimizer_->step;
  is_prepared_ = false;
}

void Trainer::refuse() {
  if (result_.nonfinite.empty()) {
    result_.nonfinite = first_nonfinite_gradient(*this);
  }
  if (result_.nonfinite.empty()) result_.nonfinite = "the gradients' norm overflows";
  if (options_.nonfinite == OnNonfinite::kSkip) return;
  fail(Status::kInvalidState, "[trainer] step ", optimizer_->step + 1,
       " is not finite: ", result_.nonfinite, "; no weight was changed");
}

const float* Trainer::gradient(std::string_view name) const {
  const Parameter& p = state_->layout.get(name);
  return stream_->fetch({gradients_.data() + p.offset, 1, p.size()}, fetched_gradient_).data;
}

TableGradient Trainer::table_gradient(int64_t table) const {
  const TableSums& sums = table_sums_[static_cast<size_t>(table)];
  const std::vector<int32_t>& rows = sums.index.rows();
  const int64_t width = state_->config.tables[static_cast<size_t>(table)].width;
  return {&rows, stream_->fetch({sums.sums.data(), static_cast<int64_t>(rows.size()), width},
                                fetched_gradient_)};
}

void Trainer::fetch_trained() const {
  if (!is_host_behind_) return;
  stream_->synchronize();
  placed_.fetch();
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

void Trainer::predict(const BatchView& batch, float* scores) {
  validate_batch(state_->config, batch);
  ReadOnlyLookup lookup(*state_);
  prepare_batch(state_->config, batch, lookup, batch_);
  prepare_weights();
  WorkspaceScope scope(memory_);
  Pass pass = PassKind::kInference;
  pass.precision = options_.precision;
  run_forward(pass);
  sigmoid_scores(state_->config, stream_->fetch(activations_.head.logits, fetched_), scores);
}

std::shared_ptr<const LongerModel> Trainer::snapshot() const {
  return std::make_shared<const LongerModel>(std::make_unique<ModelState>(state()), backend_);
}

}  // namespace longer
