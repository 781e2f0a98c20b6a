#include "embedding/embedding_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "support/compare.hpp"

namespace longer {
namespace {

using testing::are_same_bits;

/// `count` ids that lie far apart, the extremes among them.
std::vector<int64_t> some_ids(int64_t count) {
  std::vector<int64_t> ids = {0, -1, std::numeric_limits<int64_t>::min(),
                              std::numeric_limits<int64_t>::max()};
  while (static_cast<int64_t>(ids.size()) < count) {
    ids.push_back(static_cast<int64_t>(ids.size()) * 1000003 - 7);
  }
  ids.resize(static_cast<size_t>(count));
  return ids;
}

std::vector<int32_t> inserted(EmbeddingTable& table, const std::vector<int64_t>& ids) {
  std::vector<int32_t> rows(ids.size());
  table.find_or_insert(ids.data(), static_cast<int64_t>(ids.size()), rows.data());
  return rows;
}

std::vector<int32_t> found(const EmbeddingTable& table, const std::vector<int64_t>& ids) {
  std::vector<int32_t> rows(ids.size(), -1);
  table.lookup(ids.data(), static_cast<int64_t>(ids.size()), rows.data());
  return rows;
}

TEST(EmbeddingTable, StartsWithAnOutOfVocabularyRowOfZeros) {
  const EmbeddingTable table("movie", 5, 1);
  EXPECT_EQ(table.num_rows(), 1);
  EXPECT_EQ(table.num_ids(), 0);
  EXPECT_EQ(std::count(table.values(), table.values() + 5, 0.0F), 5);
  EXPECT_EQ(table.states()[0], 0.0F);
  EXPECT_EQ(found(table, some_ids(100)), std::vector<int32_t>(100, 0));
}

TEST(EmbeddingTable, GivesEachIdOneRowThroughEveryGrowth) {
  EmbeddingTable table("movie", 3, 1);
  const std::vector<int64_t> ids = some_ids(70000);
  const std::vector<int32_t> rows = inserted(table, ids);
  EXPECT_EQ(table.num_ids(), 70000);
  EXPECT_EQ(std::set<int32_t>(rows.begin(), rows.end()).size(), ids.size());
  EXPECT_EQ(*std::min_element(rows.begin(), rows.end()), 1);
  EXPECT_EQ(found(table, ids), rows);
  EXPECT_EQ(inserted(table, ids), rows);
  EXPECT_EQ(table.num_ids(), 70000);
  for (size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(table.id_of(rows[i]), ids[i]);
  EXPECT_EQ(found(table, {12345, 5})[0], 0);
}

TEST(EmbeddingTable, GivesRepeatedIdsOfOneCallTheSameRow) {
  EmbeddingTable table("movie", 3, 1);
  const std::vector<int32_t> rows = inserted(table, {7, 8, 7, 7, 8, 9});
  EXPECT_EQ(rows, (std::vector<int32_t>{1, 2, 1, 1, 2, 3}));
}

TEST(EmbeddingTable, InitialisesARowFromSeedNameAndIdAlone) {
  constexpr int64_t kWidth = 9;
  EmbeddingTable forward("movie", kWidth, 42);
  EmbeddingTable backward("movie", kWidth, 42);
  EmbeddingTable other_seed("movie", kWidth, 43);
  EmbeddingTable other_name("genre", kWidth, 42);
  const std::vector<int64_t> ids = some_ids(500);
  const std::vector<int64_t> reversed(ids.rbegin(), ids.rend());
  inserted(forward, ids);
  for (const int64_t id : reversed) inserted(backward, {id});
  inserted(other_seed, ids);
  inserted(other_name, ids);
  double squares = 0.0;
  for (const int64_t id : ids) {
    const auto row_of = [id](const EmbeddingTable& table) {
      return table.values() + found(table, {id})[0] * kWidth;
    };
    ASSERT_TRUE(are_same_bits(row_of(forward), row_of(backward), kWidth)) << "id " << id;
    ASSERT_FALSE(are_same_bits(row_of(forward), row_of(other_seed), kWidth)) << "id " << id;
    ASSERT_FALSE(are_same_bits(row_of(forward), row_of(other_name), kWidth)) << "id " << id;
    for (int64_t c = 0; c < kWidth; ++c) {
      squares += static_cast<double>(row_of(forward)[c]) * static_cast<double>(row_of(forward)[c]);
    }
  }
  EXPECT_NEAR(std::sqrt(squares / (500.0 * kWidth)), 0.05, 0.005);
}

TEST(EmbeddingTable, AdmitsAnIdAtItsCountedOccurrence) {
  EmbeddingTable table("movie", 3, 1, 3);
  EXPECT_EQ(inserted(table, {7, 8, 7}), (std::vector<int32_t>{0, 0, 0}));
  EXPECT_EQ(table.num_pending(), 2);
  EXPECT_EQ(found(table, {7, 8}), (std::vector<int32_t>{0, 0}));
  // The third 7 has a row and every later one reads it; 8 has two occurrences.
  EXPECT_EQ(inserted(table, {9, 7, 8, 7}), (std::vector<int32_t>{0, 1, 0, 1}));
  EXPECT_EQ(table.num_ids(), 1);
  const auto pending = table.pending_by_id();
  ASSERT_EQ(pending.size(), 2U);
  EXPECT_EQ(pending[0].id, 8);
  EXPECT_EQ(pending[0].count, 2);
  EXPECT_EQ(pending[1].id, 9);
  EXPECT_EQ(pending[1].count, 1);
  EmbeddingTable at_once("movie", 3, 1);
  inserted(at_once, {7});
  EXPECT_TRUE(are_same_bits(table.values() + 3, at_once.values() + 3, 3));
}

TEST(EmbeddingTable, CarriesCountsIntoCopiesUntilTrainingStartsAnew) {
  EmbeddingTable table("movie", 3, 1, 2);
  inserted(table, {7, 8, 8});
  table.states()[1] = 2.0F;
  EmbeddingTable copy(table);
  copy.set_pending({9, 1});
  EXPECT_EQ(inserted(copy, {7, 9}), (std::vector<int32_t>{2, 3}));
  EXPECT_EQ(table.num_pending(), 1);
  table.reset_training();
  EXPECT_EQ(table.num_pending(), 0);
  EXPECT_EQ(table.states()[1], 0.0F);
  EXPECT_EQ(inserted(table, {7, 8}), (std::vector<int32_t>{0, 1}));
}

TEST(EmbeddingTable, KeepsRowsWhereTheyAre) {
  EmbeddingTable table("movie", 16, 1);
  inserted(table, {5});
  const float* const row = table.values() + 16;
  const float first = row[0];
  inserted(table, some_ids(300'000));
  EXPECT_EQ(table.values() + 16, row);
  EXPECT_EQ(row[0], first);
}

TEST(EmbeddingTable, AssignsRowsAndStates) {
  EmbeddingTable table("movie", 2, 1);
  inserted(table, {7});
  const float values[] = {1.5F, -2.5F};
  table.insert_or_assign(7, values, 3.0F);
  table.insert_or_assign(-9, values, 4.0F);
  EXPECT_EQ(table.num_ids(), 2);
  for (const auto& [id, state] : {std::pair<int64_t, float>{7, 3.0F}, {-9, 4.0F}}) {
    const int32_t row = found(table, {id})[0];
    EXPECT_TRUE(are_same_bits(table.values() + row * 2, values, 2));
    EXPECT_EQ(table.states()[row], state);
  }
}

TEST(EmbeddingTable, ListsRowsOrderedById) {
  EmbeddingTable table("movie", 1, 1);
  std::vector<int64_t> ids = some_ids(200);
  inserted(table, ids);
  std::sort(ids.begin(), ids.end());
  std::vector<int64_t> listed;
  for (const int32_t row : table.rows_by_id()) listed.push_back(table.id_of(row));
  EXPECT_EQ(listed, ids);
}

TEST(EmbeddingTable, CopyStandsAlone) {
  EmbeddingTable table("movie", 4, 1);
  const std::vector<int64_t> ids = some_ids(3000);
  const std::vector<int32_t> rows = inserted(table, ids);
  table.states()[rows[5]] = 2.0F;
  EmbeddingTable copy(table);
  const std::vector<float> before(copy.values(), copy.values() + copy.num_rows() * 4);
  std::fill_n(table.values(), table.num_rows() * 4, -1.0F);
  inserted(table, {424242});
  EXPECT_EQ(copy.num_ids(), 3000);
  EXPECT_EQ(found(copy, {424242})[0], 0);
  EXPECT_EQ(found(copy, ids), rows);
  EXPECT_EQ(copy.states()[rows[5]], 2.0F);
  EXPECT_TRUE(are_same_bits(copy.values(), before.data(), copy.num_rows() * 4));
  EXPECT_EQ(inserted(copy, {5})[0], 3001);
}

TEST(EmbeddingTable, IsReadByManyThreadsAtOnce) {
  EmbeddingTable table("movie", 2, 1);
  const std::vector<int64_t> ids = some_ids(5000);
  const std::vector<int32_t> rows = inserted(table, ids);
  std::atomic<int> num_right{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] { num_right += found(table, ids) == rows ? 1 : 0; });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(num_right, 4);
}

TEST(EmbeddingTable, CountsItsBytes) {
  EmbeddingTable table("movie", 16, 1);
  inserted(table, some_ids(50000));
  constexpr int64_t kRowBytes = 16 * sizeof(float) + sizeof(float) + sizeof(int64_t);
  EXPECT_GE(table.bytes(), 50000 * (kRowBytes + int64_t{sizeof(int32_t)}));
  EXPECT_LE(table.bytes(), 4 * 50000 * (kRowBytes + int64_t{sizeof(int32_t)}));
}

}  // namespace
}  // namespace longer
