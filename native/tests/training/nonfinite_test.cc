// A step whose loss or gradients are not finite: what is named, and that nothing changes.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "support/cases.hpp"
#include "support/random_weights.hpp"
#include "support/reference_model.hpp"
#include "support/thrown_error.hpp"

namespace longer::testing {
namespace {

using model_reference::Weights;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class Nonfinite : public ::testing::Test {
 protected:
  /// Steps on the weights under both choices and returns what was named.
  std::string named(const Weights& weights) {
    BatchMaker maker(config_, test_seed(), IdChoice::kSettled);
    const OwnedBatch batch = maker.make({{3, 4}, {13, 2}});
    const auto model = model_of(config_, weights);
    Trainer skipping(*model, {}, model->shared_backend());
    skipping.step(batch.view());
    EXPECT_TRUE(skipping.result().is_skipped);
    EXPECT_EQ(skipping.result().step, 0);
    TrainerOptions strict;
    strict.nonfinite = OnNonfinite::kFail;
    Trainer failing(*model, strict, model->shared_backend());
    expect_error(Status::kInvalidState,
                 "[trainer] step 1 is not finite: " + skipping.result().nonfinite,
                 [&] { failing.step(batch.view()); });
    expect_error(Status::kInvalidState, "no batch was accumulated", [&] { failing.apply(); });
    for (const Trainer* trainer : {&skipping, &failing}) {
      EXPECT_TRUE(std::equal(trainer->state().dense.data(),
                             trainer->state().dense.data() + trainer->state().dense.size(),
                             model->state().dense.data(), [](float a, float b) {
                               return a == b || (std::isnan(a) && std::isnan(b));
                             }));
      EXPECT_EQ(trainer->optimizer().step, 0);
    }
    return skipping.result().nonfinite;
  }

  const Config config_ = film_config();
  Weights weights_ = random_weights(config_, 22);
};

TEST_F(Nonfinite, ParametersAndTableRowsAreNamed) {
  Weights broken = weights_;
  broken.at("layers.0.qkv.weight")[5] = kNan;
  EXPECT_EQ(named(broken), "parameter layers.0.qkv.weight[5] is nan");
  broken = weights_;
  for (auto& [id, row] : broken.tables.at("movie").rows) row[1] = id == -7 ? kNan : row[1];
  EXPECT_EQ(named(broken), "table movie, row of id -7, column 1 is nan");
}

TEST_F(Nonfinite, LayersAreNamedByTheRowsThatEnterThem) {
  Weights broken = weights_;
  for (double& value : broken.at("global.candidate.weight")) value = 3e38;
  EXPECT_EQ(named(broken).rfind("global and candidate rows before layer 0, request 0, row ", 0), 0U)
      << named(broken);
  broken = weights_;
  for (double& value : broken.at("layers.0.fc2.weight")) value = 3e38;
  EXPECT_EQ(named(broken).rfind("merged rows before layer 1, request 0", 0), 0U) << named(broken);
  broken = weights_;
  for (double& value : broken.at("head.fc2.weight")) value = 3e38;
  EXPECT_EQ(named(broken).rfind("head, logit of candidate 0, task click is", 0), 0U)
      << named(broken);
}

TEST_F(Nonfinite, GradientsAreNamedWhenTheLossIsFinite) {
  // Hidden activations are 0 and logits finite; the gradient of fc1 is that of 1e38 · 1000.
  Weights broken = weights_;
  for (const char* name : {"head.fc1.weight", "head.fc1.bias"}) {
    broken.at(name).assign(broken.at(name).size(), 0.0);
  }
  for (double& value : broken.at("head.fc2.weight")) value = 1e38;
  for (double& value : broken.at("head.ln.weight")) value = 1e3;
  const std::string what = named(broken);
  EXPECT_EQ(what.rfind("gradient of head.fc1.weight[", 0), 0U) << what;
}

}  // namespace
}  // namespace longer::testing
