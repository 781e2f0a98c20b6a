#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "longer/batch.hpp"

namespace longer::testing {

/// Requests of kShardSchemaJson as plain values: what tests compare with.
struct PlainEvent {
  int64_t time = 0;
  std::optional<int64_t> item;
  std::vector<int64_t> tags;
  std::optional<float> price;
  bool operator==(const PlainEvent& o) const {
    return time == o.time && item == o.item && tags == o.tags && price == o.price;
  }
};
struct PlainCandidate {
  std::optional<int64_t> item;
  std::vector<int64_t> words;
  std::optional<float> click, buy;
  float weight = 1;
  bool operator==(const PlainCandidate& o) const {
    return item == o.item && words == o.words && click == o.click && buy == o.buy &&
           weight == o.weight;
  }
};
struct PlainRequest {
  int64_t user_key = 0;
  int64_t first_ordinal = 0;
  int64_t reference_time = 0;
  std::optional<int64_t> country;
  std::optional<float> hours;
  std::vector<PlainEvent> events;
  std::vector<PlainCandidate> candidates;
  bool operator==(const PlainRequest& o) const {
    return user_key == o.user_key && first_ordinal == o.first_ordinal &&
           reference_time == o.reference_time && country == o.country && hours == o.hours &&
           events == o.events && candidates == o.candidates;
  }
};

/// Builds columns by the definitions in longer.h.
class ColumnOfTest {
 public:
  void one(std::optional<int64_t> id) {
    valid_.resize(static_cast<size_t>(rows_ / 8 + 1));
    if (id) valid_[static_cast<size_t>(rows_ / 8)] |= static_cast<uint8_t>(1 << rows_ % 8);
    ids_.push_back(id.value_or(-77));  // what a missing id is must not matter
    has_missing_ |= !id;
    ++rows_;
  }
  void many(const std::vector<int64_t>& ids) {
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    offsets_.push_back(static_cast<int64_t>(ids_.size()));
  }
  void number(std::optional<float> value) {
    numbers_.push_back(value.value_or(std::numeric_limits<float>::quiet_NaN()));
  }
  Column one_view() const {
    return {ids_.data(), nullptr, nullptr, has_missing_ ? valid_.data() : nullptr};
  }
  Column many_view() const { return {ids_.data(), nullptr, offsets_.data(), nullptr}; }
  Column number_view() const { return {nullptr, numbers_.data(), nullptr, nullptr}; }

 private:
  int64_t rows_ = 0;
  bool has_missing_ = false;
  std::vector<int64_t> ids_, offsets_ = {0};
  std::vector<float> numbers_;
  std::vector<uint8_t> valid_;
};

/// A batch of plain requests.
class PlainBatch {
 public:
  explicit PlainBatch(const std::vector<PlainRequest>& requests) {
    for (const PlainRequest& r : requests) {
      user_keys_.push_back(r.user_key);
      first_ordinals_.push_back(r.first_ordinal);
      reference_times_.push_back(r.reference_time);
      country_.one(r.country);
      hours_.number(r.hours);
      for (const PlainEvent& e : r.events) {
        times_.push_back(e.time);
        event_item_.one(e.item);
        tags_.many(e.tags);
        price_.number(e.price);
      }
      for (const PlainCandidate& c : r.candidates) {
        item_.one(c.item);
        words_.many(c.words);
        clicks_.push_back(c.click.value_or(NAN));
        buys_.push_back(c.buy.value_or(NAN));
        weights_.push_back(c.weight);
        has_weights_ |= c.weight != 1.0F;
      }
      event_offsets_.push_back(static_cast<int64_t>(times_.size()));
      candidate_offsets_.push_back(static_cast<int64_t>(clicks_.size()));
    }
    labels_ = clicks_;
    labels_.insert(labels_.end(), buys_.begin(), buys_.end());
    event_columns_ = {event_item_.one_view(), tags_.many_view(), price_.number_view()};
    user_columns_ = {country_.one_view(), hours_.number_view()};
    candidate_columns_ = {item_.one_view(), words_.many_view()};
  }
  PlainBatch(const PlainBatch&) = delete;
  PlainBatch& operator=(const PlainBatch&) = delete;

  BatchView view() const {
    BatchView v;
    v.num_requests = static_cast<int64_t>(user_keys_.size());
    v.num_events = event_offsets_.back();
    v.num_candidates = candidate_offsets_.back();
    v.event_offsets = event_offsets_.data();
    v.candidate_offsets = candidate_offsets_.data();
    v.event_columns = event_columns_.data();
    v.event_times = times_.data();
    v.first_ordinals = first_ordinals_.data();
    v.reference_times = reference_times_.data();
    v.user_columns = user_columns_.data();
    v.candidate_columns = candidate_columns_.data();
    v.labels = labels_.data();
    v.weights = has_weights_ ? weights_.data() : nullptr;
    return v;
  }
  const int64_t* user_keys() const { return user_keys_.data(); }

