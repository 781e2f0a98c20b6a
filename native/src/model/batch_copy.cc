#include "model/batch_copy.hpp"

#include <cstring>

namespace longer {

template <class T>
void BatchCopy::copy(const T*& values, int64_t count) {
  if (values == nullptr) return;
  const size_t bytes = static_cast<size_t>(count) * sizeof(T);
  memory_.push_back(std::make_unique<uint8_t[]>(bytes));  // aligned for any fundamental type
  if (bytes > 0) std::memcpy(memory_.back().get(), values, bytes);
  values = reinterpret_cast<const T*>(memory_.back().get());
}

void BatchCopy::copy_columns(const Column*& columns, size_t num_columns, int64_t rows) {
  if (rows == 0) columns = nullptr;
  if (columns == nullptr) return;
  const size_t first = columns_.size();
  for (size_t f = 0; f < num_columns; ++f) {
    Column column = columns[f];
    if (column.offsets != nullptr) {
      copy(column.ids, column.offsets[rows]);
      copy(column.offsets, rows + 1);
    } else {
      copy(column.ids, rows);
    }
    copy(column.numbers, rows);
    copy(column.valid, (rows + 7) / 8);
    columns_.push_back(column);
  }
  columns = columns_.data() + first;
}

BatchCopy::BatchCopy(const Config& config, const BatchView& batch) : view_(batch) {
  const auto num_user = static_cast<size_t>(config.num_user_features());
  columns_.reserve(config.event_features.size() + num_user +
                   config.candidate_features.size());  // they stay where they are put
  copy(view_.event_offsets, batch.num_requests + 1);
  copy(view_.candidate_offsets, batch.num_requests + 1);
  copy_columns(view_.event_columns, config.event_features.size(), batch.num_events);
  copy(view_.event_times, batch.num_events);
  copy(view_.first_ordinals, batch.num_requests);
  copy(view_.reference_times, batch.num_requests);
  copy_columns(view_.user_columns, num_user, batch.num_requests);
  copy_columns(view_.candidate_columns, config.candidate_features.size(), batch.num_candidates);
  view_.labels = nullptr;
  view_.weights = nullptr;
}

}  // namespace longer
