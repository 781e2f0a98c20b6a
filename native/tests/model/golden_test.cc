// Recorded inputs with their logits, loss and gradient checksums: a change of meaning in the model
// and in the reference alike is caught here. Record anew (after a deliberate change of
// native/docs/model.md only) with
//   model_test --gtest_also_run_disabled_tests --gtest_filter='*DISABLED_Record*'
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

Json floats_json(const std::vector<float>& floats) {
  Json json = Json::array();
  for (float value : floats) json.push_back(std::isnan(value) ? Json() : Json(value));
  return json;
}

Json columns_json(const OwnedColumns& columns) {
  Json json = Json::array();
  for (const OwnedColumn& column : columns) {
    Json& fields = json.emplace_back(Json::object());
    if (!column.ids.empty()) fields["ids"] = column.ids;
    if (!column.numbers.empty()) fields["numbers"] = floats_json(column.numbers);
    if (!column.offsets.empty()) fields["offsets"] = column.offsets;
    if (!column.valid.empty()) fields["valid"] = column.valid;
  }
  return json;
}

Json batch_json(const OwnedBatch& b) {
  return {{"event_offsets", b.event_offsets},
          {"candidate_offsets", b.candidate_offsets},
          {"event_columns", columns_json(b.event_columns)},
          {"event_times", b.event_times},
          {"first_ordinals", b.first_ordinals},
          {"reference_times", b.reference_times},
          {"user_columns", columns_json(b.user_columns)},
          {"candidate_columns", columns_json(b.candidate_columns)},
          {"labels", floats_json(b.labels)},
          {"weights", b.weights}};
}

/// Three numbers of a tensor: Σg, Σ|g| and Σ(i mod 7 − 3)·g, which sees elements change places.
Vector checksum(const Vector& g) {
  Vector sums(3, 0.0);
  for (size_t i = 0; i < g.size(); ++i) {
    sums[0] += g[i];
    sums[1] += std::abs(g[i]);
    sums[2] += (static_cast<double>(i % 7) - 3.0) * g[i];
  }
  return sums;
}

/// Checksums by tensor name; a growable table's rows count in order of id behind its
/// out-of-vocabulary row.
std::map<std::string, Vector> checksums(const Weights& gradients) {
  std::map<std::string, Vector> sums;
  for (const auto& [name, g] : gradients.dense) sums[name] = checksum(g);
  for (const auto& [name, table] : gradients.tables) {
    Vector all = table.out_of_vocabulary;
    for (const auto& [id, row] : table.rows) all = model_reference::concat(all, row);
    sums["table " + name] = checksum(all);
  }
  return sums;
}

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

void record(const std::string& name, const Config& c) {
  BatchMaker maker(c, 99, IdChoice::kKnown);
  const int64_t k = c.merge_factor;
  const OwnedBatch owned = maker.make(
      {{0, 1}, {2 * k + 1, 3}, {1, 0}, {k * (c.queries + 2), 2}, {c.max_history + 4, 2}});
  const Weights w = golden_weights(c);
  const model_reference::Outcome outcome = model_reference::forward(c, w, owned.view());
  const Json json = {
      {"config", Json::parse(c.to_json())},
      {"batch", batch_json(owned)},
      {"logits", outcome.logits},
      {"loss", outcome.loss},
      {"gradients", checksums(model_reference::backward(c, w, owned.view(), outcome))}};
  std::ofstream(golden_path(name + ".json")) << json.dump(1) << "\n";
}

TEST(GoldenFiles, DISABLED_Record) {
  record("newest", film_config());
  Config c = film_config();
  c.anchor = Anchor::kOldest;
  c.time = TimeMode::kEventRelative;
  c.merge_factor = 2;
  c.inner_layers = 2;
  c.cls_tokens = 2;
  c.query_block = 2;
  c.self_layers = 2;
  c.tasks = {{"click", 1.0}, {"like", 0.25}};
  record("oldest", c);
  for (const ModelCase& model_case : model_cases()) {
    if (model_case.name == "EveryKindOfFeature") record("features", model_case.config);
  }
}

}  // namespace
}  // namespace longer::testing
