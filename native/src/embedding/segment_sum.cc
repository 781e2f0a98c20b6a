#include "embedding/segment_sum.hpp"

#include <algorithm>

namespace longer {
namespace {

constexpr int64_t kPartLength = 2048;  // occurrences summed by one item
constexpr int64_t kSegmentsPerItem = 64;

/// visit(table row, gradient row) for each value that is there, in order.
template <class Visit>
void for_occurrences(const GradientSource& source, const Visit& visit) {
  for (int64_t i = 0; i < source.count; ++i) {
    const int64_t begin = source.offsets == nullptr ? i : source.offsets[i];
    const int64_t end = source.offsets == nullptr ? i + 1 : source.offsets[i + 1];
    for (int64_t at = begin; at < end; ++at) {
      if (source.rows[at] >= 0) visit(source.rows[at], source.values + i * source.stride);
    }
  }
}

void add_rows(const float* const* rows, int64_t count, int64_t width, float* sum) {
  for (int64_t i = 0; i < count; ++i) {
    const float* row = rows[i];
    for (int64_t c = 0; c < width; ++c) sum[c] += row[c];
  }
}

}  // namespace

int32_t SegmentSum::slot_of(int32_t row) {
  int32_t& slot = slot_of_row_[static_cast<size_t>(row)];
  if (slot < 0) {
    rows_.push_back(row);
    segment_of_slot_.push_back(-1);
    slot = static_cast<int32_t>(rows_.size()) - 1;
  }
  return slot;
}

void SegmentSum::group(const std::vector<GradientSource>& sources, int64_t num_table_rows) {
  slot_of_row_.resize(std::max(slot_of_row_.size(), static_cast<size_t>(num_table_rows)), -1);
  slots_.clear();
  segments_.clear();
  offsets_.assign(1, 0);
  for (const GradientSource& source : sources) {
    for_occurrences(source, [this](int32_t row, const float*) {
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
  for (const GradientSource& source : sources) {
    for_occurrences(source, [this, &next](int32_t, const float* values) {
      int32_t& place = offsets_[static_cast<size_t>(segments_[next++]) + 1];
      occurrences_[static_cast<size_t>(place++)] = values;
    });
  }
}

void SegmentSum::cut() {
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

void SegmentSum::clear() {
  for (const int32_t row : rows_) slot_of_row_[static_cast<size_t>(row)] = -1;
  rows_.clear();
  segment_of_slot_.clear();
  sums_.clear();
}

void SegmentSum::add(ThreadPool* pool, const std::vector<GradientSource>& sources, int64_t width,
                     int64_t num_table_rows) {
  width_ = width;
  group(sources, num_table_rows);
  cut();
  const auto segments = static_cast<int64_t>(slots_.size());
  sums_.resize(rows_.size() * static_cast<size_t>(width), 0.0F);
  part_sums_.assign(parts_.size() * static_cast<size_t>(width), 0.0F);
  parallel_for(pool, static_cast<int64_t>(parts_.size()), [&](int64_t i) {
    const Part& part = parts_[static_cast<size_t>(i)];
    add_rows(occurrences_.data() + part.begin, part.end - part.begin, width,
             part_sums_.data() + i * width);
  });
  parallel_for(pool, (segments + kSegmentsPerItem - 1) / kSegmentsPerItem, [&](int64_t item) {
    const int64_t end = std::min(segments, (item + 1) * kSegmentsPerItem);
    for (int64_t s = item * kSegmentsPerItem; s < end; ++s) {
      const auto i = static_cast<size_t>(s);
      float* sum = sums_.data() + slots_[i] * width;
      if (first_part_[i] < 0) {
        add_rows(occurrences_.data() + offsets_[i], offsets_[i + 1] - offsets_[i], width, sum);
        continue;
      }
      for (auto p = static_cast<size_t>(first_part_[i]);
           p < parts_.size() && parts_[p].segment == s; ++p) {
        const float* from = part_sums_.data() + static_cast<int64_t>(p) * width;
        for (int64_t c = 0; c < width; ++c) sum[c] += from[c];
      }
    }
  });
}

void SegmentSum::add_to(float* table) const {
  for (size_t s = 0; s < rows_.size(); ++s) {
    float* to = table + rows_[s] * width_;
    const float* from = sums_.data() + static_cast<int64_t>(s) * width_;
    for (int64_t c = 0; c < width_; ++c) to[c] += from[c];
  }
}

int64_t SegmentSum::bytes() const {
  const size_t ints = slot_of_row_.capacity() + segment_of_slot_.capacity() + rows_.capacity() +
                      slots_.capacity() + offsets_.capacity() + segments_.capacity() +
                      first_part_.capacity();
  return static_cast<int64_t>(ints * sizeof(int32_t) +
                              occurrences_.capacity() * sizeof(const float*) +
                              parts_.capacity() * sizeof(Part) +
                              (part_sums_.capacity() + sums_.capacity()) * sizeof(float));
}

}  // namespace longer
