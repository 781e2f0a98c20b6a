#include <algorithm>
#include <string>

#include "c_api/guard.hpp"
#include "c_api/handles.hpp"

using namespace longer;  // NOLINT(google-build-using-namespace): this file is the border between
                         // the two namings
using namespace longer::c_api;  // NOLINT(google-build-using-namespace)

namespace {

constexpr int64_t kDefaultQueueCapacity = 1024;

RankRequest request_of(const longer_ranking_request* request) {
  const longer_ranking_request& r = sized(request, "request");
  return {static_cast<CacheMode>(r.cache_mode), r.user_key, r.history_version, batch_of(r.batch)};
}

void check_scores(const Ranker& ranker, const RankRequest& request, const float* scores,
                  int64_t num_scores) {
  const int64_t wanted =
      static_cast<int64_t>(ranker.model().config().tasks.size()) * request.batch.num_candidates;
  check_argument(num_scores == wanted,
                 "[rank] scores must have room for tasks · candidates = ", wanted, " values; got ",
                 num_scores);
  if (wanted > 0) required(scores, "scores");
}

}  // namespace

extern "C" {

longer_ranker* longer_ranker_create(const longer_model* model, const longer_ranker_options* options,
                                    longer_error* error) {
  return guarded_create<longer_ranker>(error, [&] {
    UserKvCacheLimits limits;
    int64_t capacity = kDefaultQueueCapacity;
    if (options != nullptr) {
      limits = {sized(options, "options").user_cache_bytes, options->time_to_live_ms};
      if (options->queue_capacity != 0) capacity = options->queue_capacity;
    }
    return new longer_ranker(required(model, "model").model, limits, capacity);
  });
}

void longer_ranker_destroy(longer_ranker* ranker) { destroy(ranker); }

longer_status longer_ranker_rank(longer_ranker* ranker, const longer_ranking_request* request,
                                 float* scores, int64_t num_scores, longer_error* error) {
  return guarded(error, [&]() -> longer_status {
    Ranker& r = required(ranker, "ranker").ranker;
    const RankRequest wanted = request_of(request);
    check_scores(r, wanted, scores, num_scores);
    return r.rank(wanted, scores) ? LONGER_OK : LONGER_CACHE_MISS;
  });
}

longer_status longer_ranker_submit(longer_ranker* ranker, const longer_ranking_request* request,
                                   int64_t tag, longer_error* error) {
  return guarded(error, [&] {
    required(ranker, "ranker").queue.submit(request_of(request), tag);
    return LONGER_OK;
  });
}

longer_status longer_ranker_poll(longer_ranker* ranker, int64_t timeout_ms, int64_t* tag,
                                 float* scores, int64_t capacity, int64_t* num_scores,
                                 longer_error* error) {
  longer_status outcome_status = LONGER_OK;
  std::string message;
  ErrorDetails details;
  const longer_status status = guarded(error, [&] {
    required(tag, "tag") = -1;
    required(num_scores, "num_scores") = 0;
    required(ranker, "ranker").queue.poll(timeout_ms, [&](const SubmissionOutcome& outcome) {
      *tag = outcome.tag;
      *num_scores = static_cast<int64_t>(outcome.scores.size());
      check_argument(*num_scores <= capacity, "[poll] the scores need room for ", *num_scores,
                     " values; got ", capacity);
      if (*num_scores > 0)
        std::copy_n(outcome.scores.data(), *num_scores, &required(scores, "scores"));
      outcome_status =
          outcome.is_cache_miss ? LONGER_CACHE_MISS : static_cast<longer_status>(outcome.status);
      message = outcome.message;
      details = outcome.details;
    });
    return LONGER_OK;
  });
  return status != LONGER_OK ? status : report(error, outcome_status, message, details);
}

longer_status longer_ranker_cancel(longer_ranker* ranker, int64_t tag, int32_t* cancelled,
                                   longer_error* error) {
  return guarded(error, [&] {
    required(cancelled, "cancelled") = required(ranker, "ranker").queue.cancel(tag) ? 1 : 0;
    return LONGER_OK;
  });
}

longer_status longer_ranker_get_stats(longer_ranker* ranker, longer_ranker_stats* stats,
                                      longer_error* error) {
  return guarded(error, [&] {
    sized(stats, "stats");
    const RankerStats s = required(ranker, "ranker").ranker.stats();
    *stats = {static_cast<int64_t>(sizeof(longer_ranker_stats)),
              s.requests,
              s.candidates,
              s.cache.hits,
              s.cache.misses,
              s.cache.evictions,
              s.cache.entries,
              s.cache.bytes,
              s.cache.expired,
              s.cache.appended,
              s.rebuilt};
    return LONGER_OK;
  });
}

longer_status longer_ranker_append(longer_ranker* ranker, const longer_ranking_request* request,
                                   int32_t* outcome, longer_error* error) {
  return guarded(error, [&]() -> longer_status {
    required(outcome, "outcome") = 0;
    Ranker& r = required(ranker, "ranker").ranker;
    const RankRequest events = request_of(request);
    if (!r.append(events, request->new_history_version)) return LONGER_CACHE_MISS;
    *outcome = 1;
    return LONGER_OK;
  });
}

longer_status longer_ranker_evict(longer_ranker* ranker, int64_t user_key, int32_t* evicted,
                                  longer_error* error) {
  return guarded(error, [&] {
    required(evicted, "evicted") = required(ranker, "ranker").ranker.evict(user_key) ? 1 : 0;
    return LONGER_OK;
  });
}

longer_status longer_ranker_explain(longer_ranker* ranker, const longer_ranking_request* request,
                                    int64_t candidate, int64_t task, float* attribution,
                                    int64_t num_events, longer_error* error) {
  return guarded(error, [&] {
    const RankRequest wanted = request_of(request);
    check_argument(num_events == wanted.batch.num_events,
                   "[explain] attribution must have room for ", wanted.batch.num_events,
                   " events; got ", num_events);
    if (num_events > 0) required(attribution, "attribution");
    required(ranker, "ranker").ranker.explain(wanted, candidate, task, attribution);
    return LONGER_OK;
  });
}

longer_status longer_ranker_represent(longer_ranker* ranker, const longer_ranking_request* request,
                                      float* globals, int64_t num_global_values, float* candidates,
                                      int64_t num_candidate_values, longer_error* error) {
  return guarded(error, [&]() -> longer_status {
    Ranker& r = required(ranker, "ranker").ranker;
    const RankRequest wanted = request_of(request);
    const Config& config = r.model().config();
    const int64_t global_values = config.num_request_rows() * config.model_width();
    const int64_t candidate_values =
        wanted.batch.num_candidates * config.rows_per_candidate() * config.model_width();
    check_argument(num_global_values == global_values && num_candidate_values == candidate_values,
                   "[represent] globals and candidates must have room for ", global_values, " and ",
                   candidate_values, " values; got ", num_global_values, " and ",
                   num_candidate_values);
    if (global_values > 0) required(globals, "globals");
    if (candidate_values > 0) required(candidates, "candidates");
    return r.represent(wanted, globals, candidates) ? LONGER_OK : LONGER_CACHE_MISS;
  });
}

}  // extern "C"
