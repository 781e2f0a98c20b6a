#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "longer/batch.hpp"

namespace longer {

/// Events of one user in memory of their own, oldest first.
class OwnedEvents {
 public:
  OwnedEvents() = default;
  OwnedEvents(const OwnedEvents&) = delete;
  OwnedEvents& operator=(const OwnedEvents&) = delete;
  OwnedEvents(OwnedEvents&&) = default;
  OwnedEvents& operator=(OwnedEvents&&) = default;

  /// Adds events [begin, end) of a validated batch's only request.
  void add(size_t num_features, const BatchView& batch, int64_t begin, int64_t end);
  int64_t size() const { return num_events_; }
  int64_t bytes() const;
  /// A batch of one request without candidates; borrows this.
  BatchView view(const int64_t& first_ordinal) const;

 private:
  /// One feature's values; which of them are used depends on its kind.
  struct Values {
    std::vector<int64_t> ids, offsets;
    std::vector<float> numbers;
    std::vector<uint8_t> valid;
  };
  int64_t num_events_ = 0;
  int64_t offsets_[2] = {0, 0};
  std::vector<int64_t> times_;
  std::vector<Values> values_;
  std::vector<Column> columns_;  // views of `values_`
};

}  // namespace longer
