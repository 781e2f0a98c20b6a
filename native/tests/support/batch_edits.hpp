#pragma once
// Batches made from batches: requests picked, candidates picked. What the equivalences compare.
#include <cstdint>
#include <vector>

#include "support/cases.hpp"

namespace longer::testing {

/// One request of a batch with some of its candidates, by index inside the request.
struct Pick {
  int64_t request = 0;
  std::vector<int64_t> candidates;
};

inline std::vector<int64_t> all_candidates(const OwnedBatch& batch, int64_t request) {
  const auto r = static_cast<size_t>(request);
  std::vector<int64_t> all;
  for (int64_t i = 0; i < batch.candidate_offsets[r + 1] - batch.candidate_offsets[r]; ++i)
    all.push_back(i);
  return all;
}

/// Positions in the batch's candidate columns.
inline std::vector<int64_t> candidate_columns(const OwnedBatch& batch,
                                              const std::vector<Pick>& picks) {
  std::vector<int64_t> columns;
  for (const Pick& pick : picks) {
    for (int64_t i : pick.candidates) {
      columns.push_back(batch.candidate_offsets[static_cast<size_t>(pick.request)] + i);
    }
  }
  return columns;
}

/// The picked columns of a block of `features` rows of `count` columns.
template <class T>
std::vector<T> pick_columns(const std::vector<T>& values, size_t features, int64_t count,
                            const std::vector<int64_t>& columns) {
  std::vector<T> picked;
  for (size_t f = 0; f < features; ++f) {
    for (int64_t column : columns) {
      picked.push_back(values[f * static_cast<size_t>(count) + static_cast<size_t>(column)]);
    }
  }
  return picked;
}

/// The picked rows of every column.
inline OwnedColumns pick_rows(const OwnedColumns& from, const std::vector<int64_t>& rows) {
  OwnedColumns to;
  for (const OwnedColumn& column : from) to.push_back(column.pick(rows));
  return to;
}

/// Gives a row another value: another id where there is one, another number.
inline void change_row(OwnedColumn& column, int64_t row) {
  const auto r = static_cast<size_t>(row);
  if (!column.numbers.empty()) {
    float& number = column.numbers[r];
    number = number == 1.0F ? 2.0F : 1.0F;
    return;
  }
  const int64_t at = column.offsets.empty() ? row : column.offsets[r];
  if (!column.offsets.empty() && at == column.offsets[r + 1]) return;
  int64_t& id = column.ids[static_cast<size_t>(at)];
  id = id == 1 ? 0 : 1;
}

/// A batch of the picked requests in the given order; a request may come several times.
inline OwnedBatch pick_requests(const Config& c, const OwnedBatch& from,
                                const std::vector<Pick>& picks) {
  OwnedBatch to;
  std::vector<int64_t> events;
  std::vector<int64_t> requests;
  for (const Pick& pick : picks) {
    const auto r = static_cast<size_t>(pick.request);
    requests.push_back(pick.request);
    for (int64_t i = from.event_offsets[r]; i < from.event_offsets[r + 1]; ++i) events.push_back(i);
    to.event_offsets.push_back(static_cast<int64_t>(events.size()));
    to.candidate_offsets.push_back(to.candidate_offsets.back() +
                                   static_cast<int64_t>(pick.candidates.size()));
  }
  const std::vector<int64_t> candidates = candidate_columns(from, picks);
  to.event_columns = pick_rows(from.event_columns, events);
  to.event_times = pick_columns(from.event_times, 1, from.num_events(), events);
  to.first_ordinals = pick_columns(from.first_ordinals, 1, from.num_requests(), requests);
  to.reference_times = pick_columns(from.reference_times, 1, from.num_requests(), requests);
  to.user_columns = pick_rows(from.user_columns, requests);
  to.candidate_columns = pick_rows(from.candidate_columns, candidates);
  to.labels = pick_columns(from.labels, c.tasks.size(), from.num_candidates(), candidates);
  to.weights = pick_columns(from.weights, 1, from.num_candidates(), candidates);
  return to;
}

/// scores [tasks, ΣC] of the picked candidates, in pick order.
inline std::vector<float> pick_scores(const Config& c, const OwnedBatch& from,
                                      const std::vector<float>& scores,
                                      const std::vector<Pick>& picks) {
  return pick_columns(scores, c.tasks.size(), from.num_candidates(),
                      candidate_columns(from, picks));
}

}  // namespace longer::testing
