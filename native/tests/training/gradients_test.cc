// Every gradient of the library against the double-precision reference, over the case table.
#include <gtest/gtest.h>

#include <string>

#include "reference/longer_reference.hpp"
#include "support/cases.hpp"
#include "support/compare_weights.hpp"
#include "support/cpu_tiers.hpp"
#include "support/random_weights.hpp"
#include "support/reference_model.hpp"

namespace longer::testing {
namespace {

// A gradient sums thousands of float products whose terms cancel: 1e-4 of its tensor's largest
// element. Tensors whose gradient is nearly 0 as a whole (labels missing, saturated rows) are held
// to the rounding of the loss's own gradient.
constexpr double kRelative = 1e-4;
constexpr double kFloor = 1e-7;

class TrainerGradients : public ::testing::TestWithParam<ModelCase> {
 protected:
  void check(Trainer& trainer, const BatchCase& batch_case) {
    SCOPED_TRACE(batch_case.name + ", LONGER_TEST_SEED=" + std::to_string(test_seed()));
    const Config& c = GetParam().config;
    const OwnedBatch batch = maker_.make(batch_case.requests);
    const model_reference::Outcome outcome = model_reference::forward(c, weights_, batch.view());
    const model_reference::Weights expected =
        model_reference::backward(c, weights_, batch.view(), outcome);
    trainer.compute_gradients(batch.view());
    expect_weights_near(gradients_of(trainer), expected, kRelative, kFloor);
  }

  model_reference::Weights weights_ = random_weights(GetParam().config, 5);
  std::shared_ptr<const LongerModel> model_ = model_of(GetParam().config, weights_);
  Trainer trainer_{*model_, {}, model_->shared_backend()};
  BatchMaker maker_{GetParam().config, test_seed(), IdChoice::kSettled};
};

TEST_P(TrainerGradients, EqualTheReference) {
  for (const BatchCase& batch_case : batch_cases(GetParam().config)) check(trainer_, batch_case);
}

TEST_P(TrainerGradients, EqualTheReferenceOnLongHistoriesAndManyCandidates) {
  check(trainer_, long_batch_case());
}

TEST_P(TrainerGradients, EqualTheReferenceUnderDropout) {
  Config c = GetParam().config;
  c.dropout = 0.25;
  TrainerOptions options;
  options.seed = 99;
  const auto model = model_of(c, weights_);
  Trainer trainer(*model, options, model->shared_backend());
  for (const BatchCase& batch_case : batch_cases(c)) {
    SCOPED_TRACE(batch_case.name + ", LONGER_TEST_SEED=" + std::to_string(test_seed()));
    const OwnedBatch batch = maker_.make(batch_case.requests);
    const reference::DropoutMasks masks{c.dropout, options.seed, 1};
    const model_reference::Outcome outcome =
        model_reference::forward(c, weights_, batch.view(), masks);
    const double loss = trainer.compute_gradients(batch.view());
    EXPECT_NEAR(loss, outcome.loss, 2e-5 * (1.0 + outcome.loss));
    expect_weights_near(gradients_of(trainer),
                        model_reference::backward(c, weights_, batch.view(), outcome), kRelative,
                        kFloor);
  }
}

TEST_P(TrainerGradients, EqualTheReferenceOnEveryCpuTier) {
  const Config& c = GetParam().config;
  for (const CpuTier tier : available_tiers()) {
    SCOPED_TRACE(cpu_tier_name(tier));
    const ForcedTier forced(tier);
    model_ = model_of(c, weights_);
    Trainer trainer(*model_, {}, model_->shared_backend());
    check(trainer, {"Tier", {{c.max_history, 3}, {c.merge_factor + 1, 2}, {0, 1}}});
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, TrainerGradients, ::testing::ValuesIn(model_cases()),
                         model_case_name);

}  // namespace
}  // namespace longer::testing
