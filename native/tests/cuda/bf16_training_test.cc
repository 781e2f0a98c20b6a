// Training in bf16 against the double-precision model on the same f32 weights.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "longer/error.hpp"
#include "reference/longer_reference.hpp"
#include "support/bf16_tolerances.hpp"
#include "support/cases.hpp"
#include "support/compare_weights.hpp"
#include "support/optimizer_options.hpp"
#include "support/random_weights.hpp"
#include "support/reference_model.hpp"

namespace longer::testing {
namespace {

Config wide_film_config() {
  Config c = film_config();
  c.tables[0].width = 16;
  c.tables[1].width = 8;
  c.event_width = 16;
  c.heads = 2;  // of 32 columns
  c.queries = 4;
  c.time_width = 8;
  return c;
}

std::vector<ModelCase> bf16_cases() {
  std::vector<ModelCase> cases;
  const auto add = [&cases](const std::string& name, const auto& change) {
    ModelCase model_case{name, wide_film_config(), false};
    change(model_case.config);
    cases.push_back(model_case);
  };
  add("Film", [](Config&) {});
  add("FullVisibility", [](Config& c) {
    c.global_visibility = GlobalVisibility::kFull;
    c.self_layers = 2;
  });
  add("AllRowsInTheHead", [](Config& c) {
    c.head = Head::kAll;
    c.merge_factor = 8;
    c.heads = 2;  // of 64 columns
  });
  add("EventsInOneKernel", [](Config& c) { c.inner_heads = 1; });
  add("LearnedQueries", [](Config& c) {
    c.query_strategy = QueryStrategy::kLearnable;
    c.heads = 4;  // of 16 columns
  });
  return cases;
}

TrainerOptions in_bf16() {
  TrainerOptions options = brisk_optimizer();
  options.precision = longer::Precision::kBf16;
  return options;
}

class TrainingBf16 : public ::testing::TestWithParam<ModelCase> {
 protected:
  TrainingBf16() : weights_(random_weights(GetParam().config, 5)) {}
  OwnedBatch batch() { return maker_.make({{c_.max_history, 3}, {0, 2}, {7, 1}, {19, 4}}); }

  Config c_ = GetParam().config;
  model_reference::Weights weights_;
  BatchMaker maker_{c_, test_seed(), IdChoice::kSettled};
};
INSTANTIATE_TEST_SUITE_P(Cases, TrainingBf16, ::testing::ValuesIn(bf16_cases()), model_case_name);

/// All gradients together, and each tensor by its own norm, but by no less than a hundredth of all.
void expect_close(const model_reference::Weights& got, const model_reference::Weights& expected) {
  model_reference::Vector all_got, all_expected;
  std::map<std::string, std::pair<model_reference::Vector, model_reference::Vector>> tensors;
  for (const auto& [name, values] : expected.dense) tensors[name] = {got.at(name), values};
  for (const auto& [name, table] : expected.tables) {
    auto& [got_rows, expected_rows] = tensors["rows of " + name];
    for (const auto& [id, row] : table.rows) {
      got_rows = model_reference::concat(got_rows, got.tables.at(name).rows.at(id));
      expected_rows = model_reference::concat(expected_rows, row);
    }
  }
  for (const auto& [name, tensor] : tensors) {
    all_got = model_reference::concat(all_got, tensor.first);
    all_expected = model_reference::concat(all_expected, tensor.second);
  }
  EXPECT_LT(relative_l2(all_got, all_expected), bf16_tolerance("model", Pass::kBackward));
  double all = 0;
  for (const double value : all_expected) all += value * value;
  for (const auto& [name, tensor] : tensors) {
    EXPECT_LT(relative_l2(tensor.first, tensor.second, 1e-2 * std::sqrt(all)),
              bf16_tolerance("model tensor", Pass::kBackward))
        << name;
  }
}

TEST_P(TrainingBf16, GradientsEqualTheReference) {
  for (const double dropout : {0.0, 0.25}) {
    SCOPED_TRACE(dropout);
    c_.dropout = dropout;
    const auto model = model_of(c_, weights_);
    Trainer trainer(*model, in_bf16(), model->shared_backend());
    const OwnedBatch b = batch();
    const reference::DropoutMasks masks{dropout, in_bf16().seed, 1};
    const model_reference::Outcome outcome =
        dropout > 0 ? model_reference::forward(c_, weights_, b.view(), masks)
                    : model_reference::forward(c_, weights_, b.view());
    const double loss = trainer.compute_gradients(b.view());
    EXPECT_NEAR(loss, outcome.loss, 1e-2 * outcome.loss);
    expect_close(gradients_of(trainer), model_reference::backward(c_, weights_, b.view(), outcome));
  }
}

TEST_P(TrainingBf16, TwoTrainingsHaveTheSameBitsWhateverIsRecomputed) {
  const OwnedBatch first = batch();
  const OwnedBatch second = batch();
  std::vector<model_reference::Weights> results;
  for (const Recomputation recomputation :
       {Recomputation::kNone, Recomputation::kNone, Recomputation::kFull}) {
    TrainerOptions options = in_bf16();
    options.recomputation = recomputation;
    const auto model = model_of(c_, weights_);
    Trainer trainer(*model, options, model->shared_backend());
    trainer.step(first.view());
    trainer.step(second.view());
    results.push_back(weights_of(trainer.state()));
  }
  EXPECT_EQ(results[0].dense, results[1].dense);
  EXPECT_EQ(results[0].dense, results[2].dense);
}

TEST_P(TrainingBf16, PredictionsAreNearThoseOfF32) {
  const OwnedBatch b = batch();
  const auto model = model_of(c_, weights_);
  std::vector<float> scores[2];
  for (const bool is_bf16 : {false, true}) {
    Trainer trainer(*model, is_bf16 ? in_bf16() : brisk_optimizer(), model->shared_backend());
    scores[is_bf16 ? 1 : 0].resize(static_cast<size_t>(b.view().num_candidates) * c_.tasks.size());
    trainer.predict(b.view(), scores[is_bf16 ? 1 : 0].data());
  }
  EXPECT_NE(scores[0], scores[1]) << "it ran in f32";
  EXPECT_LT(relative_l2(scores[1], scores[0]), bf16_tolerance("model", Pass::kForward));
}

TEST(TrainingBf16Choice, ShapesWithoutKernelsRunInF32) {
  using longer::Precision;
  EXPECT_EQ(layer_precision(Precision::kBf16, 256, 4), Precision::kBf16);
  EXPECT_EQ(layer_precision(Precision::kBf16, 512, 8), Precision::kBf16);
  EXPECT_EQ(layer_precision(Precision::kBf16, 128, 2), Precision::kBf16);
  EXPECT_EQ(layer_precision(Precision::kBf16, 16, 2), Precision::kFp32);     // heads of 8
  EXPECT_EQ(layer_precision(Precision::kBf16, 2048, 32), Precision::kFp32);  // too wide for norms
  EXPECT_EQ(layer_precision(Precision::kFp32, 256, 4), Precision::kFp32);
}

TEST(TrainingBf16Choice, TheCpuRefuses) {
  const Config c = film_config();
  const auto cpu = make_backend({DeviceKind::kCpu, 0, 1});
  const auto model = LongerModel::create(c, 3, cpu);
  try {
    Trainer trainer(*model, in_bf16(), cpu);
    FAIL() << "the CPU has no bf16";
  } catch (const longer::Error& e) {
    EXPECT_EQ(e.status(), Status::kUnsupported);
    EXPECT_NE(std::string(e.what()).find("bf16 needs a CUDA device"), std::string::npos);
  }
}

}  // namespace
}  // namespace longer::testing
