// What lies where a value is missing leaves no trace: not in gradients, not in the tables.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "support/cases.hpp"
#include "support/compare.hpp"
#include "support/random_weights.hpp"
#include "support/reference_model.hpp"

namespace longer::testing {
namespace {

/// Ids where the validity bit is cleared become numbers that no table knows.
OwnedBatch poisoned(OwnedBatch batch) {
  int64_t poison = std::numeric_limits<int64_t>::min() + 77;
  for (auto* columns : {&batch.event_columns, &batch.user_columns, &batch.candidate_columns}) {
    for (OwnedColumn& column : *columns) {
      for (size_t i = 0; !column.valid.empty() && i < column.ids.size(); ++i) {
        if (!column.is_valid(i)) column.ids[i] = ++poison;
      }
    }
  }
  return batch;
}

/// The configurations whose batches have missing ids.
std::vector<ModelCase> cases() {
  std::vector<ModelCase> cases;
  for (const ModelCase& model_case : tiny_model_cases()) {
    if (model_case.name == "EveryKindOfFeature") cases.push_back(model_case);
  }
  return cases;
}

class MissingValues : public ::testing::TestWithParam<ModelCase> {};

TEST_P(MissingValues, LeaveNoTrace) {
  const Config& c = GetParam().config;
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  const auto model = model_of(c, random_weights(c, 5));
  Trainer trainer(*model, {}, model->shared_backend());
  BatchMaker maker(c, test_seed());
  const OwnedBatch batch = maker.make({{c.max_history + 3, 4}, {c.merge_factor, 3}, {0, 2}});
  trainer.compute_gradients(batch.view());
  const int64_t rows = trainer.state().num_table_rows();
  const model_reference::Weights expected = gradients_of(trainer);
  trainer.compute_gradients(poisoned(batch).view());
  const model_reference::Weights got = gradients_of(trainer);
  EXPECT_EQ(got.dense, expected.dense);
  for (const auto& [name, table] : expected.tables) {
    EXPECT_EQ(got.tables.at(name).rows, table.rows) << name;
    EXPECT_EQ(got.tables.at(name).out_of_vocabulary, table.out_of_vocabulary) << name;
  }
  EXPECT_EQ(trainer.state().num_table_rows(), rows);
}

TEST_P(MissingValues, DifferFromEveryId) {
  // The second candidate feature is categorical. Clearing a bit changes the score of an id that has
  // a row, and of one that has none.
  const Config& c = GetParam().config;
  const auto model = model_of(c, random_weights(c, 5));
  Trainer trainer(*model, {}, model->shared_backend());
  BatchMaker maker(c, test_seed());
  OwnedBatch batch = maker.make({{c.merge_factor, 3}});
  batch.candidate_columns[1].valid = {0x03};
  batch.candidate_columns[1].ids = {1, -5, 1};
  for (size_t f = 0; f < c.candidate_features.size(); ++f) {
    if (f != 1) batch.candidate_columns[f] = batch.candidate_columns[f].pick({0, 0, 0});
  }
  std::vector<float> scores(3 * c.tasks.size());
  trainer.predict(batch.view(), scores.data());
  EXPECT_NE(scores[0], scores[1]);
  EXPECT_NE(scores[1], scores[2]);
  EXPECT_NE(scores[0], scores[2]);
}

INSTANTIATE_TEST_SUITE_P(Cases, MissingValues, ::testing::ValuesIn(cases()), model_case_name);

}  // namespace
}  // namespace longer::testing
