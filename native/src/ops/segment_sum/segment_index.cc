#include "ops/segment_sum/segment_index.hpp"

#include <algorithm>

namespace longer {
namespace {

constexpr int64_t kPartLength = 2048;  // occurrences summed by one item

/// visit(table row, gradient row's number) for each value that is there, in order.
template <class Visit>
void for_occurrences(const RowSource& source, const Visit& visit) {
  for (int64_t i = 0; i < source.count; ++i) {
    const int64_t begin = source.offsets == nullptr ? i : source.offsets[i];
    const int64_t end = source.offsets == nullptr ? i + 1 : source.offsets[i + 1];
    for (int64_t at = begin; at < end; ++at) {
      if (source.rows[at] >= 0) visit(source.rows[at], i);
    }
  }
}

}  // namespace

int32_t SegmentIndex::slot_of(int32_t row) {
  int32_t& slot = slot_of_row_[static_cast<size_t>(row)];
  if (slot < 0) {
    rows_.push_back(row);
    segment_of_slot_.push_back(-1);
    slot = static_cast<int32_t>(rows_.size()) - 1;
  }
  return slot;
}

void SegmentIndex::group(const std::vector<RowSource>& sources,
                         const std::vector<GradientRows>& gradients, int64_t num_table_rows) {
  slot_of_row_.resize(std::max(slot_of_row_.size(), static_cast<size_t>(num_table_rows)), -1);
  slots_.clear();
  segments_.clear();
  offsets_.assign(1, 0);
  for (const RowSource& source : sources) {
    for_occurrences(source, [this](int32_t row, int64_t) {
      const int32_t slot = slot_of(row);
      int32_t& segment = segment_of_slot_[static_cast<size_t>(slot)];
      if (segment < 0) {
        segment = static_cast<int32_t>(slots_.size());
        slots_.push_back(slot);
        offsets_.push_back(0);
      }
      ++offsets_[static_cast<size_t>(segment) + 1];
      segments_.push_back(segment);
    });
  }
  for (const int32_t slot : slots_) segment_of_slot_[static_cast<size_t>(slot)] = -1;

  // offsets_[s + 1] becomes the next free place of segment s, and its end when all are placed.
  int32_t begin = 0;
  for (size_t s = 0; s < slots_.size(); ++s) {
    const int32_t count = offsets_[s + 1];
    offsets_[s + 1] = begin;
    begin += count;
  }
  occurrences_.resize(segments_.size());
  size_t next = 0;
  for (size_t s = 0; s < sources.size(); ++s) {
    const GradientRows& from = gradients[s];
    for_occurrences(sources[s], [this, &next, &from](int32_t, int64_t i) {
      int32_t& place = offsets_[static_cast<size_t>(segments_[next++]) + 1];
      occurrences_[static_cast<size_t>(place++)] = from.values + i * from.stride;
    });
  }
}

void SegmentIndex::cut() {
  parts_.clear();
  first_part_.assign(slots_.size(), -1);
  for (size_t s = 0; s < slots_.size(); ++s) {
    if (offsets_[s + 1] - offsets_[s] <= kPartLength) continue;
    first_part_[s] = static_cast<int32_t>(parts_.size());
    for (int32_t begin = offsets_[s]; begin < offsets_[s + 1]; begin += kPartLength) {
      parts_.push_back({static_cast<int32_t>(s), begin,
                        std::min(offsets_[s + 1], begin + static_cast<int32_t>(kPartLength))});
    }
  }
}

void SegmentIndex::clear() {
  for (const int32_t row : rows_) slot_of_row_[static_cast<size_t>(row)] = -1;
  rows_.clear();
  segment_of_slot_.clear();
}

Segments SegmentIndex::add(const std::vector<RowSource>& sources,
                           const std::vector<GradientRows>& gradients, int64_t width,
                           int64_t num_table_rows) {
  group(sources, gradients, num_table_rows);
  cut();
  return {static_cast<int64_t>(slots_.size()),
          width,
          slots_.data(),
          offsets_.data(),
          occurrences_.data(),
          first_part_.data(),
          parts_.data(),
          static_cast<int64_t>(parts_.size())};
}

int64_t SegmentIndex::bytes() const {
  const size_t ints = slot_of_row_.capacity() + segment_of_slot_.capacity() + rows_.capacity() +
                      slots_.capacity() + offsets_.capacity() + segments_.capacity() +
                      first_part_.capacity();
  return static_cast<int64_t>(ints * sizeof(int32_t) +
                              occurrences_.capacity() * sizeof(const float*) +
                              parts_.capacity() * sizeof(SegmentPart));
}

}  // namespace longer
