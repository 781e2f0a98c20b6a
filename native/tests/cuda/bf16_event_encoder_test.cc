// The event encoder in bf16, in one kernel and map by map, against the double-precision twin.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <string>
#include <vector>

#include "cuda/device_copies.hpp"
#include "ops/backend.hpp"
#include "ops/event_encoder/event_encoder_bf16_cuda.hpp"
#include "ops/event_encoder/fused_event_encoder_cuda.hpp"
#include "support/bf16_tolerances.hpp"
#include "support/event_encoder_case.hpp"
#include "support/test_backend.hpp"

namespace longer::testing {
namespace {

/// A case with its weights and events on the device.
class DeviceCase {
 public:
  DeviceCase(const EventEncoderShape& shape, Fill fill, const EventTables& tables)
      : host_(shape, fill, tables), tokens_(host_.tokens()), weights_(host_.weights()) {
    for (TableView& table : weights_.tables) {
      table.rows = copies_.upload(table.rows, table.num_rows * table.width);
    }
    const int64_t x = weights_.fc1.in - weights_.time_width;
    weights_.position = copies_.upload(weights_.position, weights_.num_positions * x);
    weights_.time_bucket =
        copies_.upload(weights_.time_bucket, weights_.num_time_buckets * weights_.time_width);
    move(weights_.fc1);
    move(weights_.fc2);
    const int64_t d = weights_.fc2.out;
    if (weights_.slot != nullptr)
      weights_.slot = copies_.upload(weights_.slot, shape.group_size * d);
    for (BlockWeights& block : weights_.inner) {
      for (NormWeights* norm : {&block.ln1, &block.ln2}) {
        *norm = {copies_.upload(norm->weight, d), copies_.upload(norm->bias, d)};
      }
      for (LinearWeights* map : {&block.qkv, &block.out, &block.fc1, &block.fc2}) move(*map);
    }
    const int64_t n = tokens_.num_events;
    tokens_.positions = copies_.upload(tokens_.positions, n);
    if (tokens_.time_buckets != nullptr) {
      tokens_.time_buckets = copies_.upload(tokens_.time_buckets, n);
    }
    tokens_.slots = copies_.upload(tokens_.slots, n);
    tokens_.group_offsets = copies_.upload(tokens_.group_offsets, tokens_.num_groups + 1);
    for (size_t f = 0; f < weights_.tables.size(); ++f) {
      features_.push_back({copies_.upload(tokens_.features[f].rows, n), nullptr, nullptr});
    }
    tokens_.features = features_.data();
  }

  EventEncoderForward forward() {
    const int64_t width = host_.merged_width();
    const std::vector<float> poison(static_cast<size_t>(tokens_.num_groups * width), NAN);
    EventEncoderForward p;
    p.tokens = tokens_;
    p.weights = &weights_;
    p.merged = {copies_.upload(poison), tokens_.num_groups, width};
    p.precision = longer::Precision::kBf16;
    return p;
  }
  /// Merged rows; `expected` zeros stand in pad slots.
  void expect_merged(const EventEncoderForward& p) {
    stream_.synchronize();
    const auto expected = reference::event_encoder(host_.twin(), host_.events()).merged;
    const std::vector<float> got = download(p.merged.data, p.merged.rows * p.merged.cols);
    EXPECT_LT(relative_l2(got, expected), bf16_tolerance("event_encoder", Pass::kForward));
    for (size_t i = 0; i < got.size(); ++i) {
      if (expected[i] == 0.0) {
        ASSERT_EQ(got[i], 0.0F) << "pad element " << i;
      }
    }
  }

  EventEncoderCase host_;
  DeviceCopies copies_;
  EventTokens tokens_;
  EventEncoderWeights weights_;
  std::vector<FeatureValues> features_;
  std::shared_ptr<Backend> backend_ = test_backend();
  std::unique_ptr<Stream> own_stream_ = backend_->make_stream();
  CudaStream& stream_ = static_cast<CudaStream&>(*own_stream_);

