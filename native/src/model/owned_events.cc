#include "model/owned_events.hpp"

namespace longer {
namespace {

template <class T>
void extend(std::vector<T>& to, const T* from, int64_t begin, int64_t end) {
  to.insert(to.end(), from + begin, from + end);
}

bool bit(const uint8_t* bits, int64_t i) { return bits == nullptr || (bits[i / 8] >> (i % 8) & 1); }

}  // namespace

void OwnedEvents::add(size_t num_features, const BatchView& batch, int64_t begin, int64_t end) {
  if (begin == end) return;
  if (batch.event_times != nullptr) extend(times_, batch.event_times, begin, end);
  values_.resize(num_features);
  columns_.resize(num_features);
  for (size_t f = 0; f < num_features; ++f) {
    const Column& from = batch.event_columns[f];
    Values& to = values_[f];
    if (from.numbers != nullptr) {
      extend(to.numbers, from.numbers, begin, end);
    } else if (from.offsets != nullptr) {
      if (to.offsets.empty()) to.offsets.push_back(0);
      for (int64_t i = begin; i < end; ++i) {
        if (from.ids != nullptr) extend(to.ids, from.ids, from.offsets[i], from.offsets[i + 1]);
        to.offsets.push_back(static_cast<int64_t>(to.ids.size()));
      }
    } else {
      extend(to.ids, from.ids, begin, end);
      to.valid.resize((to.ids.size() + 7) / 8);
      for (int64_t i = begin; i < end; ++i) {
        const auto at = static_cast<size_t>(num_events_ + i - begin);
        if (bit(from.valid, i)) to.valid[at / 8] |= static_cast<uint8_t>(1U << (at % 8));
      }
    }
    columns_[f] = {to.ids.empty() ? nullptr : to.ids.data(),
                   to.numbers.empty() ? nullptr : to.numbers.data(),
                   to.offsets.empty() ? nullptr : to.offsets.data(),
                   to.valid.empty() ? nullptr : to.valid.data()};
  }
  num_events_ += end - begin;
  offsets_[1] = num_events_;
}

int64_t OwnedEvents::bytes() const {
  const auto bytes_of = [](const auto& v) {
    return static_cast<int64_t>(v.capacity() * sizeof(*v.data()));
  };
  int64_t bytes = bytes_of(times_) + bytes_of(values_) + bytes_of(columns_);
  for (const Values& v : values_) {
    bytes += bytes_of(v.ids) + bytes_of(v.offsets) + bytes_of(v.numbers) + bytes_of(v.valid);
  }
  return bytes;
}

BatchView OwnedEvents::view(const int64_t& first_ordinal) const {
  static constexpr int64_t kNoCandidates[2] = {0, 0};
  BatchView view;
  view.num_requests = 1;
  view.num_events = num_events_;
  view.event_offsets = offsets_;
  view.candidate_offsets = kNoCandidates;
  view.event_columns = columns_.data();
  view.event_times = times_.empty() ? nullptr : times_.data();
  view.first_ordinals = &first_ordinal;
  return view;
}

}  // namespace longer
