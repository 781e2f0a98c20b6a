#pragma once
#include <utility>
#include <vector>

#include "serving/ranker.hpp"
#include "support/cases.hpp"

namespace longer::testing {

/// Request b of a batch, alone.
inline OwnedBatch request_of(const Config& config, const OwnedBatch& batch, int64_t b) {
  const auto i = static_cast<size_t>(b);
  const int64_t events = batch.event_offsets[i + 1] - batch.event_offsets[i];
  const int64_t candidates = batch.candidate_offsets[i + 1] - batch.candidate_offsets[i];
  OwnedBatch one;
  one.event_offsets = {0, events};
  one.candidate_offsets = {0, candidates};
  // The part of each of `num_columns` columns of `length` that starts at `begin`.
  const auto cut = [](const std::vector<int64_t>& from, size_t num_columns, int64_t length,
                      int64_t begin, int64_t count, std::vector<int64_t>& to) {
    for (size_t f = 0; f < num_columns; ++f) {
      const auto first = from.begin() + static_cast<int64_t>(f) * length + begin;
      to.insert(to.end(), first, first + count);
    }
  };
  cut(batch.event_ids, config.event_features.size(), batch.num_events(), batch.event_offsets[i],
      events, one.event_ids);
  cut(batch.event_times, 1, 0, batch.event_offsets[i], events, one.event_times);
  cut(batch.user_ids, static_cast<size_t>(config.num_user_features()), batch.num_requests(), b, 1,
      one.user_ids);
  cut(batch.candidate_ids, config.candidate_features.size(), batch.num_candidates(),
      batch.candidate_offsets[i], candidates, one.candidate_ids);
  one.first_ordinals = {batch.first_ordinals[i]};
  one.reference_times = {batch.reference_times[i]};
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
      request.batch.event_ids = nullptr;
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
    one.candidate_ids.clear();
    for (size_t f = 0; f < config_.candidate_features.size(); ++f) {
      one.candidate_ids.push_back(
          columns.candidate_ids[f * static_cast<size_t>(columns.num_candidates()) +
                                static_cast<size_t>(candidate)]);
    }
    return {config_, std::move(one)};
  }

 private:
  static constexpr int64_t kNoEvents[2] = {0, 0};
  Config config_;

 public:
  OwnedBatch columns;
};

}  // namespace longer::testing
