// Several batches in one optimizer step: the same as one batch of all their requests.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "reference/longer_reference.hpp"
#include "support/batch_edits.hpp"
#include "support/cases.hpp"
#include "support/compare_weights.hpp"
#include "support/optimizer_options.hpp"
#include "support/random_weights.hpp"
#include "support/reference_model.hpp"
#include "support/thrown_error.hpp"

namespace longer::testing {
namespace {

using model_reference::Weights;

/// Whole requests of a batch, `begin` to `end` of them.
OwnedBatch requests_of(const Config& c, const OwnedBatch& batch, int64_t begin, int64_t end) {
  std::vector<Pick> picks;
  for (int64_t b = begin; b < end; ++b) picks.push_back({b, all_candidates(batch, b)});
  return pick_requests(c, batch, picks);
}

void expect_same_weights(const Weights& got, const Weights& expected) {
  EXPECT_EQ(got.dense, expected.dense);
  for (const auto& [name, table] : expected.tables) {
    EXPECT_EQ(got.tables.at(name).rows, table.rows) << name;
    EXPECT_EQ(got.tables.at(name).out_of_vocabulary, table.out_of_vocabulary) << name;
  }
}

class Accumulation : public ::testing::TestWithParam<ModelCase> {
 protected:
  Accumulation() {
    config_.dropout = 0.2;
    options_.seed = 31;
  }

  OwnedBatch make_batch() {
    const int64_t k = config_.merge_factor;
    return maker_.make({{k + 1, 3},
                        {0, 2},
                        {1, 1},
                        {config_.max_history + 1, 4},
                        {4 * k - 1, 0},
                        {2, 0},
                        {3 * k, 2}});
  }
  /// In pieces of different weight; the second has no candidate at all, the last is empty.
  std::vector<OwnedBatch> pieces_of(const OwnedBatch& batch) const {
    std::vector<OwnedBatch> pieces;
    const std::vector<int64_t> ends = {4, 6, 7, 7};
    for (size_t i = 0; i < ends.size(); ++i) {
      pieces.push_back(requests_of(config_, batch, i == 0 ? 0 : ends[i - 1], ends[i]));
    }
    return pieces;
  }
  static void step(Trainer& trainer, const std::vector<OwnedBatch>& pieces) {
    for (const OwnedBatch& piece : pieces) trainer.accumulate(piece.view());
    trainer.apply();
  }