 private:
  std::vector<int64_t> user_keys_, first_ordinals_, reference_times_, times_;
  std::vector<int64_t> event_offsets_ = {0}, candidate_offsets_ = {0};
  ColumnOfTest country_, hours_, event_item_, tags_, price_, item_, words_;
  std::vector<Column> event_columns_, user_columns_, candidate_columns_;
  std::vector<float> clicks_, buys_, labels_, weights_;
  bool has_weights_ = false;
};

/// The plain requests of a batch.
inline std::vector<PlainRequest> plain(const BatchView& v, const std::vector<int64_t>& user_keys) {
  const auto one = [](const Column& c, int64_t i) -> std::optional<int64_t> {
    if (c.valid != nullptr && (c.valid[i / 8] >> i % 8 & 1) == 0) return std::nullopt;
    return c.ids[i];
  };
  const auto many = [](const Column& c, int64_t i) -> std::vector<int64_t> {
    return {c.ids + c.offsets[i], c.ids + c.offsets[i + 1]};
  };
  const auto number = [](float value) -> std::optional<float> {
    if (std::isnan(value)) return std::nullopt;
    return value;
  };
  std::vector<PlainRequest> requests;
  for (int64_t b = 0; b < v.num_requests; ++b) {
    PlainRequest r;
    r.user_key = user_keys[static_cast<size_t>(b)];
    r.first_ordinal = v.first_ordinals[b];
    r.reference_time = v.reference_times[b];
    r.country = one(v.user_columns[0], b);
    r.hours = number(v.user_columns[1].numbers[b]);
    for (int64_t i = v.event_offsets[b]; i < v.event_offsets[b + 1]; ++i) {
      r.events.push_back({v.event_times[i], one(v.event_columns[0], i), many(v.event_columns[1], i),
                          number(v.event_columns[2].numbers[i])});
    }
    for (int64_t c = v.candidate_offsets[b]; c < v.candidate_offsets[b + 1]; ++c) {
      r.candidates.push_back({one(v.candidate_columns[0], c), many(v.candidate_columns[1], c),
                              number(v.labels[c]), number(v.labels[v.num_candidates + c]),
                              v.weights == nullptr ? 1.0F : v.weights[c]});
    }
    requests.push_back(std::move(r));
  }
  return requests;
}

/// Users with logs of 0 … 2000 events and requests along them, as a log gives them; 0, 1 or many
/// candidates; missing values everywhere.
inline std::vector<PlainRequest> random_requests(int num_users, uint64_t seed,
                                                 bool with_weights = true) {
  std::mt19937_64 random(seed);
  const auto below = [&](int64_t n) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
  };
  const auto maybe_id = [&]() -> std::optional<int64_t> {
    if (below(5) == 0) return std::nullopt;
    return static_cast<int64_t>(random());
  };
  const auto ids = [&] {
    std::vector<int64_t> list;
    for (int64_t i = below(4); i > 0; --i) list.push_back(below(100));
    return list;
  };
  const auto maybe_number = [&]() -> std::optional<float> {
    if (below(5) == 0) return std::nullopt;
    return static_cast<float>(below(1000)) / 8;
  };
  const auto maybe_label = [&]() -> std::optional<float> {
    if (below(4) == 0) return std::nullopt;
    return static_cast<float>(below(2));
  };
  constexpr int64_t kSizes[] = {0, 1, 2, 7, 8, 9, 60, 2000};
  std::vector<PlainRequest> requests;
  for (int user = 0; user < num_users; ++user) {
    std::vector<PlainEvent> log;
    int64_t time = below(1000);
    for (int64_t i = kSizes[below(8)]; i > 0; --i) {
      time += below(3);
      log.push_back({time, maybe_id(), ids(), maybe_number()});
    }
    const auto size = static_cast<int64_t>(log.size());
    int64_t end = 0;
    for (int64_t r = below(6); r >= 0; --r) {
      end = std::min(size, end + below(size + 1));
      const int64_t begin = below(3) == 0 ? below(end + 1) : 0;
      PlainRequest request;
      request.user_key = user * 1000 - 5000;
      request.first_ordinal = 40 + begin;
      request.reference_time = time + 1;
      request.country = maybe_id();
      request.hours = maybe_number();
      request.events.assign(log.begin() + begin, log.begin() + end);
      constexpr int64_t kCandidates[] = {0, 1, 1, 3, 50};
      for (int64_t c = kCandidates[below(5)]; c > 0; --c) {
        request.candidates.push_back({maybe_id(), ids(), maybe_label(), maybe_label(),
                                      with_weights ? static_cast<float>(below(3)) : 1.0F});
      }
      requests.push_back(std::move(request));
    }
  }
  return requests;
}

}  // namespace longer::testing
