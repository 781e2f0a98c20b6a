// Which merged rows go on as queries, for every strategy.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "model/window.hpp"
#include "reference/model_rows.hpp"

namespace longer::testing {
namespace {

std::vector<int32_t> query_rows(const Config& c, int64_t num_groups) {
  std::vector<int32_t> rows;
  append_query_rows(c, num_groups, rows);
  return rows;
}

Config with(QueryStrategy strategy, int64_t queries, int64_t block = 1) {
  Config c;
  c.query_strategy = strategy;
  c.queries = queries;
  c.query_block = block;
  return c;
}

using Rows = std::vector<int32_t>;

TEST(QueryRows, AreThoseCountedByHand) {
  EXPECT_EQ(query_rows(with(QueryStrategy::kRecent, 3), 5), Rows({2, 3, 4}));
  EXPECT_EQ(query_rows(with(QueryStrategy::kRecent, 3, 4), 10), Rows({4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(query_rows(with(QueryStrategy::kUniform, 4), 10), Rows({2, 4, 7, 9}));
  EXPECT_EQ(query_rows(with(QueryStrategy::kUniform, 1), 7), Rows({6}));
  EXPECT_EQ(query_rows(with(QueryStrategy::kRecentAndUniform, 5), 10), Rows({3, 6, 7, 8, 9}));
  EXPECT_EQ(query_rows(with(QueryStrategy::kRecentAndUniform, 5), 4), Rows({0, 1, 2, 3}));
  EXPECT_EQ(query_rows(with(QueryStrategy::kRecentAndUniform, 1), 4), Rows({3}));
  EXPECT_EQ(query_rows(with(QueryStrategy::kLearnable, 2), 3), Rows({3, 4}));
  EXPECT_EQ(query_rows(with(QueryStrategy::kLearnable, 2), 0), Rows({0, 1}));
}

TEST(QueryRows, AreDistinctAscendingAndAsManyAsThereCanBe) {
  for (const QueryStrategy strategy :
       {QueryStrategy::kRecent, QueryStrategy::kUniform, QueryStrategy::kRecentAndUniform,
        QueryStrategy::kLearnable}) {
    for (int64_t queries = 1; queries <= 9; ++queries) {
      for (int64_t block : {1, 2, 16}) {
        if (block != 1 && strategy != QueryStrategy::kRecent) continue;
        const Config c = with(strategy, queries, block);
        for (int64_t groups = 0; groups <= 40; ++groups) {
          const Rows rows = query_rows(c, groups);
          ASSERT_TRUE(std::is_sorted(rows.begin(), rows.end()));
          ASSERT_EQ(std::set<int32_t>(rows.begin(), rows.end()).size(), rows.size());
          ASSERT_LE(static_cast<int64_t>(rows.size()), c.max_query_rows());
          ASSERT_GE(static_cast<int64_t>(rows.size()), std::min(queries, groups));
          if (strategy == QueryStrategy::kLearnable) {
            ASSERT_EQ(static_cast<int64_t>(rows.size()), queries);
            continue;
          }
          ASSERT_TRUE(groups == 0 || rows.back() == groups - 1);
          const std::vector<int64_t> expected = model_reference::query_groups(c, groups);
          ASSERT_EQ(std::vector<int64_t>(rows.begin(), rows.end()), expected);
        }
      }
    }
  }
}

}  // namespace
}  // namespace longer::testing
