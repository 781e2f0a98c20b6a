// Recorded inputs with their logits, loss and gradient checksums: a change of meaning in the model
// and in the reference alike is caught here. After a deliberate change of native/docs/model.md, and
// then only, the program record_goldens records them anew.
#include "support/golden.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "reference/longer_reference.hpp"
#include "support/cases.hpp"
#include "support/reference_model.hpp"

namespace longer::testing {
namespace {

using Json = nlohmann::json;
using model_reference::Vector;
using model_reference::Weights;

struct Golden {
  Config config;
  OwnedBatch batch;
  Vector logits;
  double loss = 0.0;
  std::map<std::string, Vector> gradients;
};

Golden read_golden(const std::string& name) {
  const Json json = read_golden_json(name + ".json");
  return {Config::parse(json.at("config").dump()), batch_of(json.at("batch")),
          json.at("logits").get<Vector>(), json.at("loss").get<double>(),
          json.at("gradients").get<std::map<std::string, Vector>>()};
}

/// Within `relative` of the tensor's Σ|g|, weighted by the checksum's largest factor.
void expect_checksums_near(const std::map<std::string, Vector>& got,
                           const std::map<std::string, Vector>& expected, double relative) {
  ASSERT_EQ(got.size(), expected.size());
  for (const auto& [name, sums] : expected) {
    ASSERT_EQ(got.count(name), 1U) << name;
    for (size_t i = 0; i < sums.size(); ++i) {
      EXPECT_NEAR(got.at(name)[i], sums[i], 3.0 * relative * (sums[1] + 1e-6))
          << name << ", sum " << i;
    }
  }
}

class GoldenTest : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenTest, EqualsTheReference) {
  const Golden golden = read_golden(GetParam());
  const Weights w = golden_weights(golden.config);
  const BatchView batch = golden.batch.view();
  const model_reference::Outcome outcome = model_reference::forward(golden.config, w, batch);
  ASSERT_EQ(outcome.logits.size(), golden.logits.size());
  for (size_t i = 0; i < golden.logits.size(); ++i)
    EXPECT_NEAR(outcome.logits[i], golden.logits[i], 1e-9);
  EXPECT_NEAR(outcome.loss, golden.loss, 1e-9);
  expect_checksums_near(checksums(model_reference::backward(golden.config, w, batch, outcome)),
                        golden.gradients, 1e-9);
}

TEST_P(GoldenTest, EqualsTheLibrary) {
  const Golden golden = read_golden(GetParam());
  const auto model = model_of(golden.config, golden_weights(golden.config));
  Trainer trainer(*model, {}, model->shared_backend());
  std::vector<float> scores(golden.logits.size());
  trainer.predict(golden.batch.view(), scores.data());
  for (size_t i = 0; i < scores.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(scores[i]), model_reference::sigmoid(golden.logits[i]), 1e-5);
  }
  EXPECT_NEAR(trainer.compute_gradients(golden.batch.view()), golden.loss, 1e-5);
  expect_checksums_near(checksums(gradients_of(trainer)), golden.gradients, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenTest, ::testing::Values("newest", "oldest", "features"),
                         [](const ::testing::TestParamInfo<std::string>& file) {
                           return file.param;
                         });

}  // namespace
}  // namespace longer::testing
