#include "serving/user_encoding.hpp"

#include <algorithm>

#include "core/live_count.hpp"

namespace longer {
namespace {

/// Rows that appends write without moving the others: an eighth more, and never fewer than a few.
int64_t with_room(int64_t rows) { return rows + std::max<int64_t>(8, rows / 8); }

/// More are written to a copy, so that nobody waits for them.
constexpr int64_t kMostRowsInPlace = 64;

}  // namespace

UserEncoding::UserEncoding(const HistoryKey& key, const Config& config,
                           const CachedHistory& history, Memory& memory)
    : key_(key),
      history_(history),
      head_share_(config.num_history_slots() > 0 ? config.model_width() : 0, memory) {
  layers_.reserve(static_cast<size_t>(config.num_layers()));
  const bool grows = can_append(config);
  const auto room = [grows](int64_t rows) { return grows ? with_room(rows) : rows; };
  for (int64_t l = 0; l < config.num_layers(); ++l) {
    const int64_t rows = l == 0 ? history.num_merged_rows : history.num_queries;
    layers_.emplace_back(rows, 2 * config.model_width(), room(rows), memory);
  }
  const auto query_rows = [&] {
    return GrowingRows(history.num_queries, config.model_width(), room(history.num_queries),
                       memory);
  };
  if (needs_query_rows(config)) query_rows_ = query_rows();
  if (needs_head_rows(config)) head_rows_ = query_rows();
  update();
}

UserEncoding::UserEncoding(const UserEncoding& former, HistoryChange&& change)
    : key_(change.key),
      history_(change.history),
      end_(std::move(change.end)),
      head_share_(former.head_share_.size(), former.head_share_.memory()) {
  layers_.reserve(former.layers_.size());
  for (size_t l = 0; l < former.layers_.size(); ++l) {
    const RowChange& rows = change.rows.keys_values[l];
    layers_.emplace_back(former.layers_[l], rows, with_room(rows.num_rows()));
  }
  const int64_t room = with_room(change.rows.num_queries);
  if (former.query_rows_.cols() > 0)
    query_rows_ = GrowingRows(former.query_rows_, change.rows.query_rows, room);
  if (former.head_rows_.cols() > 0)
    head_rows_ = GrowingRows(former.head_rows_, change.rows.head_rows, room);
  copy_share(change.rows.head_share);
  update();
}

UserEncoding::~UserEncoding() { live_bytes().add(-bytes_); }

void UserEncoding::update() {
  int64_t bytes = static_cast<int64_t>(sizeof(*this)) + end_.tail.bytes() + query_rows_.bytes() +
                  head_rows_.bytes() + head_share_.bytes();
  keys_values_.layers.clear();
  for (GrowingRows& layer : layers_) {
    keys_values_.layers.push_back(layer.view());
    bytes += layer.bytes();
  }
  if (head_share_.size() > 0) keys_values_.head_share = {head_share_.data(), 1, head_share_.size()};
  live_bytes().add(bytes - bytes_);
  bytes_ = bytes;
}

void UserEncoding::copy_share(ConstMatrixView share) {
  if (head_share_.size() == 0) return;
  head_share_.memory().copy(head_share_.data(), share.data,
                            static_cast<size_t>(head_share_.bytes()));
}

void UserEncoding::finish(HistoryEnd&& end, const Activations& activations) {
  end_ = std::move(end);
  if (query_rows_.cols() > 0) query_rows_.apply({0, 0, activations.merged_rows[1]});
  if (head_rows_.cols() > 0) head_rows_.apply({0, 0, activations.merged_rows.back()});
  update();
}

bool UserEncoding::has_room(const HistoryChange& change) const {
  int64_t written = 0;
  for (size_t l = 0; l < layers_.size(); ++l) {
    const RowChange& rows = change.rows.keys_values[l];
    if (!layers_[l].has_room(rows)) return false;
    written += rows.added.rows;
  }
  return written <= kMostRowsInPlace &&
         (query_rows_.cols() == 0 || query_rows_.has_room(change.rows.query_rows)) &&
         (head_rows_.cols() == 0 || head_rows_.has_room(change.rows.head_rows));
}

void UserEncoding::apply(HistoryChange&& change) {
  key_ = change.key;
  history_ = change.history;
  end_ = std::move(change.end);
  for (size_t l = 0; l < layers_.size(); ++l) layers_[l].apply(change.rows.keys_values[l]);
  if (query_rows_.cols() > 0) query_rows_.apply(change.rows.query_rows);
  if (head_rows_.cols() > 0) head_rows_.apply(change.rows.head_rows);
  copy_share(change.rows.head_share);
  update();
}

}  // namespace longer
