#include "serving/ranker.hpp"

#include <algorithm>
#include <utility>

#include "longer/error.hpp"
#include "model/window.hpp"
#include "serving/history_hash.hpp"
#include "serving/ranker_context.hpp"

namespace longer {
namespace {

constexpr int64_t kMostTimeToLiveMs = int64_t{100} * 365 * 24 * 3600 * 1000;  // a century

HistoryExtent extent_of(const Config& config, const BatchView& batch) {
  const int64_t first = batch.first_ordinals != nullptr ? batch.first_ordinals[0] : 0;
  const Window window(config, batch.num_events, first);
  if (config.anchor == Anchor::kNewest) return {0, window.count};
  return {first + window.first, first + batch.num_events};
}

int64_t hash_of(const Config& config, const BatchView& batch) {
  HistoryHash hash;
  hash.add(config, batch);
  return hash.version(batch.first_ordinals != nullptr ? batch.first_ordinals[0] : 0);
}

}  // namespace

Ranker::Ranker(std::shared_ptr<const LongerModel> model, const UserKvCacheLimits& limits,
               Clock clock)
    : model_(std::move(model)), cache_(limits, std::move(clock)) {
  check_argument(limits.max_bytes >= 0, "[ranker] user_cache_bytes must not be negative; got ",
                 limits.max_bytes);
  check_argument(limits.time_to_live_ms >= 0 && limits.time_to_live_ms <= kMostTimeToLiveMs,
                 "[ranker] time_to_live_ms must be in 0 … ", kMostTimeToLiveMs, "; got ",
                 limits.time_to_live_ms);
}

Ranker::~Ranker() = default;

void Ranker::check_request(const RankRequest& request) const {
  check_argument(request.batch.num_requests == 1,
                 "[rank] a ranking request holds one history; got num_requests ",
                 request.batch.num_requests);
  check_argument(request.cache_mode == CacheMode::kNone || request.cache_mode == CacheMode::kUse ||
                     request.cache_mode == CacheMode::kOnly,
                 "[rank] cache_mode must be 0, 1 or 2; got ",
                 static_cast<int64_t>(request.cache_mode));
  if (request.cache_mode == CacheMode::kOnly) {
    check_argument(request.history_version != 0,
                   "[rank] CACHE_ONLY needs a history_version other than 0");
    check_argument(request.batch.num_events == 0,
                   "[rank] CACHE_ONLY takes no history; got num_events ", request.batch.num_events);
  }
  validate_batch(model_->config(), request.batch);
}

HistoryKey Ranker::key_of(const RankRequest& request) const {
  const Config& config = model_->config();
  HistoryKey key;
  key.user_key = request.user_key;
  key.history_version =
      request.history_version != 0 ? request.history_version : hash_of(config, request.batch);
  if (request.cache_mode != CacheMode::kOnly) key.extent = extent_of(config, request.batch);
  key.model_version = model_->version();
  key.reference_time =
      config.time == TimeMode::kRequestRelative ? request.batch.reference_times[0] : 0;
  return key;
}

void Ranker::encode_and_score(Context& c, PassKind kind, float* event_tokens) {
  const Config& config = model_->config();
  c.batch.place(*c.stream, c.memory);
  allocate_keys_values(config, c.batch, c.memory, c.keys_values);
  encode_user(config, model_->weights(), model_->backend(), *c.stream, c.memory, c.batch, kind,
              c.keys_values, c.activations, event_tokens);
  score_candidates(config, model_->weights(), model_->backend(), *c.stream, c.memory, c.batch, kind,
                   c.keys_values, c.activations);
}

EncodingInUse Ranker::encode(Context& c, const RankRequest& request, const HistoryKey& key) {
  const Config& config = model_->config();
  ReadOnlyLookup lookup(model_->state());
  prepare_batch(config, request.batch, lookup, c.batch);
  const int64_t supplied = request.batch.num_events;
  const bool has_time = supplied > 0 && config.time != TimeMode::kNone;
  const CachedHistory history = {c.batch.num_merged_rows(), c.batch.num_queries(),
                                 has_time ? request.batch.event_times[supplied - 1] : 0,
                                 supplied > 0};
  c.batch.place(*c.stream, c.memory);
  auto encoding = std::make_shared<UserEncoding>(key, config, history, model_->backend().memory());
  encode_user(config, model_->weights(), model_->backend(), *c.stream, c.memory, c.batch,
              PassKind::kInference, encoding->keys_values(), c.activations);
  c.stream->synchronize();  // other streams will read it
  if (can_append(config)) {
    encoding->finish(history_end(request.batch, c.batch), c.activations);
  }
  EncodingInUse in_use(encoding);
  cache_.insert(std::move(encoding));
  return in_use;
}

EncodingInUse Ranker::find_or_encode(Context& c, const RankRequest& request) {
  const HistoryKey key = key_of(request);
  const bool is_only = request.cache_mode == CacheMode::kOnly;
  EncodingInUse encoding = cache_.find(key, is_only ? OnMiss::kIgnore : OnMiss::kCount);
  if (!encoding && !is_only) encoding = encode(c, request, key);
  return encoding;
}

bool Ranker::score(Context& c, const RankRequest& request) {
  const Config& config = model_->config();
  ReadOnlyLookup lookup(model_->state());
  if (request.cache_mode == CacheMode::kNone) {
    prepare_batch(config, request.batch, lookup, c.batch);
    encode_and_score(c, PassKind::kInference, nullptr);
    return true;
  }
  const EncodingInUse encoding = find_or_encode(c, request);
  if (!encoding) return false;
  const CachedHistory& history = encoding->history();
  if (config.time != TimeMode::kNone && history.has_events) {
    check_argument(request.batch.reference_times[0] >= history.newest_time,
                   "[rank] the reference time ", request.batch.reference_times[0],
                   " lies before the newest event of the cached history, ", history.newest_time);
  }
  prepare_candidates(config, request.batch, history, lookup, c.batch);
  c.batch.place(*c.stream, c.memory);
  score_candidates(config, model_->weights(), model_->backend(), *c.stream, c.memory, c.batch,
                   PassKind::kInference, encoding->keys_values(), c.activations);
  c.stream->synchronize();  // an append may change the encoding from here on
  return true;
}

bool Ranker::rank(const RankRequest& request, float* scores) {
  check_request(request);
  const bool has_candidates = request.batch.num_candidates > 0;
  if (has_candidates || request.cache_mode != CacheMode::kNone) {
    ContextLease lease(*this);
    Context& c = *lease;
    // Without candidates a request fills the cache and computes no more.
    if (!(has_candidates ? score(c, request) : bool(find_or_encode(c, request)))) return false;
    if (has_candidates) {
      sigmoid_scores(model_->config(), c.stream->fetch(c.activations.head.logits, c.fetched),
                     scores);
    }
  }
  num_requests_.fetch_add(1, std::memory_order_relaxed);
  num_candidates_.fetch_add(request.batch.num_candidates, std::memory_order_relaxed);
  return true;
}

bool Ranker::represent(const RankRequest& request, float* globals, float* candidates) {
  check_request(request);
  ContextLease lease(*this);
  Context& c = *lease;
  if (!score(c, request)) return false;
  const ConstMatrixView rows = c.stream->fetch(c.activations.head.normed, c.fetched);
  const int64_t request_rows = model_->config().num_request_rows();
  std::copy_n(rows.data, request_rows * rows.cols, globals);
  std::copy_n(rows.row(request_rows), (rows.rows - request_rows) * rows.cols, candidates);
  return true;
}

RankerStats Ranker::stats() {
  return {num_requests_.load(std::memory_order_relaxed),
          num_candidates_.load(std::memory_order_relaxed),
          num_rebuilt_.load(std::memory_order_relaxed), cache_.stats()};
}

}  // namespace longer