  Config config_ = with_wide_norms(GetParam().config);
  TrainerOptions options_ = brisk_optimizer();
  Weights weights_ = random_weights(config_, 8);
  BatchMaker maker_{config_, test_seed(), IdChoice::kSettled};
};

TEST_P(Accumulation, FiveStepsEqualTheReference) {
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  const auto model = model_of(config_, weights_);
  Trainer trainer(*model, options_, model->shared_backend());
  Weights weights = weights_;
  model_reference::OptimizerState state;
  for (int step_number = 1; step_number <= 5; ++step_number) {
    SCOPED_TRACE("step " + std::to_string(step_number));
    const std::vector<OwnedBatch> pieces = pieces_of(make_batch());
    const reference::DropoutMasks masks{config_.dropout, options_.seed, step_number};
    std::vector<model_reference::Outcome> outcomes;
    double weight = 0.0;
    double loss = 0.0;
    uint32_t first_request = 0;
    for (const OwnedBatch& piece : pieces) {
      outcomes.push_back(
          model_reference::forward(config_, weights, piece.view(), masks, first_request));
      weight += outcomes.back().weight;
      loss += outcomes.back().loss * outcomes.back().weight;
      first_request += static_cast<uint32_t>(piece.num_requests());
    }
    Weights gradients = model_reference::zero_weights(config_);
    for (size_t i = 0; i < pieces.size(); ++i) {
      model_reference::add_gradients(
          gradients, model_reference::backward(config_, weights, pieces[i].view(), outcomes[i]),
          outcomes[i].weight / weight);
    }
    const double norm =
        model_reference::optimizer_step(reference_options(options_), gradients, weights, state);
    step(trainer, pieces);
    EXPECT_EQ(trainer.result().step, step_number);
    EXPECT_EQ(trainer.result().num_requests, 7);
    EXPECT_EQ(trainer.result().num_candidates, 12);
    EXPECT_NEAR(trainer.result().loss, loss / weight, 2e-5 * (1.0 + loss / weight));
    EXPECT_NEAR(trainer.result().gradient_norm, norm, 1e-4 * norm);
    expect_weights_near(weights_of(trainer.state()), weights, 1e-5, 1e-5);
  }
}

TEST_P(Accumulation, OfPiecesIsThatOfTheWholeBatch) {
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  const auto model = model_of(config_, weights_);
  Trainer whole(*model, options_, model->shared_backend());
  Trainer split(*model, options_, model->shared_backend());
  const OwnedBatch batch = make_batch();
  whole.step(batch.view());
  step(split, pieces_of(batch));
  EXPECT_NEAR(split.result().loss, whole.result().loss, 1e-7);
  EXPECT_NEAR(split.result().weight, whole.result().weight, 1e-9);
  EXPECT_NEAR(split.result().gradient_norm, whole.result().gradient_norm,
              1e-4 * whole.result().gradient_norm);
  EXPECT_EQ(split.result().num_events, whole.result().num_events);
  expect_weights_near(weights_of(split.state()), weights_of(whole.state()), 1e-5, 1e-5);
}

TEST_P(Accumulation, HasTheSameBitsForAnyNumberOfThreads) {
  const std::vector<OwnedBatch> pieces = pieces_of(make_batch());
  std::vector<Weights> results;
  for (const int threads : {1, 2, 7}) {
    const auto model = model_of(config_, weights_, test_backend(threads));
    Trainer trainer(*model, options_, model->shared_backend());
    step(trainer, pieces);
    step(trainer, pieces);
    results.push_back(weights_of(trainer.state()));
  }
  expect_same_weights(results[1], results[0]);
  expect_same_weights(results[2], results[0]);
}

INSTANTIATE_TEST_SUITE_P(Cases, Accumulation, ::testing::ValuesIn(tiny_model_cases()),
                         model_case_name);

class AccumulationRules : public ::testing::Test {
 protected:
  const Config config_ = film_config();
  const Weights weights_ = random_weights(config_, 8);
  const std::shared_ptr<const LongerModel> model_ = model_of(config_, weights_);
  Trainer trainer_{*model_, brisk_optimizer(), model_->shared_backend()};
  BatchMaker maker_{config_, test_seed(), IdChoice::kSettled};
};

TEST_F(AccumulationRules, AStepOfOneBatchIsAccumulateAndApply) {
  Trainer other(*model_, brisk_optimizer(), model_->shared_backend());
  for (int i = 0; i < 3; ++i) {
    const OwnedBatch batch = maker_.make({{9, 3}, {0, 2}});
    trainer_.step(batch.view());
    other.accumulate(batch.view());
    EXPECT_EQ(other.num_accumulated(), 1);
    other.apply();
    EXPECT_EQ(other.num_accumulated(), 0);
    EXPECT_EQ(other.result().loss, trainer_.result().loss);
  }
  expect_same_weights(weights_of(other.state()), weights_of(trainer_.state()));
}

TEST_F(AccumulationRules, NothingToApplyAndGradientsInBetweenAreInvalidStates) {
  expect_error(Status::kInvalidState, "no batch was accumulated", [&] { trainer_.apply(); });
  const OwnedBatch batch = maker_.make({{9, 3}});
  trainer_.accumulate(batch.view());
  expect_error(Status::kInvalidState, "1 accumulated batches",
               [&] { trainer_.compute_gradients(batch.view()); });
  std::vector<float> scores(3);
  trainer_.predict(batch.view(), scores.data());
  trainer_.apply();
  trainer_.compute_gradients(batch.view());
  expect_error(Status::kInvalidState, "no batch was accumulated", [&] { trainer_.apply(); });
}

TEST_F(AccumulationRules, ARefusedBatchLeavesWhatWasAddedBefore) {
  Trainer other(*model_, brisk_optimizer(), model_->shared_backend());
  const OwnedBatch good = maker_.make({{9, 3}, {4, 1}});
  OwnedBatch bad = good;
  bad.labels[1] = 7.0F;
  trainer_.accumulate(good.view());
  expect_error(Status::kInvalidArgument, "label", [&] { trainer_.accumulate(bad.view()); });
  trainer_.apply();
  other.step(good.view());
  expect_same_weights(weights_of(trainer_.state()), weights_of(other.state()));
}

TEST_F(AccumulationRules, DiscardedBatchesLeaveNoGradient) {
  Trainer other(*model_, brisk_optimizer(), model_->shared_backend());
  const OwnedBatch dropped = maker_.make({{9, 3}, {4, 1}});
  const OwnedBatch kept = maker_.make({{5, 2}});
  trainer_.accumulate(dropped.view());
  trainer_.discard();
  EXPECT_EQ(trainer_.num_accumulated(), 0);
  trainer_.step(kept.view());
  other.step(kept.view());
  EXPECT_EQ(trainer_.result().num_requests, 1);
  expect_same_weights(weights_of(trainer_.state()), weights_of(other.state()));
}

/// Σ w·t = 0: a step whose gradient is 0; moments fade and weights decay as in any other.
TEST_F(AccumulationRules, BatchesWithoutWeightAreStepsOfGradientZero) {
  OwnedBatch batch = maker_.make({{9, 3}, {4, 2}});
  trainer_.step(batch.view());
  Weights weights = weights_of(trainer_.state());
  OwnedBatch weightless = maker_.make({{9, 3}, {4, 2}});
  weightless.weights.assign(weightless.weights.size(), 0.0F);
  OwnedBatch unlabelled = maker_.make({{2, 2}});
  unlabelled.labels.assign(unlabelled.labels.size(), std::numeric_limits<float>::quiet_NaN());
  trainer_.accumulate(weightless.view());
  trainer_.accumulate(unlabelled.view());
  trainer_.apply();
  EXPECT_FALSE(trainer_.result().is_skipped);
  EXPECT_EQ(trainer_.result().step, 2);
  EXPECT_EQ(trainer_.result().loss, 0.0);
  EXPECT_EQ(trainer_.result().weight, 0.0);
  EXPECT_EQ(trainer_.result().gradient_norm, 0.0);
  const Weights after = weights_of(trainer_.state());
  for (const auto& [name, table] : weights.tables) {
    EXPECT_EQ(after.tables.at(name).rows, table.rows) << "rows without gradient stay";
  }
  EXPECT_NE(after.at("head.fc1.weight"), weights.at("head.fc1.weight")) << "momentum and decay";

  // Weightless batches beside others change neither loss nor gradient.
  Trainer with(*model_, brisk_optimizer(), model_->shared_backend());
  Trainer without(*model_, brisk_optimizer(), model_->shared_backend());
  with.accumulate(weightless.view());
  with.accumulate(batch.view());
  with.apply();
  without.step(batch.view());
  EXPECT_EQ(with.result().loss, without.result().loss);
  EXPECT_EQ(with.result().gradient_norm, without.result().gradient_norm);
}

}  // namespace
}  // namespace longer::testing
