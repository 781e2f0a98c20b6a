#include "model/prepared_features.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "support/cases.hpp"

namespace longer::testing {
namespace {

/// Row of id i is 10·i; remembers what it was asked for.
class SpyLookup final : public RowLookup {
 public:
  void rows(int64_t table, const int64_t* ids, int64_t count, int32_t* rows) override {
    for (int64_t i = 0; i < count; ++i) {
      asked.push_back(ids[i]);
      rows[i] = static_cast<int32_t>(ids[i] * 10);
    }
    tables.insert(table);
  }
  std::vector<int64_t> asked;
  std::set<int64_t> tables;
};

Config config() {
  Config c;
  c.tables = {{"item", 3, 0}, {"word", 2, 0}};
  c.event_features = {{"item", "item"},
                      {"words", "word", FeatureKind::kManyValued},
                      {"price", "", FeatureKind::kNumeric, 10.0, 4.0}};
  return c;
}

template <class T>
std::vector<T> values(const T* from, size_t count) {
  return {from, from + count};
}

TEST(PreparedFeatures, TakesTheRowsOfEveryRange) {
  const Config c = config();
  const int64_t items[] = {1, 2, 3, 4, 5, 6};
  const int64_t words[] = {1, 1, 2, 3, 4, 5, 6};
  const int64_t word_offsets[] = {0, 2, 2, 3, 6, 7, 7};
  const float prices[] = {10.0F, 14.0F, NAN, 2.0F, 0.0F, -6.0F};
  const Column columns[] = {{items, nullptr, nullptr, nullptr},
                            {words, nullptr, word_offsets, nullptr},
                            {nullptr, prices, nullptr, nullptr}};
  // Rows 1, 2 and 4, 5, and none between.
  const RowRange ranges[] = {{1, 3}, {3, 3}, {4, 6}};
  SpyLookup lookup;
  PreparedFeatures prepared;
  for (int again = 0; again < 2; ++again) {
    prepared.reset(3);
    prepared.set(0, c, c.event_features, columns, ranges, 3, lookup);
    const FeatureValues* v = prepared.values();
    EXPECT_EQ(values(v[0].rows, 4), (std::vector<int32_t>{20, 30, 50, 60}));
    EXPECT_EQ(v[0].offsets, nullptr);
    EXPECT_EQ(v[0].numbers, nullptr);
    EXPECT_EQ(values(v[1].offsets, 5), (std::vector<int32_t>{0, 0, 1, 2, 2}));
    EXPECT_EQ(values(v[1].rows, 2), (std::vector<int32_t>{20, 60}));
    EXPECT_EQ(v[2].rows, nullptr);
    EXPECT_EQ(v[2].numbers[0], 1.0F);
    EXPECT_TRUE(std::isnan(v[2].numbers[1]));
    EXPECT_EQ(v[2].numbers[2], -2.5F);
    EXPECT_EQ(v[2].numbers[3], -4.0F);
  }
  EXPECT_EQ(lookup.tables, (std::set<int64_t>{0, 1}));
}

TEST(PreparedFeatures, NeverLooksUpWhatIsMissing) {
  Config c = config();
  c.event_features.resize(1);
  // 20 rows; the ids of missing ones are any number.
  std::vector<int64_t> ids;
  std::vector<uint8_t> valid(3, 0);
  std::vector<int32_t> expected;
  std::vector<int64_t> present;
  for (int64_t i = 0; i < 20; ++i) {
    const bool is_present = i % 3 != 1 && i != 9;
    ids.push_back(is_present ? i : std::numeric_limits<int64_t>::max());
    if (is_present) valid[static_cast<size_t>(i / 8)] |= static_cast<uint8_t>(1U << (i % 8));
    if (i >= 2 && i < 19) {
      expected.push_back(is_present ? static_cast<int32_t>(10 * i) : -1);
      if (is_present) present.push_back(i);
    }
  }
  const Column column = {ids.data(), nullptr, nullptr, valid.data()};
  const RowRange range = {2, 19};
  SpyLookup lookup;
  PreparedFeatures prepared;
  prepared.reset(1);
  prepared.set(0, c, c.event_features, &column, &range, 1, lookup);
  EXPECT_EQ(values(prepared.values()[0].rows, expected.size()), expected);
  EXPECT_EQ(lookup.asked, present);
}

TEST(PreparedFeatures, NeedNoColumnsWithoutRows) {
  const Config c = config();
  const RowRange none = {0, 0};
  SpyLookup lookup;
  PreparedFeatures prepared;
  prepared.reset(3);
  prepared.set(0, c, c.event_features, nullptr, &none, 1, lookup);
  EXPECT_TRUE(lookup.asked.empty());
  EXPECT_EQ(prepared.values()[1].offsets[0], 0);
}

}  // namespace
}  // namespace longer::testing
