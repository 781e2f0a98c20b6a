#include "ops/feature_input/feature_input.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "reference/feature_input.hpp"
#include "support/compare.hpp"
#include "support/poison.hpp"
#include "support/random_data.hpp"

namespace longer::testing {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr int kTableRows = 9;
constexpr int kUnreadRow = 4;

enum class Kind { kOne, kMany, kNumeric };

/// A feature with random values, for the op and for its twin. One table row is read by nobody and
/// holds NaNs.
class Feature {
 public:
  Feature(Kind kind, int64_t width, size_t count, uint64_t seed) : random_(seed) {
    twin.width = static_cast<size_t>(width);
    if (kind == Kind::kNumeric) {
      for (size_t i = 0; i < count; ++i) {
        const bool is_missing = random_() % 4 == 0;
        numbers_.push_back(is_missing ? kNaN : static_cast<float>(random_() % 100) - 50.0F);
        twin.numbers.push_back(static_cast<double>(numbers_.back()));
      }
      return;
    }
    table_ = random_floats(kTableRows * width, seed, 0.5F);
    for (int64_t c = 0; c < width; ++c) table_[static_cast<size_t>(kUnreadRow * width + c)] = kNaN;
    twin.table = to_double(table_);
    if (kind == Kind::kMany) offsets_.push_back(0);
    for (size_t i = 0; i < count; ++i) draw_values(kind);
  }

  TableView table() const {
    return {table_.empty() ? nullptr : table_.data(), static_cast<int64_t>(twin.width), kTableRows};
  }
  FeatureValues values() const {
    return {rows_.data(), offsets_.empty() ? nullptr : offsets_.data(),
            numbers_.empty() ? nullptr : numbers_.data()};
  }

  reference::FeatureCase twin;

 private:
  int32_t draw_row() {
    const auto row = static_cast<int32_t>(random_() % (kTableRows - 1));
    return row < kUnreadRow ? row : row + 1;
  }
  void draw_values(Kind kind) {
    const size_t sizes[] = {0, 1, 2, 7};
    const size_t count =
        kind == Kind::kMany ? sizes[random_() % 4] : std::min<size_t>(random_() % 3, 1);
    std::vector<int>& values = twin.values.emplace_back();
    for (size_t v = 0; v < count; ++v) {
      // Duplicates count.
      values.push_back(v > 0 && random_() % 3 == 0 ? values.back() : draw_row());
      rows_.push_back(values.back());
    }
    if (kind == Kind::kMany) {
      offsets_.push_back(static_cast<int32_t>(rows_.size()));
    } else if (count == 0) {
      rows_.push_back(-1);
    }
  }

