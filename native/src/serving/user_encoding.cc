#include "serving/user_encoding.hpp"

#include "core/live_count.hpp"

namespace longer {

UserEncoding::UserEncoding(const HistoryKey& key, const Config& config,
                           const CachedHistory& history)
    : key_(key),
      history_(history),
      head_share_(config.num_history_slots() > 0 ? config.model_width() : 0),
      bytes_(static_cast<int64_t>(sizeof(*this)) + head_share_.bytes()) {
  layers_.reserve(static_cast<size_t>(config.num_layers()));
  for (int64_t l = 0; l < config.num_layers(); ++l) {
    const int64_t rows = l == 0 ? history.num_merged_rows : history.num_queries;
    layers_.emplace_back(rows, 2 * config.model_width(), rows);
    keys_values_.layers.push_back(layers_.back().view());
    bytes_ += layers_.back().bytes();
  }
  if (head_share_.size() > 0)
    keys_values_.head_share = {head_share_.data(), 1, config.model_width()};
  live_bytes().add(bytes_);
}

UserEncoding::~UserEncoding() { live_bytes().add(-bytes_); }

}  // namespace longer