 private:
  void move(LinearWeights& w) {
    const std::vector<float> values(w.weight, w.weight + w.out * w.in);
    w.weight = copies_.upload(values);
    w.half = copies_.upload_bf16(values);
    w.bias = copies_.upload(w.bias, w.out);
  }
};

// Group sizes and widths of every kernel; more groups than one warp's tile.
const std::vector<EventEncoderShape> kFusedShapes = {{8, 32, 2, 1, 16, 19}, {4, 32, 2, 1, 8, 9},
                                                     {16, 32, 2, 1, 0, 5},  {2, 16, 1, 1, 16, 37},
                                                     {8, 64, 2, 1, 32, 5},  {16, 16, 1, 1, 8, 3}};
// Everything else that is a multiple of 8: two blocks, none, odd groups, heads of 8.
const std::vector<EventEncoderShape> kOtherShapes = {
    {5, 16, 2, 2, 8, 13}, {8, 32, 4, 0, 0, 6}, {3, 24, 3, 1, 16, 9}, {1, 32, 1, 1, 8, 20}};

TEST(EventEncoderBf16, OneKernelEqualsTheReference) {
  for (const EventEncoderShape& shape : kFusedShapes) {
    for (const Fill fill : {Fill::kFull, Fill::kRagged}) {
      SCOPED_TRACE(shape.name());
      DeviceCase c(shape, fill, {{16, 8}, 11});
      const EventEncoderForward p = c.forward();
      ASSERT_TRUE(event_encoder_is_fused(p));
      event_encoder_forward_fused(c.stream_, p);
      c.expect_merged(p);
    }
  }
}

TEST(EventEncoderBf16, OneKernelReadsLargeTablesAsTheyAre) {
  DeviceCase c({8, 32, 2, 1, 16, 19}, Fill::kRagged, {{32, 16}, kMaxProjectedRows + 1});
  const EventEncoderForward p = c.forward();
  ASSERT_TRUE(event_encoder_is_fused(p));
  event_encoder_forward_fused(c.stream_, p);
  c.expect_merged(p);
}

TEST(EventEncoderBf16, MissingFeaturesAreZeros) {
  for (const int64_t rows : {int64_t{11}, kMaxProjectedRows + 1}) {
    DeviceCase c({8, 32, 2, 1, 16, 5}, Fill::kRagged, {{16, 16}, rows});
    const EventEncoderForward p = c.forward();
    // Missing on the device; on the host a row of zeros.
    const int64_t n = c.tokens_.num_events;
    std::vector<int32_t> missing = download(c.features_[0].rows, n);
    for (size_t i = 0; i < missing.size(); i += 3) missing[i] = -1;
    c.features_[0].rows = c.copies_.upload(missing);
    event_encoder_forward_fused(c.stream_, p);
    const EventEncoderForward other = c.forward();
    ASSERT_FALSE(event_encoder_is_fused([&] {
      EventEncoderForward with_tokens = other;
      with_tokens.event_tokens = c.copies_.zeros(n * 32);
      return with_tokens;
    }()));
    EventEncoderForward map_by_map = other;
    map_by_map.event_tokens = c.copies_.zeros(n * 32);
    event_encoder_forward_bf16(c.stream_, map_by_map);
    c.stream_.synchronize();
    const int64_t size = p.merged.rows * p.merged.cols;
    EXPECT_LT(relative_l2(download(p.merged.data, size), download(other.merged.data, size)),
              bf16_tolerance("event_encoder", Pass::kForward));
  }
}

TEST(EventEncoderBf16, MapByMapEqualsTheReference) {
  for (const EventEncoderShape& shape : kOtherShapes) {
    SCOPED_TRACE(shape.name());
    DeviceCase c(shape, Fill::kRagged, {{16, 8}, 11});
    const EventEncoderForward p = c.forward();
    ASSERT_TRUE(event_encoder_takes_bf16(*p.weights, shape.group_size));
    ASSERT_FALSE(event_encoder_is_fused(p));
    event_encoder_forward_bf16(c.stream_, p);
    c.expect_merged(p);
  }
}

/// Sums on the device that start with ones, beside what belongs in them.
class DeviceSums {
 public:
  DeviceSums(DeviceCopies& copies, const reference::EventEncoder& expected) : copies_(copies) {
    gradients.fc1 = linear("fc1", expected.fc1);
    gradients.fc2 = linear("fc2", expected.fc2);
    if (!expected.slot.empty()) gradients.slot = part("slot", expected.slot);
    for (const reference::InnerBlock& block : expected.blocks) {
      gradients.inner.push_back({norm("ln1", block.ln1), norm("ln2", block.ln2),
                                 linear("qkv", block.qkv), linear("out", block.out),
                                 linear("inner.fc1", block.fc1), linear("inner.fc2", block.fc2)});
    }
  }
  /// Each by its own norm, but by no less than a hundredth of all gradients'.
  void expect_equal(double tolerance) const {
    double all = 0;
    for (const Part& p : parts_) {
      for (const double value : *p.expected) all += value * value;
    }
    for (const Part& p : parts_) {
      std::vector<double> plus_start = *p.expected;
      std::vector<float> got = download(p.sums, static_cast<int64_t>(plus_start.size()));
      for (float& value : got) value -= 1.0F;
      EXPECT_LT(relative_l2(got, *p.expected, 1e-2 * std::sqrt(all)), tolerance) << p.name;
    }
  }
  EventEncoderGradients gradients;

