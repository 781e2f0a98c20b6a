#pragma once
#include <cstdint>

#include "longer/batch.hpp"
#include "longer/config.hpp"

namespace longer {

/// The chained 64-bit hash of a user's events, oldest first (LONGER §3.6.3). Adding the events of
/// two calls one after the other gives what adding them at once gives, so an append continues it.
class HistoryHash {
 public:
  /// Adds all events of a validated batch of one request.
  void add(const Config& config, const BatchView& batch);
  /// The hash of the events so far, of their number and of the first one's ordinal; never 0.
  int64_t version(int64_t first_ordinal) const;

 private:
  uint64_t chain_ = 0;
  int64_t num_events_ = 0;
};

}  // namespace longer
