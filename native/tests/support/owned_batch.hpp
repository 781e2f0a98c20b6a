#pragma once
#include <cstdint>
#include <cstring>
#include <mutex>
#include <vector>

#include "longer/batch.hpp"

namespace longer::testing {

/// A column that owns its values. Fields that its kind does not have are empty; so is `valid` where
/// every row has an id.
struct OwnedColumn {
  std::vector<int64_t> ids;
  std::vector<float> numbers = {};
  std::vector<int64_t> offsets = {};
  std::vector<uint8_t> valid = {};

  Column view() const {
    return {offsets.empty() && ids.empty() ? nullptr : ids.data(),
            numbers.empty() ? nullptr : numbers.data(), offsets.empty() ? nullptr : offsets.data(),
            valid.empty() ? nullptr : valid.data()};
  }

  bool is_valid(size_t row) const {
    return valid.empty() || ((valid[row / 8] >> (row % 8)) & 1) != 0;
  }
  /// Makes room for the bit of `row`, the next one.
  void push_valid(size_t row, bool is_present) {
    if (row % 8 == 0) valid.push_back(0);
    valid[row / 8] = static_cast<uint8_t>(valid[row / 8] | (is_present ? 1U << (row % 8) : 0U));
  }

  /// The given rows, in order.
  OwnedColumn pick(const std::vector<int64_t>& rows) const {
    OwnedColumn picked;
    if (!offsets.empty()) picked.offsets.push_back(0);
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto row = static_cast<size_t>(rows[i]);
      if (!offsets.empty()) {
        picked.ids.insert(picked.ids.end(), ids.begin() + offsets[row],
                          ids.begin() + offsets[row + 1]);
        picked.offsets.push_back(static_cast<int64_t>(picked.ids.size()));
      } else if (!numbers.empty()) {
        picked.numbers.push_back(numbers[row]);
      } else {
        picked.ids.push_back(ids[row]);
        if (!valid.empty()) picked.push_valid(i, is_valid(row));
      }
    }
    return picked;
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
