#include "serving/history_hash.hpp"

#include <cstddef>

#include "model/column_values.hpp"

namespace longer {
namespace {

/// One link of the chain (SplitMix64's finaliser).
uint64_t link(uint64_t hash, int64_t value) {
  uint64_t x = (hash ^ static_cast<uint64_t>(value)) + 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

void HistoryHash::add(const Config& config, const BatchView& batch) {
  for (int64_t i = 0; i < batch.num_events; ++i) {
    for (size_t f = 0; f < config.event_features.size(); ++f) {
      visit_values(config.event_features[f], batch.event_columns[f], i,
                   [this](int64_t value) { chain_ = link(chain_, value); });
    }
    if (config.time != TimeMode::kNone) chain_ = link(chain_, batch.event_times[i]);
  }
  num_events_ += batch.num_events;
}

int64_t HistoryHash::version(int64_t first_ordinal) const {
  const uint64_t hash = link(link(chain_, num_events_), first_ordinal);
  return hash == 0 ? 1 : static_cast<int64_t>(hash);
}

}  // namespace longer
