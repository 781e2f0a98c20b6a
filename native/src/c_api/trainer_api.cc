#include <algorithm>
#include <numeric>

#include "c_api/guard.hpp"
#include "c_api/handles.hpp"
#include "model/model_folder.hpp"

using namespace longer;  // NOLINT(google-build-using-namespace): this file is the border between
                         // the two namings
using namespace longer::c_api;  // NOLINT(google-build-using-namespace)

namespace {

Trainer& unwrap(const longer_trainer* trainer) { return *required(trainer, "trainer").trainer; }

TrainerOptions options_of(const longer_trainer_options* options) {
  if (options == nullptr) return {};
  const longer_trainer_options& o = sized(options, "options");
  return {o.learning_rate,
          o.table_learning_rate,
          o.beta1,
          o.beta2,
          o.epsilon,
          o.weight_decay,
          o.table_epsilon,
          o.clip_norm,
          o.warmup_steps,
          o.decay_steps,
          o.decay_floor,
          o.seed,
          static_cast<Recomputation>(o.recomputation),
          static_cast<OnNonfinite>(o.nonfinite),
          static_cast<Precision>(o.precision)};
}

}  // namespace

extern "C" {

void longer_trainer_options_default(longer_trainer_options* options) {
  if (options == nullptr) return;
  const TrainerOptions o;
  *options = {static_cast<int64_t>(sizeof(longer_trainer_options)),
              o.learning_rate,
              o.table_learning_rate,
              o.beta1,
              o.beta2,
              o.epsilon,
              o.weight_decay,
              o.table_epsilon,
              o.clip_norm,
              o.warmup_steps,
              o.decay_steps,
              o.decay_floor,
              o.seed,
              static_cast<int64_t>(o.recomputation),
              static_cast<int64_t>(o.nonfinite),
              static_cast<int64_t>(o.precision)};
}

longer_trainer* longer_trainer_create(const longer_model* model,
                                      const longer_trainer_options* options,
                                      const longer_device* device, longer_error* error) {
  return guarded_create<longer_trainer>(error, [&] {
    return new longer_trainer{
        std::make_unique<Trainer>(*required(model, "model").model, options_of(options),
                                  make_backend(device_of(device))),
        {}};
  });
}

void longer_trainer_destroy(longer_trainer* trainer) { destroy(trainer); }

longer_status longer_trainer_step(longer_trainer* trainer, const longer_batch* batch,
                                  longer_error* error) {
  return guarded(error, [&] {
    unwrap(trainer).step(batch_of(batch));
    return LONGER_OK;
  });
}

longer_status longer_trainer_accumulate(longer_trainer* trainer, const longer_batch* batch,
                                        longer_error* error) {
  return guarded(error, [&] {
    unwrap(trainer).accumulate(batch_of(batch));
    return LONGER_OK;
  });
}

longer_status longer_trainer_apply(longer_trainer* trainer, longer_error* error) {
  return guarded(error, [&] {
    unwrap(trainer).apply();
    return LONGER_OK;
  });
}

longer_status longer_trainer_discard(longer_trainer* trainer, longer_error* error) {
  return guarded(error, [&] {
    unwrap(trainer).discard();
    return LONGER_OK;
  });
}

longer_status longer_trainer_result(longer_trainer* trainer, longer_step_result* result,
                                    longer_error* error) {
  return guarded(error, [&] {
    sized(result, "result");
    const StepResult& r = unwrap(trainer).result();
    *result = {static_cast<int64_t>(sizeof(longer_step_result)),
               r.step,
               r.loss,
               r.weight,
               r.gradient_norm,
               r.learning_rate,
               r.is_skipped ? 1 : 0,
               r.num_requests,
               r.num_events,
               r.num_candidates,
               r.new_table_rows,
               {}};
    cut_text(r.nonfinite, result->nonfinite);
    return LONGER_OK;
  });
}

longer_status longer_trainer_gradients(longer_trainer* trainer, const longer_batch* batch,
                                       double* loss, longer_error* error) {
  return guarded(error, [&] {
    required(loss, "loss") = unwrap(trainer).compute_gradients(batch_of(batch));
    return LONGER_OK;
  });
}

longer_status longer_trainer_get_gradient(const longer_trainer* trainer, const char* name,
                                          float* values, int64_t num_values, longer_error* error) {
  return guarded(error, [&] {
    const Trainer& t = unwrap(trainer);
    const Parameter& p = t.state().layout.get(&required(name, "name"));
    check_argument(num_values == p.size(), "[trainer] ", p.name, " has ", p.size(),
                   " elements; got room for ", num_values);
    std::copy_n(t.gradient(p.name), num_values, &required(values, "values"));
    return LONGER_OK;
  });
}

longer_status longer_trainer_get_table_gradient(const longer_trainer* trainer, const char* table,
                                                int64_t* ids, float* rows, int64_t capacity,
                                                int64_t* num_ids, longer_error* error) {
  return guarded(error, [&] {
    const Trainer& t = unwrap(trainer);
    const int64_t index = t.state().config.table_index(&required(table, "table"));
    check_argument(index >= 0 && t.state().tables[static_cast<size_t>(index)] != nullptr,
                   "[trainer] no growable table is named \"", table, "\"");
    const EmbeddingTable& storage = *t.state().tables[static_cast<size_t>(index)];
    const TableGradient::Rows gradient = t.table_gradient(index);
    std::vector<size_t> order;
    for (size_t i = 0; i < gradient.rows->size(); ++i) {
      if ((*gradient.rows)[i] != 0) order.push_back(i);
    }
    required(num_ids, "num_ids") = static_cast<int64_t>(order.size());
    if (capacity < *num_ids || ids == nullptr || rows == nullptr) return LONGER_OK;
    auto id = [&](size_t i) { return storage.id_of((*gradient.rows)[i]); };
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return id(a) < id(b); });
    const int64_t width = storage.width();
    for (size_t i = 0; i < order.size(); ++i) {
      ids[i] = id(order[i]);
      std::copy_n(gradient.sums.row(static_cast<int64_t>(order[i])), width,
                  rows + static_cast<int64_t>(i) * width);
    }
    return LONGER_OK;
  });
}

