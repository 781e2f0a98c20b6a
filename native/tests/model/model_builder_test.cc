#include "model/model_builder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/cases.hpp"
#include "support/random_model.hpp"
#include "support/thrown_error.hpp"

namespace longer {
namespace {

using testing::expect_error;
using testing::film_config;
using testing::random_state;

/// The numbers of a growable table as a builder takes them, ids in descending order.
struct Rows {
  std::vector<int64_t> ids;
  std::vector<float> values;
};

Rows rows_of(const EmbeddingTable& table) {
  std::vector<int32_t> order = table.rows_by_id();
  std::reverse(order.begin(), order.end());
  Rows rows;
  rows.values.assign(table.values(), table.values() + table.width());
  for (const int32_t row : order) {
    rows.ids.push_back(table.id_of(row));
    const float* values = table.values() + row * table.width();
    rows.values.insert(rows.values.end(), values, values + table.width());
  }
  return rows;
}

void set_parameters(const ModelState& from, ModelBuilder& builder) {
  for (const Parameter& p : from.layout.parameters()) {
    builder.set_parameter(p.name, from.dense.data() + p.offset, p.size());
  }
}

void set_tables(const ModelState& from, ModelBuilder& builder) {
  for (const auto& table : from.tables) {
    if (table == nullptr) continue;
    const Rows rows = rows_of(*table);
    builder.set_table(table->name(), rows.ids.data(), rows.values.data(), table->num_ids());
  }
}

TEST(ModelBuilder, BuildsWhatItWasGiven) {
  const auto expected = random_state(film_config(), 3);
  ModelBuilder builder(film_config());
  set_parameters(*expected, builder);
  set_tables(*expected, builder);
  const auto built = builder.build();
  for (const Parameter& p : expected->layout.parameters()) {
    EXPECT_TRUE(std::equal(built->dense.data() + p.offset,
                           built->dense.data() + p.offset + p.size(),
                           expected->dense.data() + p.offset))
        << p.name;
  }
  for (size_t t = 0; t < expected->tables.size(); ++t) {
    ASSERT_EQ(built->tables[t] == nullptr, expected->tables[t] == nullptr);
    if (built->tables[t] == nullptr) continue;
    const Rows rows = rows_of(*built->tables[t]);
    const Rows given = rows_of(*expected->tables[t]);
    EXPECT_EQ(rows.ids, given.ids);
    EXPECT_EQ(rows.values, given.values);
  }
}

TEST(ModelBuilder, NamesWhatIsMissing) {
  const auto state = random_state(film_config(), 3);
  ModelBuilder builder(film_config());
  set_parameters(*state, builder);
  expect_error(Status::kInvalidState, "table.movie", [&] { builder.build(); });
  set_tables(*state, builder);
  builder.build();
  expect_error(Status::kInvalidState, "already", [&] { builder.build(); });
  expect_error(Status::kInvalidState, "already", [&] { set_parameters(*state, builder); });
}

TEST(ModelBuilder, RefusesWhatDoesNotFit) {
  ModelBuilder builder(film_config());
  const std::vector<float> values(1000, 1.0F);
  expect_error(Status::kInvalidArgument, "head.fc9.weight",
               [&] { builder.set_parameter("head.fc9.weight", values.data(), 1); });
  expect_error(Status::kInvalidArgument, "head.ln.weight",
               [&] { builder.set_parameter("head.ln.weight", values.data(), 3); });
  const std::vector<int64_t> ids = {4, 7, 4};
  expect_error(Status::kInvalidArgument, "actor",
               [&] { builder.set_table("actor", ids.data(), values.data(), 3); });
  expect_error(Status::kInvalidArgument, "got 4 twice",
               [&] { builder.set_table("movie", ids.data(), values.data(), 3); });
  for (const TableConfig& table : film_config().tables) {
    if (table.rows == 0) continue;
    expect_error(Status::kInvalidArgument, table.name,
                 [&] { builder.set_table(table.name, ids.data(), values.data(), 2); });
  }
}

}  // namespace
}  // namespace longer
