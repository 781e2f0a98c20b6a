#pragma once
// An event encoder with random weights over ragged groups: for the kernels and for their twin.
#include <cmath>
#include <deque>
#include <string>
#include <vector>

#include "ops/event_encoder/event_encoder.hpp"
#include "reference/event_encoder.hpp"
#include "support/poison.hpp"
#include "support/random_data.hpp"

namespace longer::testing {

struct EventEncoderShape {
  int64_t group_size, d, heads, blocks, time_width, groups;
  std::string name() const {
    std::string text = "K " + std::to_string(group_size) + ", d " + std::to_string(d) + ", heads " +
                       std::to_string(heads) + ", inner " + std::to_string(blocks) + ", T " +
                       std::to_string(time_width);
    return text + ", groups " + std::to_string(groups);
  }
};

/// How many events the groups have: as many as there are slots, or any number from 1.
enum class Fill { kFull, kRagged };

/// The features' tables.
struct EventTables {
  std::vector<int64_t> widths = {5, 3};
  int64_t rows = 11;
};

class EventEncoderCase {
 public:
  static constexpr int64_t kBuckets = 7;
  static constexpr int64_t kPositions = 40;

  explicit EventEncoderCase(const EventEncoderShape& s, Fill fill = Fill::kRagged,
                            const EventTables& tables = {})
      : shape_(s), table_rows_(tables.rows) {
    int64_t x = 0;
    for (const int64_t width : tables.widths) x += width;
    twin_.group_size = static_cast<size_t>(s.group_size);
    twin_.heads = static_cast<size_t>(s.heads);
    twin_.time_width = static_cast<size_t>(s.time_width);
    for (const int64_t width : tables.widths) {
      twin_.widths.push_back(static_cast<size_t>(width));
      twin_.tables.emplace_back();
      weights_.tables.push_back(
          {values(table_rows_ * width, twin_.tables.back()), width, table_rows_});
    }
    weights_.position = values(kPositions * x, twin_.position);
    weights_.num_positions = kPositions;
    weights_.time_width = s.time_width;
    if (s.time_width > 0) {
      weights_.time_bucket = values(kBuckets * s.time_width, twin_.time_bucket);
      weights_.num_time_buckets = kBuckets;
    }
    weights_.fc1 = linear(2 * s.d, x + s.time_width, twin_.fc1);
    weights_.fc2 = linear(s.d, 2 * s.d, twin_.fc2);
    weights_.inner_heads = s.heads;
    if (s.blocks > 0) weights_.slot = values(s.group_size * s.d, twin_.slot);
    twin_.blocks.resize(static_cast<size_t>(s.blocks));
    for (reference::InnerBlock& block : twin_.blocks) {
      BlockWeights w;
      w.ln1 = norm(block.ln1);
      w.qkv = linear(3 * s.d, s.d, block.qkv);
      w.out = linear(s.d, s.d, block.out);
      w.ln2 = norm(block.ln2);
      w.fc1 = linear(4 * s.d, s.d, block.fc1);
      w.fc2 = linear(s.d, 4 * s.d, block.fc2);
      weights_.inner.push_back(w);
    }
    draw_events(fill);
  }

  const EventEncoderShape& shape() const { return shape_; }
  EventEncoderWeights& weights() { return weights_; }
  reference::EventEncoder& twin() { return twin_; }
  const reference::Events& events() const { return events_; }
  int64_t num_events() const { return static_cast<int64_t>(events_.count()); }
  int64_t merged_width() const { return shape_.group_size * shape_.d; }
  /// Rows of a table, to be changed: [rows, width].
  float* table(size_t feature) { return memory_[feature].data(); }

  EventTokens tokens() const {
    return {num_events(),     shape_.groups,     shape_.group_size,
            features_.data(), positions_.data(), shape_.time_width > 0 ? buckets_.data() : nullptr,
            offsets_.data(),  slots_.data()};
  }

