#pragma once
#include <numeric>
#include <utility>
#include <vector>

#include "serving/ranking_request.hpp"

namespace longer::testing {

/// One user's events and candidates, as requests see them while the history grows.
class UserHistory {
 public:
  UserHistory(const Config& config, int64_t num_events, int64_t num_candidates, uint64_t seed,
              int64_t first_ordinal = 0)
      : config_(config), whole_(config, num_events, num_candidates, seed) {
    whole_.columns.first_ordinals = {first_ordinal};
  }

  int64_t num_events() const { return whole_.columns.num_events(); }
  /// The candidates for a user with the first `count` events.
  RankingRequest until(int64_t count) const { return {config_, part(0, count)}; }
  /// Events [begin, end) alone, to append.
  RankingRequest events(int64_t begin, int64_t end) const {
    OwnedBatch batch = part(begin, end);
    batch.first_ordinals[0] += begin;
    batch.candidate_offsets = {0, 0};
    batch.candidate_columns = pick_rows(batch.candidate_columns, {});
    return {config_, std::move(batch)};
  }

  /// Appends events [begin, end) to what `ranker` holds of the user; false when it must be rebuilt.
  bool append(Ranker& ranker, int64_t user_key, int64_t begin, int64_t end, int64_t version = 0,
              int64_t new_version = 0) const {
    const RankingRequest request = events(begin, end);
    return ranker.append(request.with(CacheMode::kUse, user_key, version), new_version);
  }

 private:
  OwnedBatch part(int64_t begin, int64_t end) const {
    OwnedBatch batch = whole_.columns;
    std::vector<int64_t> rows(static_cast<size_t>(end - begin));
    std::iota(rows.begin(), rows.end(), begin);
    batch.event_offsets = {0, end - begin};
    batch.event_columns = pick_rows(whole_.columns.event_columns, rows);
    batch.event_times = pick_columns(whole_.columns.event_times, 1, num_events(), rows);
    return batch;
  }

  Config config_;
  RankingRequest whole_;
};

}  // namespace longer::testing
