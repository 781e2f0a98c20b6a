#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

#include "longer/error.hpp"
#include "ops/event_encoder/event_encoder_cpu.hpp"
#include "support/compare.hpp"
#include "support/cpu_tiers.hpp"
#include "support/event_encoder_case.hpp"

namespace longer {
namespace {

using testing::are_near;
using testing::are_same_bits;
using testing::available_tiers;
using testing::EventEncoderCase;
using testing::EventEncoderShape;
using testing::EventEncoderSums;
using testing::Fill;
using testing::Pass;
using testing::PoisonedMatrix;
using testing::random_floats;
using testing::to_double;
using testing::tolerance;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Group sizes around the tiles of the inner attention; heads narrower and wider than its panels and
// of no round width; groups around the lanes of every tier and around a chunk.
const std::vector<EventEncoderShape> kShapes = {
    {4, 8, 2, 1, 3, 0},   {1, 4, 1, 1, 3, 1},    {8, 32, 4, 1, 3, 17}, {8, 32, 1, 1, 0, 16},
    {4, 16, 2, 2, 3, 33}, {16, 16, 2, 1, 1, 18}, {3, 15, 3, 1, 3, 15}, {5, 20, 1, 2, 2, 7},
    {7, 18, 6, 1, 0, 4},  {2, 6, 6, 3, 3, 70},   {8, 32, 4, 0, 3, 20}, {1, 12, 2, 0, 0, 130},
    {13, 34, 2, 1, 2, 5}};

class EventEncoder : public testing::OnEachTier {};
class EventEncoderGradients : public testing::OnEachTier {};
class EventEncoderBits : public testing::OnEachTier {};
INSTANTIATE_TEST_SUITE_P(Tiers, EventEncoder, ::testing::ValuesIn(available_tiers()),
                         testing::tier_name);
INSTANTIATE_TEST_SUITE_P(Tiers, EventEncoderGradients, ::testing::ValuesIn(available_tiers()),
                         testing::tier_name);
INSTANTIATE_TEST_SUITE_P(Tiers, EventEncoderBits, ::testing::ValuesIn(available_tiers()),
                         testing::tier_name);

std::vector<float> merged_of(EventEncoderCase& c, ThreadPool* pool) {
  CpuStream stream(pool);
  PoisonedMatrix merged(c.shape().groups, c.merged_width());
  event_encoder_forward(stream, {c.tokens(), &c.weights(), merged.view(), nullptr});
  EXPECT_TRUE(merged.is_intact());
  return merged.values();
}

/// Random gradients of the merged rows; NaN where no event stands.
std::vector<float> d_merged_of(const EventEncoderCase& c) {
  std::vector<float> d_merged = random_floats(c.shape().groups * c.merged_width(), 100);
  const EventTokens tokens = c.tokens();
  for (int64_t g = 0; g < c.shape().groups; ++g) {
    const int32_t* begin = tokens.slots + tokens.group_offsets[g];
    const int32_t* end = tokens.slots + tokens.group_offsets[g + 1];
    for (int32_t slot = 0; slot < c.shape().group_size; ++slot) {
      if (std::find(begin, end, slot) != end) continue;
      std::fill_n(d_merged.begin() + g * c.merged_width() + slot * c.shape().d, c.shape().d, kNaN);
    }
  }
  return d_merged;
}

/// What a backward pass sets, among sentinels.
struct BackwardOutputs {
  BackwardOutputs(const EventEncoderCase& c, int64_t feature_width)
      : features(1, c.num_events() * feature_width),
        time(1, c.num_events() * c.shape().time_width),
        tokens(1, c.num_events() * c.shape().d) {}
  bool are_intact() const { return features.is_intact() && time.is_intact() && tokens.is_intact(); }
  PoisonedMatrix features, time, tokens;
};

void run_backward(EventEncoderCase& c, ThreadPool* pool, const std::vector<float>& d_merged,
                  EventEncoderSums& sums, BackwardOutputs& outputs) {
  CpuStream stream(pool);
  PoisonedMatrix d(c.shape().groups, c.merged_width(), d_merged);
  const bool has_time = c.shape().time_width > 0;
  event_encoder_backward(
      stream, {c.tokens(), &c.weights(), d.view(), sums.gradients(), outputs.features.row(0),
               has_time ? outputs.time.row(0) : nullptr, outputs.tokens.row(0)});
}

TEST_P(EventEncoder, MatchesReferenceAndLeavesPadSlotsZero) {
  for (const EventEncoderShape& s : kShapes) {
    SCOPED_TRACE(s.name());
    EventEncoderCase c(s);
    const auto expected = reference::event_encoder(c.twin(), c.events());
    CpuStream stream(nullptr);
    PoisonedMatrix merged(s.groups, c.merged_width());
    PoisonedMatrix tokens(1, c.num_events() * s.d);
    event_encoder_forward(stream, {c.tokens(), &c.weights(), merged.view(), tokens.row(0)});
    EXPECT_TRUE(
        are_near(merged.values(), expected.merged, tolerance("event_encoder", Pass::kForward)));
    EXPECT_TRUE(
        are_near(tokens.values(), expected.tokens, tolerance("event_encoder", Pass::kForward)));
    EXPECT_TRUE(merged.is_intact() && tokens.is_intact());
    const std::vector<float> d_merged = d_merged_of(c);
    const std::vector<float> got = merged.values();
    for (size_t i = 0; i < got.size(); ++i) {
      if (std::isnan(d_merged[i])) {
        ASSERT_EQ(got[i], 0.0F) << "pad element " << i;
      }
    }
  }
}

TEST_P(EventEncoderGradients, MatchReferenceAndIgnorePadSlots) {
  for (const EventEncoderShape& s : kShapes) {
    SCOPED_TRACE(s.name());
    EventEncoderCase c(s);
    const std::vector<float> d_merged = d_merged_of(c);
    const auto expected =
        reference::event_encoder_backward(c.twin(), c.events(), to_double(d_merged));
    EventEncoderSums sums(c, expected.weights, 1.0F);
    BackwardOutputs outputs(c, static_cast<int64_t>(c.twin().feature_width()));
    run_backward(c, nullptr, d_merged, sums, outputs);
    const auto allowed = tolerance("event_encoder", Pass::kBackward);
    for (EventEncoderSums::Part& part : sums.parts()) {
      reference::Doubles plus_start = *part.expected;
      for (double& value : plus_start) value += 1.0;
      EXPECT_TRUE(are_near(part.sums.values(), plus_start, allowed)) << part.name;
      EXPECT_TRUE(part.sums.is_intact()) << part.name;
    }
    EXPECT_TRUE(are_near(outputs.features.values(), expected.features, allowed));
    EXPECT_TRUE(are_near(outputs.time.values(), expected.time, allowed));
    EXPECT_TRUE(are_near(outputs.tokens.values(), expected.tokens, allowed));
    EXPECT_TRUE(outputs.are_intact());
  }
}

TEST_P(EventEncoderBits, AreTheSameForAnyNumberOfThreads) {
  // More chunks than lanes of weight gradients, and fewer.
  for (const EventEncoderShape& s :
       {EventEncoderShape{1, 8, 2, 1, 3, 9000}, EventEncoderShape{8, 16, 2, 2, 3, 100}}) {
    SCOPED_TRACE(s.name());
    EventEncoderCase c(s);
    const std::vector<float> d_merged = d_merged_of(c);
    std::vector<std::vector<float>> first;
    for (const int threads : {1, 2, 7}) {
      ThreadPool pool(threads);
      EventEncoderSums sums(c, c.twin(), 0.5F);
      BackwardOutputs outputs(c, static_cast<int64_t>(c.twin().feature_width()));
      run_backward(c, &pool, d_merged, sums, outputs);
      std::vector<std::vector<float>> results = {merged_of(c, &pool), outputs.features.values(),
                                                 outputs.time.values(), outputs.tokens.values()};
      for (EventEncoderSums::Part& part : sums.parts()) results.push_back(part.sums.values());
      if (first.empty()) first = results;
      for (size_t i = 0; i < results.size(); ++i) {
        EXPECT_TRUE(are_same_bits(results[i], first[i])) << threads << " threads, result " << i;
      }
    }
  }
}

TEST_P(EventEncoderBits, OfAGroupDependOnItsOwnEventsAlone) {
  for (const EventEncoderShape& s :
       {EventEncoderShape{8, 32, 4, 1, 3, 40}, EventEncoderShape{5, 20, 1, 2, 0, 61}}) {
    SCOPED_TRACE(s.name());
    EventEncoderCase c(s);
    const std::vector<float> together = merged_of(c, nullptr);
    const EventTokens all = c.tokens();
    for (int64_t g = 0; g < s.groups; ++g) {
      const int64_t first = all.group_offsets[g];
      const int64_t n = all.group_offsets[g + 1] - first;
      const int32_t offsets[] = {0, static_cast<int32_t>(n)};
      std::vector<FeatureValues> features;
      for (size_t f = 0; f < 2; ++f) features.push_back({all.features[f].rows + first});
      EventTokens one = all;
      one.num_events = n;
      one.num_groups = 1;
      one.features = features.data();
      one.positions += first;
      if (one.time_buckets != nullptr) one.time_buckets += first;
      one.group_offsets = offsets;
      one.slots += first;
      CpuStream stream(nullptr);
      PoisonedMatrix merged(1, c.merged_width());
      event_encoder_forward(stream, {one, &c.weights(), merged.view(), nullptr});
      EXPECT_TRUE(
          are_same_bits(merged.row(0), together.data() + g * c.merged_width(), c.merged_width()))
          << "group " << g;
    }
  }
}

TEST_P(EventEncoderBits, OfAGroupSurviveUndefinedValuesInAnother) {
  EventEncoderCase c({8, 32, 4, 1, 3, 40});
  const std::vector<float> before = merged_of(c, nullptr);
  const EventTokens tokens = c.tokens();
  const int32_t* rows = tokens.features[0].rows;
  const int32_t poisoned_row = rows[tokens.group_offsets[20]];
  std::fill_n(c.table(0) + poisoned_row * c.weights().tables[0].width, c.weights().tables[0].width,
              kNaN);
  const std::vector<float> after = merged_of(c, nullptr);
  int64_t num_clean = 0;
  for (int64_t g = 0; g < c.shape().groups; ++g) {
    const int32_t* begin = rows + tokens.group_offsets[g];
    const int32_t* end = rows + tokens.group_offsets[g + 1];
    const int64_t at = g * c.merged_width();
    if (std::find(begin, end, poisoned_row) != end) {
      EXPECT_TRUE(std::any_of(after.begin() + at, after.begin() + at + c.merged_width(),
                              [](float value) { return std::isnan(value); }))
          << "group " << g;
      continue;
    }
    ++num_clean;
    EXPECT_TRUE(are_same_bits(after.data() + at, before.data() + at, c.merged_width()))
        << "group " << g;
  }
  EXPECT_GT(num_clean, 0);
}

TEST_P(EventEncoderGradients, OfNoEventsAreLeftAlone) {
  EventEncoderCase c({4, 8, 2, 1, 3, 0});
  EventEncoderSums sums(c, c.twin(), 3.0F);
  BackwardOutputs outputs(c, 8);
  ThreadPool pool(2);
  run_backward(c, &pool, {}, sums, outputs);
  for (EventEncoderSums::Part& part : sums.parts()) {
    for (const float value : part.sums.values()) ASSERT_EQ(value, 3.0F) << part.name;
  }
  EXPECT_TRUE(outputs.are_intact());
}

TEST(EventEncoderReference, GradientsMatchCentralDifferences) {
  for (const EventEncoderShape& s :
       {EventEncoderShape{3, 4, 2, 2, 2, 4}, EventEncoderShape{4, 6, 1, 0, 0, 3}}) {
    SCOPED_TRACE(s.name());
    EventEncoderCase c(s);
    std::vector<float> d_floats = random_floats(s.groups * c.merged_width(), 100);
    const reference::Doubles d_merged = to_double(d_floats);
    const auto g = reference::event_encoder_backward(c.twin(), c.events(), d_merged);
    const auto loss = [&] {
      const reference::Doubles merged = reference::event_encoder(c.twin(), c.events()).merged;
      double sum = 0.0;
      for (size_t i = 0; i < merged.size(); ++i) sum += merged[i] * d_merged[i];
      return sum;
    };
    const auto difference = [&](double& value) {
      constexpr double kStep = 1e-3;
      const double before = value;
      const auto at = [&](double step) {
        value = before + step;
        return loss();
      };
      const double slope =
          (8.0 * (at(kStep) - at(-kStep)) - (at(2 * kStep) - at(-2 * kStep))) / (12.0 * kStep);
      value = before;
      return slope;
    };
    const auto check = [&](const char* name, reference::Doubles& values,
                           const reference::Doubles& gradient) {
      ASSERT_EQ(values.size(), gradient.size()) << name;
      const size_t step = std::max<size_t>(1, values.size() / 12);
      for (size_t i = 0; i < values.size(); i += step) {
        EXPECT_NEAR(difference(values[i]), gradient[i], 1e-7) << name << "[" << i << "]";
      }
    };
    reference::EventEncoder& w = c.twin();
    check("fc1.weight", w.fc1.weight, g.weights.fc1.weight);
    check("fc1.bias", w.fc1.bias, g.weights.fc1.bias);
    check("fc2.weight", w.fc2.weight, g.weights.fc2.weight);
    check("fc2.bias", w.fc2.bias, g.weights.fc2.bias);
    check("slot", w.slot, g.weights.slot);
    for (size_t b = 0; b < w.blocks.size(); ++b) {
      reference::InnerBlock& block = w.blocks[b];
      const reference::InnerBlock& d_block = g.weights.blocks[b];
      check("ln1.weight", block.ln1.weight, d_block.ln1.weight);
      check("ln1.bias", block.ln1.bias, d_block.ln1.bias);
      check("qkv.weight", block.qkv.weight, d_block.qkv.weight);
      check("qkv.bias", block.qkv.bias, d_block.qkv.bias);
      check("out.weight", block.out.weight, d_block.out.weight);
      check("ln2.weight", block.ln2.weight, d_block.ln2.weight);
      check("fc1.weight", block.fc1.weight, d_block.fc1.weight);
      check("fc2.bias", block.fc2.bias, d_block.fc2.bias);
    }
    // What reaches the tables is the gradient of x: a row of the position table collects it over
    // the events that stand there.
    reference::Doubles d_position(w.position.size());
    reference::Doubles d_time(w.time_bucket.size());
    const size_t width = w.feature_width();
    for (size_t e = 0; e < c.events().count(); ++e) {
      for (size_t i = 0; i < width; ++i) {
        d_position[c.events().positions[e] * width + i] += g.features[e * width + i];
      }
      for (size_t i = 0; i < w.time_width; ++i) {
        d_time[c.events().buckets[e] * w.time_width + i] += g.time[e * w.time_width + i];
      }
    }
    check("position", w.position, d_position);
    check("time_bucket", w.time_bucket, d_time);
  }
}

std::string error_of(EventEncoderCase& c, const EventTokens& tokens) {
  CpuStream stream(nullptr);
  PoisonedMatrix merged(c.shape().groups, c.merged_width());
  try {
    event_encoder_forward(stream, {tokens, &c.weights(), merged.view(), nullptr});
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), Status::kInvalidArgument);
    return error.what();
  }
  return "no error";
}

TEST(EventEncoderErrors, NameWhatIsWrong) {
  EventEncoderCase c({4, 8, 2, 1, 3, 2});
  EventTokens tokens = c.tokens();
  tokens.merge_factor = 17;
  EXPECT_EQ(error_of(c, tokens), "[event_encoder] merge_factor must be in 1 … 16; got 17");
  c.weights().inner_heads = 3;
  EXPECT_EQ(error_of(c, c.tokens()),
            "[event_encoder] inner_heads must divide the event width 8; got 3");
  c.weights().inner_heads = 2;
  c.weights().fc1.in = 10;
  EXPECT_EQ(error_of(c, c.tokens()), "[event_encoder] fc1 must take 11 inputs; got 10");
}

}  // namespace
}  // namespace longer
