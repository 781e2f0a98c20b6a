#pragma once
#include <cstdint>
#include <cstring>
#include <mutex>
#include <vector>

#include "longer/batch.hpp"

namespace longer::testing {

/// A column that owns its values.
struct OwnedColumn {
  std::vector<int64_t> ids;

  Column view() const {
    Column column{};
    column.ids = ids.data();
    return column;
  }
};

/// The columns of a list of features. Views of them last until the values change or move.
class OwnedColumns : public std::vector<OwnedColumn> {
 public:
  /// Safe from any thread while nobody changes the columns.
  const Column* views() const {
    static std::mutex mutex;
    const std::lock_guard<std::mutex> lock(mutex);
    views_.resize(size());
    for (size_t f = 0; f < size(); ++f) {
      const Column view = (*this)[f].view();
      // Others may be reading what is right already.
      if (std::memcmp(&views_[f], &view, sizeof(view)) != 0) views_[f] = view;
    }
    return views_.data();
  }

 private:
  mutable std::vector<Column> views_;
};

/// A batch that owns its columns.
struct OwnedBatch {
  std::vector<int64_t> event_offsets = {0};
  std::vector<int64_t> candidate_offsets = {0};
  std::vector<int64_t> event_times, first_ordinals, reference_times;
  OwnedColumns event_columns, user_columns, candidate_columns;
  std::vector<float> labels, weights;

  int64_t num_requests() const { return static_cast<int64_t>(event_offsets.size()) - 1; }
  int64_t num_events() const { return event_offsets.back(); }
  int64_t num_candidates() const { return candidate_offsets.back(); }

  BatchView view() const {
    return {num_requests(),
            num_events(),
            num_candidates(),
            event_offsets.data(),
            candidate_offsets.data(),
            event_columns.views(),
            event_times.data(),
            first_ordinals.data(),
            reference_times.data(),
            user_columns.views(),
            candidate_columns.views(),
            labels.data(),
            weights.data()};
  }
};

}  // namespace longer::testing