longer_status longer_trainer_predict(longer_trainer* trainer, const longer_batch* batch,
                                     float* scores, int64_t num_scores, longer_error* error) {
  return guarded(error, [&] {
    Trainer& t = unwrap(trainer);
    const BatchView view = batch_of(batch);
    const int64_t wanted =
        static_cast<int64_t>(t.state().config.tasks.size()) * view.num_candidates;
    check_argument(num_scores == wanted,
                   "[trainer] scores must have room for tasks · candidates = ", wanted,
                   " values; got ", num_scores);
    if (wanted > 0) required(scores, "scores");
    t.predict(view, scores);
    return LONGER_OK;
  });
}

longer_model* longer_trainer_model(const longer_trainer* trainer, longer_error* error) {
  return guarded_create<longer_model>(error,
                                      [&] { return new longer_model{unwrap(trainer).snapshot()}; });
}

longer_status longer_trainer_save(const longer_trainer* trainer, const char* path,
                                  const char* progress, int64_t progress_bytes,
                                  longer_error* error) {
  return guarded(error, [&] {
    const Trainer& t = unwrap(trainer);
    if (t.num_accumulated() > 0) {
      fail(Status::kInvalidState, "[trainer] ", t.num_accumulated(),
           " accumulated batches wait for their optimizer step; a checkpoint holds no gradients");
    }
    const std::string_view kept =
        progress == nullptr ? std::string_view() : text(progress, progress_bytes, "progress");
    save_checkpoint(t.state(), t.optimizer(), kept, &required(path, "path"));
    return LONGER_OK;
  });
}

longer_status longer_trainer_progress(const longer_trainer* trainer, char* text, int64_t capacity,
                                      int64_t* needed, longer_error* error) {
  return guarded(error, [&] {
    copy_text(required(trainer, "trainer").progress, text, capacity, needed);
    return LONGER_OK;
  });
}

longer_trainer* longer_trainer_load(const char* path, const longer_trainer_options* options,
                                    const longer_device* device, longer_error* error) {
  return guarded_create<longer_trainer>(error, [&] {
    auto backend = make_backend(device_of(device));
    Checkpoint checkpoint = load_checkpoint(&required(path, "path"));
    return new longer_trainer{
        std::make_unique<Trainer>(std::move(checkpoint.state), std::move(checkpoint.optimizer),
                                  options_of(options), std::move(backend)),
        std::move(checkpoint.progress)};
  });
}

}  // extern "C"
