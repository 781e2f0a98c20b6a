// Optimizer steps of the library against the double-precision reference: five in a row over the
// case table, then the rules that a sequence of good steps does not show.
#include "reference/optimizer_steps.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "reference/longer_reference.hpp"
#include "support/cases.hpp"
#include "support/compare_weights.hpp"
#include "support/optimizer_options.hpp"
#include "support/random_weights.hpp"
#include "support/reference_model.hpp"

namespace longer::testing {
namespace {

double largest_change(const model_reference::Vector& a, const model_reference::Vector& b) {
  double largest = 0.0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

class OptimizerSteps : public ::testing::TestWithParam<ModelCase> {
 protected:
  static std::vector<RequestShape> shapes(const Config& c) {
    const int64_t k = c.merge_factor;
    return {{0, 2}, {k + 1, 3}, {4 * k - 1, 2}, {1, 1}, {c.max_history + 1, 2}};
  }
};

TEST_P(OptimizerSteps, FiveEqualTheReference) {
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  const Config c = with_wide_norms(GetParam().config);
  model_reference::Weights weights = random_weights(c, 21);
  const model_reference::Weights start = weights;
  const auto model = model_of(c, weights);
  Trainer trainer(*model, brisk_optimizer(), model->shared_backend());
  model_reference::OptimizerState state;
  BatchMaker maker(c, test_seed(), IdChoice::kSettled);
  for (int step = 1; step <= 5; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    const OwnedBatch batch = maker.make(shapes(c));
    const model_reference::Outcome outcome = model_reference::forward(c, weights, batch.view());
    const model_reference::Weights gradients =
        model_reference::backward(c, weights, batch.view(), outcome);
    const double norm = model_reference::optimizer_step(reference_options(brisk_optimizer()),
                                                        gradients, weights, state);
    trainer.step(batch.view());

    const StepResult& result = trainer.result();
    EXPECT_EQ(result.step, step);
    EXPECT_FALSE(result.is_skipped);
    EXPECT_NEAR(result.loss, outcome.loss, 2e-5 * (1.0 + outcome.loss));
    EXPECT_NEAR(result.gradient_norm, norm, 1e-4 * norm);
    EXPECT_NEAR(result.learning_rate,
                0.02 * model_reference::rate_factor(reference_options(brisk_optimizer()), step),
                1e-12);
    // Weights of unit size, moved by up to 0.02 a step; float rounding of weights and gradients /
    // epsilon.
    expect_weights_near(weights_of(trainer.state()), weights, 1e-5, 1e-5);
  }
  // The steps were long enough for the comparison to mean something.
  const std::string token = "global." + c.candidate_tokens.front().name + ".weight";
  for (const std::string& name :
       {std::string("head.fc1.weight"), std::string("layers.0.qkv.weight"), token}) {
    EXPECT_GT(largest_change(weights.at(name), start.at(name)), 1e-2) << name;
  }
  if (weights.tables.count("movie") == 0) return;
  double moved = 0.0;
  for (const auto& [id, row] : weights.tables.at("movie").rows) {
    moved = std::max(moved, largest_change(row, start.tables.at("movie").rows.at(id)));
  }
  EXPECT_GT(moved, 1e-2);
}

INSTANTIATE_TEST_SUITE_P(Cases, OptimizerSteps, ::testing::ValuesIn(model_cases()),
                         model_case_name);

class TrainerStep : public ::testing::Test {
 protected:
  const Config config_ = film_config();
  model_reference::Weights weights_ = random_weights(config_, 22);
  BatchMaker maker_{config_, test_seed()};
};

TEST_F(TrainerStep, SkipsWhatIsNotFinite) {
  weights_.at("head.fc2.weight").assign(weights_.at("head.fc2.weight").size(), 3e38);
  const auto model = model_of(config_, weights_);
  Trainer trainer(*model, brisk_optimizer(), model->shared_backend());
  BatchMaker maker(config_, test_seed(), IdChoice::kSettled);
  const OwnedBatch batch = maker.make({{3, 4}, {5, 2}});
  const model_reference::Weights before = weights_of(trainer.state());
  trainer.step(batch.view());
  EXPECT_TRUE(trainer.result().is_skipped);
  EXPECT_EQ(trainer.result().step, 0);
  const model_reference::Weights after = weights_of(trainer.state());
  EXPECT_EQ(after.dense, before.dense);
  for (const auto& [name, table] : before.tables) EXPECT_EQ(after.tables.at(name).rows, table.rows);
}

TEST_F(TrainerStep, GivesNewIdsRowsThatDependOnSeedTableAndIdOnly) {
  TrainerOptions still = brisk_optimizer();
  still.learning_rate = 0.0;
  still.table_learning_rate = 0.0;
  still.seed = 77;
  const auto rows_after = [&](const std::vector<OwnedBatch>& batches) {
    const auto model = LongerModel::create(config_, 1, test_backend());
    Trainer trainer(*model, still, model->shared_backend());
    int64_t new_rows = 0;
    for (const OwnedBatch& batch : batches) {
      trainer.step(batch.view());
      new_rows += trainer.result().new_table_rows;
    }
    EXPECT_EQ(new_rows, trainer.state().num_table_rows());
    return weights_of(trainer.state()).tables;
  };
  const OwnedBatch first = maker_.make({{9, 5}, {12, 5}});
  const OwnedBatch second = maker_.make({{11, 5}, {30, 9}});
  const auto forwards = rows_after({first, second});
  const auto backwards = rows_after({second, first, second});
  ASSERT_GT(forwards.at("movie").rows.size(), 5U);
  for (const auto& [name, table] : forwards) {
    EXPECT_EQ(backwards.at(name).rows, table.rows) << name;
    EXPECT_EQ(table.out_of_vocabulary, model_reference::Vector(table.out_of_vocabulary.size(), 0.0))
        << name;
  }
  // Ids and tables have rows of their own.
  EXPECT_NE(forwards.at("movie").rows.at(0), forwards.at("movie").rows.at(1));
  still.seed = 78;
  EXPECT_NE(rows_after({first, second}).at("movie").rows, forwards.at("movie").rows);
}

TEST_F(TrainerStep, LeavesUnseenRowsAndItsModelAlone) {
  const auto model = model_of(config_, weights_);
  Trainer trainer(*model, brisk_optimizer(), model->shared_backend());
  OwnedBatch batch = maker_.make({{6, 3}, {2, 2}});
  // Movies 0 and 1 only.
  for (int64_t& id : batch.event_columns[0].ids) id &= 1;
  for (int64_t& id : batch.candidate_columns[0].ids) id &= 1;
  trainer.step(batch.view());
  const auto after = weights_of(trainer.state()).tables.at("movie").rows;
  for (const auto& [id, row] : weights_.tables.at("movie").rows) {
    EXPECT_EQ(after.at(id) == row, id != 0 && id != 1) << "id " << id;
  }
  const model_reference::Weights kept = weights_of(model->state());
  EXPECT_EQ(kept.dense, weights_.dense);
  EXPECT_NE(weights_of(trainer.state()).dense, weights_.dense);
  EXPECT_NE(trainer.snapshot()->version(), model->version());
}

TEST_F(TrainerStep, PredictsWithTheWeightsOfTheLastStep) {
  const auto model = model_of(config_, weights_);
  Trainer trainer(*model, brisk_optimizer(), model->shared_backend());
  BatchMaker maker(config_, test_seed(), IdChoice::kSettled);
  const OwnedBatch batch = maker.make({{17, 3}, {0, 2}});
  std::vector<float> scores(5);
  trainer.predict(batch.view(), scores.data());
  for (int step = 0; step < 2; ++step) {
    trainer.step(batch.view());
    trainer.predict(batch.view(), scores.data());
    const model_reference::Outcome expected =
        model_reference::forward(config_, weights_of(trainer.state()), batch.view());
    for (size_t i = 0; i < scores.size(); ++i) {
      EXPECT_NEAR(static_cast<double>(scores[i]), expected.scores[i], 1e-5);
    }
  }
}

TEST_F(TrainerStep, LearnsToSeparateTwoKindsOfCandidates) {
  const auto model = LongerModel::create(config_, 3, test_backend());
  TrainerOptions eager;
  eager.learning_rate = 5e-3;
  Trainer trainer(*model, eager, model->shared_backend());
  OwnedBatch batch = maker_.make({{20, 6}, {7, 6}, {0, 6}});
  for (size_t i = 0; i < batch.labels.size(); ++i) {
    batch.candidate_columns[0].ids[i] = static_cast<int64_t>(i % 2);
    batch.labels[i] = static_cast<float>(i % 2);
    batch.weights[i] = 1.0F;
  }
  trainer.step(batch.view());
  EXPECT_NEAR(trainer.result().loss, std::log(2.0), 0.2);
  for (int step = 0; step < 200; ++step) trainer.step(batch.view());
  EXPECT_LT(trainer.result().loss, 0.01);
}

}  // namespace
}  // namespace longer::testing