  std::mt19937_64 random_;
  std::vector<float> table_, numbers_;
  std::vector<int32_t> rows_, offsets_;
};

/// One feature of each kind for `count` events.
struct Features {
  explicit Features(size_t count, int64_t width = 3)
      : all{Feature(Kind::kMany, width, count, 1), Feature(Kind::kNumeric, 2, count, 2),
            Feature(Kind::kOne, width + 1, count, 3), Feature(Kind::kMany, 1, count, 4)} {
    for (const Feature& feature : all) {
      tables.push_back(feature.table());
      values.push_back(feature.values());
    }
  }
  std::vector<Feature> all;
  std::vector<TableView> tables;
  std::vector<FeatureValues> values;
};

reference::Doubles inputs_of(const Features& features, size_t begin, size_t count) {
  reference::Doubles inputs;
  for (size_t i = begin; i < begin + count; ++i) {
    for (const Feature& feature : features.all) {
      const reference::Doubles input = reference::feature_input(feature.twin, i);
      inputs.insert(inputs.end(), input.begin(), input.end());
    }
  }
  return inputs;
}

TEST(FeatureInput, MatchesReferenceAndWritesNothingElse) {
  for (const int64_t width : {1, 3, 16, 33}) {
    for (const size_t count : {size_t{0}, size_t{1}, size_t{3}, size_t{65}}) {
      SCOPED_TRACE("width " + std::to_string(width) + ", rows " + std::to_string(count));
      const Features features(count, width);
      const int64_t columns = features_width(features.tables);
      EXPECT_EQ(columns, width + 2 + (width + 1) + 1);
      PoisonedMatrix input(static_cast<int64_t>(count), columns);
      gather_features(features.tables, features.values.data(), 0, input.view());
      EXPECT_TRUE(are_near(input.values(), inputs_of(features, 0, count),
                           tolerance("feature_input", Pass::kForward)));
      EXPECT_TRUE(input.is_intact());
    }
  }
}

TEST(FeatureInput, BitsOfARowDependOnItsOwnValuesAlone) {
  const Features features(65);
  const int64_t columns = features_width(features.tables);
  PoisonedMatrix together(65, columns);
  gather_features(features.tables, features.values.data(), 0, together.view());
  for (int64_t i = 0; i < 65; ++i) {
    PoisonedMatrix alone(1, columns);
    gather_features(features.tables, features.values.data(), i, alone.view());
    EXPECT_TRUE(are_same_bits(alone.row(0), together.row(i), columns)) << "row " << i;
  }
}

TEST(FeatureInput, MissingIsZeroAndNeverUndefined) {
  const int32_t rows[] = {-1, 0};
  const int32_t offsets[] = {0, 0, 0};
  const float numbers[] = {kNaN, 0.0F};
  const float table[] = {kNaN, kNaN};
  const std::vector<TableView> tables = {{table, 2, 1}, {table, 2, 1}, {nullptr, 2, 0}};
  const FeatureValues values[] = {
      {rows, nullptr, nullptr}, {rows, offsets, nullptr}, {nullptr, nullptr, numbers}};
  PoisonedMatrix input(2, 6);
  gather_features(tables, values, 0, input.view());
  EXPECT_EQ(std::vector<float>(input.row(0), input.row(0) + 6), std::vector<float>(6, 0.0F));
  // A number 0 is told apart from none.
  EXPECT_EQ(std::vector<float>(input.row(1) + 2, input.row(1) + 6),
            (std::vector<float>{0.0F, 0.0F, 0.0F, 1.0F}));
}

TEST(FeatureInput, GradientOfAMeanMatchesReferenceAndCentralDifferences) {
  constexpr size_t kCount = 40;
  constexpr int64_t kWidth = 5;
  Feature feature(Kind::kMany, kWidth, kCount, 11);
  const std::vector<float> d_input = random_floats(kCount * kWidth, 12);
  PoisonedMatrix from(kCount, kWidth, d_input);
  PoisonedMatrix d_rows(kCount, kWidth);
  spread_mean_gradient(feature.values(), from.view(), d_rows.view());
  EXPECT_TRUE(d_rows.is_intact());

  reference::Doubles d_table(feature.twin.table.size(), 0.0);
  std::vector<reference::Doubles> d_twin;
  for (size_t i = 0; i < kCount; ++i) {
    d_twin.emplace_back(d_input.begin() + static_cast<int64_t>(i) * kWidth,
                        d_input.begin() + static_cast<int64_t>(i + 1) * kWidth);
    for (int row : feature.twin.values[i]) {
      for (int64_t c = 0; c < kWidth; ++c) {
        d_table[static_cast<size_t>(row * kWidth + c)] +=
            static_cast<double>(d_rows.row(static_cast<int64_t>(i))[c]);
      }
    }
  }
  const reference::Doubles expected = reference::feature_table_gradient(feature.twin, d_twin);
  EXPECT_TRUE(are_near(d_table, expected, tolerance("feature_input", Pass::kBackward)));

  // The twin itself: Σ d · input moves by the gradient.
  const auto objective = [&] {
    double sum = 0.0;
    for (size_t i = 0; i < kCount; ++i) {
      const reference::Doubles input = reference::feature_input(feature.twin, i);
      for (size_t c = 0; c < input.size(); ++c) sum += d_twin[i][c] * input[c];
    }
    return sum;
  };
  for (size_t i = 0; i < expected.size(); ++i) {
    double& value = feature.twin.table[i];
    if (std::isnan(value)) continue;
    const double before = value;
    value = before + 1e-3;
    const double above = objective();
    value = before - 1e-3;
    EXPECT_NEAR((above - objective()) / 2e-3, expected[i], 1e-9) << "element " << i;
    value = before;
  }
}

}  // namespace
}  // namespace longer::testing
