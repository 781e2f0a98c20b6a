#pragma once
#include <utility>
#include <vector>

#include "serving/ranker.hpp"
#include "support/batch_edits.hpp"
#include "support/cases.hpp"

namespace longer::testing {

/// Request b of a batch, alone and without labels.
inline OwnedBatch request_of(const Config& config, const OwnedBatch& batch, int64_t b) {
  OwnedBatch one = pick_requests(config, batch, {{b, all_candidates(batch, b)}});
  one.labels.clear();
  one.weights.clear();
  return one;
}

/// One request with columns of its own and the calls tests make with it.
class RankingRequest {
 public:
  RankingRequest(const Config& config, int64_t num_events, int64_t num_candidates, uint64_t seed)
      : config_(config), columns(BatchMaker(config, seed).make({{num_events, num_candidates}})) {}
  RankingRequest(const Config& config, OwnedBatch batch)
      : config_(config), columns(std::move(batch)) {}

  RankRequest with(CacheMode mode, int64_t user_key = 0, int64_t history_version = 0) const {
    RankRequest request;
    request.cache_mode = mode;
    request.user_key = user_key;
    request.history_version = history_version;
    request.batch = columns.view();
    if (mode == CacheMode::kOnly) {
      request.batch.num_events = 0;
      request.batch.event_offsets = kNoEvents;
      request.batch.event_columns = nullptr;
      request.batch.event_times = nullptr;
    }
    return request;
  }

  std::vector<float> buffer() const {
    return std::vector<float>(config_.tasks.size() * static_cast<size_t>(columns.num_candidates()),
                              -1.0F);
  }
  std::vector<float> scores(Ranker& ranker, const RankRequest& request) const {
    std::vector<float> scores = buffer();
    if (!ranker.rank(request, scores.data())) scores.clear();
    return scores;
  }
  std::vector<float> scores(Ranker& ranker, CacheMode mode, int64_t user_key = 0,
                            int64_t history_version = 0) const {
    return scores(ranker, with(mode, user_key, history_version));
  }

  /// The same user and history with one of the candidates.
  RankingRequest only(int64_t candidate) const {
    OwnedBatch one = columns;
    one.candidate_offsets = {0, 1};
    one.candidate_columns = pick_rows(columns.candidate_columns, {candidate});
    return {config_, std::move(one)};
  }

 private:
  static constexpr int64_t kNoEvents[2] = {0, 0};
  Config config_;

 public:
  OwnedBatch columns;
};

}  // namespace longer::testing
