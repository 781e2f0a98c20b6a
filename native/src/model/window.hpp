#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "longer/config.hpp"

namespace longer {

/// Where a kept event stands (native/docs/model.md, "Window").
struct Place {
  int64_t position;
  int64_t group;
  int64_t slot;
};

/// The events of one request that the model reads, and their places.
struct Window {
  int64_t first = 0;  // index of the first kept event among the supplied ones
  int64_t count = 0;  // kept events

  /// `supplied` events, the first of which has ordinal `first_ordinal` in the user's whole history.
  Window(const Config& config, int64_t supplied, int64_t first_ordinal)
      : merge_factor_(config.merge_factor) {
    if (config.anchor == Anchor::kNewest) {
      count = std::min(supplied, config.max_history);
      first = supplied - count;
      groups_ = (count + merge_factor_ - 1) / merge_factor_;
      is_newest_ = true;
      return;
    }
    const int64_t total = first_ordinal + supplied;
    const int64_t begin = origin(config, total);
    first = std::clamp<int64_t>(begin - first_ordinal, 0, supplied);
    count = supplied - first;
    first_position_ = first_ordinal + first - begin;
  }

  /// o₀ of an OLDEST window over `total` events: where its positions count from. Moves in blocks,
  /// so that appends rarely move it.
  static int64_t origin(const Config& config, int64_t total) {
    if (total <= config.max_history) return 0;
    const int64_t eighth =
        (config.max_history + 4 * config.merge_factor) / (8 * config.merge_factor);
    const int64_t block = config.merge_factor * std::max<int64_t>(1, eighth);
    return (total - config.max_history + block - 1) / block * block;
  }

  /// Place of kept event i, oldest first.
  Place place(int64_t i) const {
    if (is_newest_) {
      const int64_t newer = count - 1 - i;
      return {newer, groups_ - 1 - newer / merge_factor_,
              merge_factor_ - 1 - newer % merge_factor_};
    }
    const int64_t position = first_position_ + i;
    return {position, (position / merge_factor_) - (first_position_ / merge_factor_),
            position % merge_factor_};
  }

 private:
  int64_t merge_factor_;
  int64_t groups_ = 0;
  int64_t first_position_ = 0;
  bool is_newest_ = false;
};

/// Index of the first group that is a query under QueryStrategy::kRecent.
inline int64_t first_recent_query(const Config& config, int64_t num_groups) {
  return std::max<int64_t>(0, num_groups - config.queries) / config.query_block *
         config.query_block;
}

/// Appends to `rows` which of a request's rows of layer 0 are queries, in order: groups come first
/// there, learned rows behind them (native/docs/model.md, "Query rows"; LONGER §3.5.2).
inline void append_query_rows(const Config& config, int64_t num_groups,
                              std::vector<int32_t>& rows) {
  const auto append = [&rows](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) rows.push_back(static_cast<int32_t>(row));
  };
  const auto append_uniform = [&rows](int64_t queries, int64_t groups) {
    const int64_t count = std::min(queries, groups);
    for (int64_t j = count - 1; j >= 0; --j)
      rows.push_back(static_cast<int32_t>(groups - 1 - j * groups / count));
  };
  switch (config.query_strategy) {
    case QueryStrategy::kRecent:
      return append(first_recent_query(config, num_groups), num_groups);
    case QueryStrategy::kUniform:
      return append_uniform(config.queries, num_groups);
    case QueryStrategy::kRecentAndUniform: {
      const int64_t recent = (config.queries + 1) / 2;
      const int64_t older = std::max<int64_t>(0, num_groups - recent);
      append_uniform(config.queries - recent, older);
      return append(older, num_groups);
    }
    case QueryStrategy::kLearnable:
      return append(num_groups, num_groups + config.queries);
  }
}

/// Log₂ bucket of the seconds from `earlier` to `later` ≥ earlier.
inline int32_t time_bucket(int64_t earlier, int64_t later, int64_t num_buckets) {
  const uint64_t seconds = static_cast<uint64_t>(later) - static_cast<uint64_t>(earlier);
  const uint64_t shifted = seconds == UINT64_MAX ? seconds : seconds + 1;
  return static_cast<int32_t>(std::min<int64_t>(63 - __builtin_clzll(shifted), num_buckets - 1));
}

}  // namespace longer