 private:
  struct Part {
    std::string name;
    const reference::Doubles* expected;
    float* sums;
  };
  float* part(const char* name, const reference::Doubles& expected) {
    parts_.push_back({name, &expected, copies_.upload(std::vector<float>(expected.size(), 1.0F))});
    return parts_.back().sums;
  }
  LinearGradients linear(const char* name, const reference::LinearParameters& w) {
    float* weight = part(name, w.weight);
    return {weight, part(name, w.bias)};
  }
  NormGradients norm(const char* name, const reference::NormParameters& w) {
    float* weight = part(name, w.weight);
    return {weight, part(name, w.bias)};
  }

  DeviceCopies& copies_;
  std::deque<Part> parts_;
};

TEST(EventEncoderBf16, BackwardEqualsTheReference) {
  std::vector<EventEncoderShape> shapes = kOtherShapes;
  shapes.insert(shapes.end(), kFusedShapes.begin(), kFusedShapes.end());
  for (const EventEncoderShape& shape : shapes) {
    SCOPED_TRACE(shape.name());
    DeviceCase c(shape, Fill::kRagged, {{16, 8}, 11});
    const std::vector<float> d_merged = random_floats(shape.groups * c.host_.merged_width(), 100);
    const reference::EventEncoderGradient expected =
        reference::event_encoder_backward(c.host_.twin(), c.host_.events(), to_double(d_merged));
    DeviceSums sums(c.copies_, expected.weights);
    const int64_t n = c.tokens_.num_events;
    const auto x = static_cast<int64_t>(c.host_.twin().feature_width());
    EventEncoderBackward p;
    p.tokens = c.tokens_;
    p.weights = &c.weights_;
    p.d_merged = {c.copies_.upload(d_merged), shape.groups, c.host_.merged_width()};
    p.gradients = sums.gradients;
    p.d_features = c.copies_.zeros(n * x);
    p.d_time = shape.time_width > 0 ? c.copies_.zeros(n * shape.time_width) : nullptr;
    p.d_event_tokens = c.copies_.zeros(n * shape.d);
    p.precision = longer::Precision::kBf16;
    event_encoder_backward_bf16(c.stream_, p);
    c.stream_.synchronize();
    const double tolerance = bf16_tolerance("event_encoder", Pass::kBackward);
    sums.expect_equal(tolerance);
    EXPECT_LT(relative_l2(download(p.d_features, n * x), expected.features), tolerance);
    if (p.d_time != nullptr) {
      EXPECT_LT(relative_l2(download(p.d_time, n * shape.time_width), expected.time), tolerance);
    }
    EXPECT_LT(relative_l2(download(p.d_event_tokens, n * shape.d), expected.tokens), tolerance);
  }
}

TEST(EventEncoderBf16, KernelsAreChosenByShape) {
  const auto is_fused = [](const EventEncoderShape& shape, const EventTables& tables) {
    DeviceCase c(shape, Fill::kFull, tables);
    return event_encoder_is_fused(c.forward());
  };
  const auto takes_bf16 = [](const EventEncoderShape& shape) {
    DeviceCase c(shape, Fill::kFull, {{16, 8}, 11});
    return event_encoder_takes_bf16(c.weights_, shape.group_size);
  };
  EXPECT_TRUE(takes_bf16({16, 128, 16, 1, 16, 1}));
  EXPECT_FALSE(takes_bf16({16, 256, 32, 1, 16, 1})) << "512 threads";
  EXPECT_FALSE(takes_bf16({8, 32, 8, 1, 16, 1})) << "heads of 4 columns";
  EXPECT_FALSE(takes_bf16({8, 32, 2, 1, 3, 1})) << "times of 3 columns";
  EXPECT_TRUE(is_fused({8, 32, 2, 1, 16, 2}, {{16, 8}, 11}));
  EXPECT_TRUE(is_fused({8, 32, 2, 1, 16, 2}, {{5, 3}, 11})) << "small tables have any width";
  EXPECT_FALSE(is_fused({8, 32, 2, 1, 16, 2}, {{16, 8}, kMaxProjectedRows + 1}));
  EXPECT_FALSE(is_fused({5, 32, 2, 1, 16, 2}, {{16, 8}, 11}));
  EXPECT_FALSE(is_fused({8, 32, 4, 1, 16, 2}, {{16, 8}, 11}));
  EXPECT_FALSE(is_fused({8, 32, 2, 2, 16, 2}, {{16, 8}, 11}));
  EXPECT_FALSE(is_fused({8, 32, 2, 1, 16, 2}, {{8, 8, 8}, 11})) << "five rows an event";
}

}  // namespace
}  // namespace longer::testing
