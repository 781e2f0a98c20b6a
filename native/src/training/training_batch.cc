#include "training/training_batch.hpp"

#include "training/trainer.hpp"

namespace longer {
namespace {

/// Looks ids up in the state's tables, training ones for which it gives new ids rows; leaves those
/// of tables that are trained elsewhere to the place of the batch.
class TrainingLookup final : public RowLookup {
 public:
  TrainingLookup(ModelState& state, const PlacedState& placed, bool inserts)
      : state_(state), placed_(placed), inserts_(inserts) {}
  void rows(int64_t table, const int64_t* ids, int64_t count, int32_t* rows) override {
    const auto t = static_cast<size_t>(table);
    if (inserts_ && state_.tables[t] != nullptr) {
      state_.tables[t]->find_or_insert(ids, count, rows);
    } else {
      ReadOnlyLookup(state_).rows(table, ids, count, rows);
    }
  }
  bool is_deferred(int64_t table) const override {
    return placed_.trained(static_cast<size_t>(table)) != nullptr;
  }

 private:
  ModelState& state_;
  const PlacedState& placed_;
  bool inserts_;
};

template <class T>
void assign(PlacedArray<T>& to, const T* from, int64_t count) {
  to.clear();
  if (from != nullptr) to.insert(to.end(), from, from + count);
}

}  // namespace

int64_t TrainingBatch::bytes() const {
  auto sum = static_cast<int64_t>(memory.capacity_bytes());
  for (const auto& group : groups) sum += group->bytes();
  return sum;
}

std::unique_ptr<TrainingBatch> Trainer::make_batch() const {
  return std::make_unique<TrainingBatch>(backend_->memory());
}

void Trainer::validate(const BatchView& view) const {
  validate_batch(state_->config, view);
  validate_labels(state_->config, view);
}

void Trainer::stage(const BatchView& view, TrainingBatch& batch) {
  validate(view);
  make_ready(view, batch);
}

void Trainer::make_ready(const BatchView& view, TrainingBatch& batch) {
  const Config& config = state_->config;
  count_new_rows();
  const int64_t rows_before = num_table_rows();
  batch.memory.release({0, 0});
  place(view, batch.prepared, *ahead_, batch.memory, true);
  assign(batch.labels, view.labels,
         view.num_candidates * static_cast<int64_t>(config.tasks.size()));
  assign(batch.weights, view.weights, view.num_candidates);
  batch.candidate_offsets.assign(view.candidate_offsets,
                                 view.candidate_offsets + view.num_requests + 1);
  const Placement labels[] = {batch.labels.placement(), batch.weights.placement()};
  ahead_->place(batch.memory, labels, 2);
  batch.staged = batch.memory.mark();
  std::vector<int64_t> most_rows;
  for (size_t t = 0; t < state_->tables.size(); ++t) {
    const DeviceTable* trained = placed_.trained(t);
    most_rows.push_back(trained != nullptr             ? trained->most_rows()
                        : state_->tables[t] != nullptr ? state_->tables[t]->num_rows()
                                                       : 0);
  }
  table_gradients_.group(*ahead_, batch.prepared, most_rows, batch.groups);
  rows_before_staged_ = rows_before;
  last_staged_ = &batch;
  is_host_behind_ = !backend_->memory().is_host();
}

void Trainer::place(const BatchView& view, PreparedBatch& batch, Stream& stream, Workspace& memory,
                    bool inserts) {
  TrainingLookup lookup(*state_, placed_, inserts);
  prepare_batch(state_->config, view, lookup, batch);
  batch.place(stream, memory);
  std::vector<DeferredRows> deferred;
  batch.list_deferred(deferred);
  for (size_t t = 0; t < state_->tables.size() && inserts; ++t) {
    DeviceTable* table = placed_.trained(t);
    if (table == nullptr) continue;
    int64_t num_ids = 0;
    for (const DeferredRows& rows : deferred)
      if (rows.table == static_cast<int64_t>(t)) num_ids += rows.count;
    if (table->moves(num_ids)) stream_->synchronize();
    table->reserve(stream, num_ids);
  }
  for (const DeferredRows& rows : deferred) {
    placed_.trained(static_cast<size_t>(rows.table))
        ->find(stream, rows.ids, rows.present, rows.count, inserts, rows.rows);
  }
}

int64_t Trainer::num_table_rows() const {
  int64_t rows = 0;
  for (size_t t = 0; t < state_->tables.size(); ++t) {
    DeviceTable* trained = placed_.trained(t);
    if (trained != nullptr) {
      rows += trained->count_rows(*ahead_);
    } else if (state_->tables[t] != nullptr) {
      rows += state_->tables[t]->num_rows();
    }
  }
  return rows;
}

/// What the batch staged last added, while none is staged after it.
void Trainer::count_new_rows() const {
  if (last_staged_ == nullptr) return;
  last_staged_->new_table_rows = num_table_rows() - rows_before_staged_;
  last_staged_ = nullptr;
}

}  // namespace longer
