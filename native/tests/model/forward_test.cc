// The library's forward pass against the double-precision reference, over the case table.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reference/longer_reference.hpp"
#include "support/cases.hpp"
#include "support/compare.hpp"
#include "support/cpu_tiers.hpp"
#include "support/random_weights.hpp"
#include "support/reference_model.hpp"

namespace longer::testing {
namespace {

class ModelForward : public ::testing::TestWithParam<ModelCase> {
 protected:
  ModelForward() : weights_(random_weights(GetParam().config, 3)) {}

  std::vector<float> scores_of(Trainer& trainer, const BatchView& batch) {
    std::vector<float> scores(
        GetParam().config.tasks.size() * static_cast<size_t>(batch.num_candidates), -1.0F);
    trainer.predict(batch, scores.data());
    return scores;
  }

  model_reference::Weights weights_;
};

TEST_P(ModelForward, ScoresEqualTheReference) {
  const Config& c = GetParam().config;
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  const auto model = model_of(c, weights_);
  Trainer trainer(*model, {}, model->shared_backend());
  BatchMaker maker(c, test_seed());
  std::vector<BatchCase> batches = batch_cases(c);
  batches.push_back(long_batch_case());
  for (const BatchCase& batch_case : batches) {
    SCOPED_TRACE(batch_case.name);
    const OwnedBatch batch = maker.make(batch_case.requests);
    const model_reference::Outcome expected = model_reference::forward(c, weights_, batch.view());
    const std::vector<float> scores = scores_of(trainer, batch.view());
    EXPECT_TRUE(are_near(scores, expected.scores, tolerance("model", Pass::kForward)));
  }
}

TEST_P(ModelForward, LossEqualsTheReference) {
  const Config& c = GetParam().config;
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  const auto model = model_of(c, weights_);
  Trainer trainer(*model, {}, model->shared_backend());
  BatchMaker maker(c, test_seed(), IdChoice::kSettled);
  for (const BatchCase& batch_case : batch_cases(c)) {
    SCOPED_TRACE(batch_case.name);
    const OwnedBatch batch = maker.make(batch_case.requests);
    const model_reference::Outcome expected = model_reference::forward(c, weights_, batch.view());
    const double loss = trainer.compute_gradients(batch.view());
    EXPECT_NEAR(loss, expected.loss, 1e-5 * (1.0 + expected.loss));
    EXPECT_NEAR(trainer.result().weight, expected.weight, 1e-12 * expected.weight);
  }
}

TEST_P(ModelForward, ScoresEqualTheReferenceOnEveryCpuTier) {
  const Config& c = GetParam().config;
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  BatchMaker maker(c, test_seed());
  const OwnedBatch batch = maker.make({{c.max_history, 3}, {c.merge_factor + 1, 2}, {0, 1}});
  const model_reference::Outcome expected = model_reference::forward(c, weights_, batch.view());
  for (const CpuTier tier : available_tiers()) {
    SCOPED_TRACE(cpu_tier_name(tier));
    const ForcedTier forced(tier);
    const auto model = model_of(c, weights_);
    Trainer trainer(*model, {}, model->shared_backend());
    EXPECT_TRUE(are_near(scores_of(trainer, batch.view()), expected.scores,
                         tolerance("model", Pass::kForward)));
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, ModelForward, ::testing::ValuesIn(model_cases()), model_case_name);

}  // namespace
}  // namespace longer::testing