 private:
  float* values(int64_t count, reference::Doubles& twin, float deviation = 0.5F,
                float mean = 0.0F) {
    memory_.push_back(random_floats(count, memory_.size() + 1, deviation));
    for (float& value : memory_.back()) value += mean;
    twin = to_double(memory_.back());
    return memory_.back().data();
  }
  LinearWeights linear(int64_t out, int64_t in, reference::LinearParameters& twin) {
    twin.in = static_cast<size_t>(in);
    twin.out = static_cast<size_t>(out);
    const float deviation = 1.0F / std::sqrt(static_cast<float>(in));
    LinearWeights w{values(out * in, twin.weight, deviation), values(out, twin.bias), out, in,
                    nullptr};
    packed_.emplace_back().pack(w.weight, w.bias, out, in, PackFor::kTraining);
    w.packed = &packed_.back();
    return w;
  }
  NormWeights norm(reference::NormParameters& twin) {
    return {values(shape_.d, twin.weight, 0.2F, 1.0F), values(shape_.d, twin.bias)};
  }
  /// Missing events lie at the old end of a group, at its new end, or between.
  void draw_events(Fill fill) {
    std::mt19937_64 random(7);
    const auto below = [&random](int64_t end) {
      return std::uniform_int_distribution<int64_t>(0, end - 1)(random);
    };
    for (int64_t g = 0; g < shape_.groups; ++g) {
      const int64_t kind = fill == Fill::kFull ? 0 : g % 4;
      const int64_t missing = kind == 0 ? 0 : below(shape_.group_size);
      for (int64_t slot = 0; slot < shape_.group_size; ++slot) {
        const bool is_old_pad = kind == 1 && slot < missing;
        const bool is_new_pad = kind == 2 && slot >= shape_.group_size - missing;
        const bool is_hole = kind == 3 && slot > 0 && slot <= missing;
        if (is_old_pad || is_new_pad || is_hole) continue;
        slots_.push_back(static_cast<int32_t>(slot));
        positions_.push_back(static_cast<int32_t>(below(kPositions)));
        buckets_.push_back(static_cast<int32_t>(below(kBuckets)));
      }
      offsets_.push_back(static_cast<int32_t>(slots_.size()));
      events_.offsets.push_back(slots_.size());
    }
    events_.positions.assign(positions_.begin(), positions_.end());
    events_.buckets.assign(buckets_.begin(), buckets_.end());
    events_.slots.assign(slots_.begin(), slots_.end());
    for (size_t f = 0; f < twin_.widths.size(); ++f) {
      std::vector<size_t> rows;
      std::vector<int32_t>& feature_rows = feature_rows_.emplace_back();
      for (int64_t i = 0; i < num_events(); ++i) {
        rows.push_back(static_cast<size_t>(below(table_rows_)));
        feature_rows.push_back(static_cast<int32_t>(rows.back()));
      }
      events_.rows.push_back(rows);
      features_.push_back({feature_rows.data()});
    }
  }

  EventEncoderShape shape_;
  int64_t table_rows_;
  std::deque<std::vector<float>> memory_;  // tables first
  std::deque<PackedLinear> packed_;
  EventEncoderWeights weights_;
  reference::EventEncoder twin_;
  reference::Events events_;
  std::deque<std::vector<int32_t>> feature_rows_;
  std::vector<FeatureValues> features_;
  std::vector<int32_t> positions_, buckets_, slots_, offsets_ = {0};
};

/// Room for the gradients, each among sentinels and filled with `start` before sums are added.
class EventEncoderSums {
 public:
  EventEncoderSums(const EventEncoderCase& c, const reference::EventEncoder& twin, float start) {
    const auto part = [&](const char* name, const reference::Doubles& expected) {
      const auto count = static_cast<int64_t>(expected.size());
      const std::vector<float> filled(expected.size(), start);
      parts_.push_back({name, &expected, PoisonedMatrix(1, count, filled)});
      return parts_.back().sums.row(0);
    };
    const auto linear = [&](const char* name, const reference::LinearParameters& w) {
      return LinearGradients{part(name, w.weight), part(name, w.bias)};
    };
    const auto norm = [&](const char* name, const reference::NormParameters& w) {
      return NormGradients{part(name, w.weight), part(name, w.bias)};
    };
    gradients_.fc1 = linear("fc1", twin.fc1);
    gradients_.fc2 = linear("fc2", twin.fc2);
    if (c.shape().blocks > 0) gradients_.slot = part("slot", twin.slot);
    for (const reference::InnerBlock& block : twin.blocks) {
      gradients_.inner.push_back({norm("ln1", block.ln1), norm("ln2", block.ln2),
                                  linear("qkv", block.qkv), linear("out", block.out),
                                  linear("inner.fc1", block.fc1), linear("inner.fc2", block.fc2)});
    }
  }
  EventEncoderSums(const EventEncoderSums&) = delete;
  EventEncoderSums& operator=(const EventEncoderSums&) = delete;

  struct Part {
    std::string name;
    const reference::Doubles* expected;
    PoisonedMatrix sums;
  };
  std::deque<Part>& parts() { return parts_; }
  const EventEncoderGradients& gradients() const { return gradients_; }

 private:
  std::deque<Part> parts_;
  EventEncoderGradients gradients_;
};

}  // namespace longer::testing
