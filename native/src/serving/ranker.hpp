#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "longer/batch.hpp"
#include "model/longer_model.hpp"
#include "serving/user_kv_cache.hpp"

namespace longer {

/// How a request uses the user cache; the values are those of the C ABI.
enum class CacheMode : int64_t { kNone = 0, kUse = 1, kOnly = 2 };

/// One request to rank; borrowed for one call.
struct RankRequest {
  CacheMode cache_mode = CacheMode::kNone;
  int64_t user_key = 0;
  int64_t history_version = 0;  // 0 = hash of the history
  BatchView batch;              // num_requests = 1
};

struct RankerStats {
  int64_t requests = 0;
  int64_t candidates = 0;
  int64_t rebuilt = 0;  // appends that a cached history had to be encoded anew for
  UserKvCacheStats cache;
};

/// Scores candidates with one model, from cached user keys and values where they match. Safe from
/// any number of threads.
///
/// A score's bits depend on the history and the candidate alone: not on the cache, nor on the other
/// candidates.
class Ranker {
 public:
  Ranker(std::shared_ptr<const LongerModel> model, const UserKvCacheLimits& limits,
         Clock clock = monotonic_nanoseconds);
  /// Without a limit of age.
  Ranker(std::shared_ptr<const LongerModel> model, int64_t user_cache_bytes)
      : Ranker(std::move(model), UserKvCacheLimits{user_cache_bytes, 0}) {}
  ~Ranker();

  const LongerModel& model() const { return *model_; }

  /// scores [tasks, C]. False: kOnly was asked for and no encoding matches. No heap allocation on a
  /// hit or with kNone once the largest shape was seen. Throws InvalidArgument for a malformed
  /// request.
  bool rank(const RankRequest& request, float* scores);

  /// Appends the events of `request`, which comes without candidates, to the user's encoding;
  /// `request.history_version`: what it must be now (0 = any), `new_history_version`: what it is
  /// then (0 = the chained hash). A first ordinal other than 0 must be the number of events so far.
  /// Calls for one user are served one after the other; a request ranks the history before or
  /// after. False, and nothing is changed: no encoding matches, or appending would be a rebuild
  /// (native/docs/model.md, "Append"). Throws InvalidArgument for malformed events or one older
  /// than the newest in the history.
  bool append(const RankRequest& request, int64_t new_history_version);

  /// attribution [L] of one candidate's score to the request's events (longer_ranker_explain in the
  /// C ABI).
  void explain(const RankRequest& request, int64_t candidate, int64_t task, float* attribution);

  /// Final vectors after the head's norm: globals [request rows, D], candidates [C, rows of one
  /// candidate, D]. False as rank.
  bool represent(const RankRequest& request, float* globals, float* candidates);

  /// Throws InvalidArgument for a malformed request.
  void check_request(const RankRequest& request) const;

  bool evict(int64_t user_key) { return cache_.evict(user_key); }
  RankerStats stats();

 private:
  struct Context;
  class ContextLease;

  HistoryKey key_of(const RankRequest& request) const;
  void encode_and_score(Context& context, PassKind kind, float* event_tokens);
  EncodingInUse encode(Context& context, const RankRequest& request, const HistoryKey& key);
  EncodingInUse find_or_encode(Context& context, const RankRequest& request);
  bool score(Context& context, const RankRequest& request);
  HistoryEnd history_end(const BatchView& events, const PreparedBatch& batch) const;
  HistoryChange encode_change(Context& context, const UserEncoding& former, const BatchView& added);

  std::shared_ptr<const LongerModel> model_;
  UserKvCache cache_;
  std::array<std::mutex, 64> append_mutexes_;  // by user
  std::mutex contexts_mutex_;
  size_t num_contexts_ = 0;
  std::vector<std::unique_ptr<Context>> free_contexts_;  // room for all of them
  std::atomic<int64_t> num_requests_{0};
  std::atomic<int64_t> num_candidates_{0};
  std::atomic<int64_t> num_rebuilt_{0};
};

}  // namespace longer
