// Folders that were written once and that every later release must read: first_release by this
// library's save_checkpoint when format version 1 came, pytorch by PyTorch (java-api/torch,
// CommittedFoldersTest). When the format's version rises, they stay and others join them.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/model_folder.hpp"
#include "support/golden.hpp"
#include "support/reference_model.hpp"
#include "support/tolerances.hpp"

namespace longer::testing {
namespace {

using model_reference::Vector;
using model_reference::Weights;

constexpr const char* kProgress = R"({"epoch": 2, "batch": 31})";

/// What first_release holds: every value from integer arithmetic.
Checkpoint first_release() {
  const Config config = Config::parse(read_golden_json("features.json").at("config").dump());
  const auto model = model_of(config, golden_weights(config));
  Checkpoint checkpoint{std::make_unique<ModelState>(model->state()), nullptr, kProgress};
  for (const auto& table : checkpoint.state->tables) {
    if (table == nullptr) continue;
    float sum = 0.0F;
    table->states()[0] = 0.5F;
    for (const int32_t row : table->rows_by_id()) table->states()[row] = sum += 0.125F;
  }
  checkpoint.optimizer = std::make_unique<OptimizerState>(checkpoint.state->layout.arena_size());
  checkpoint.optimizer->step = 4711;
  for (const Parameter& p : checkpoint.state->layout.parameters()) {
    for (int64_t i = 0; i < p.size(); ++i) {
      checkpoint.optimizer->first_moment.data()[p.offset + i] =
          static_cast<float>(i % 97 - 48) / 64.0F;
      checkpoint.optimizer->second_moment.data()[p.offset + i] =
          static_cast<float>(i % 89) / 128.0F;
    }
  }
  return checkpoint;
}

void expect_same_tables(const ModelState& got, const ModelState& expected) {
  for (size_t t = 0; t < expected.tables.size(); ++t) {
    const EmbeddingTable* table = expected.tables[t].get();
    ASSERT_EQ(got.tables[t] == nullptr, table == nullptr);
    if (table == nullptr) continue;
    const std::vector<int32_t> rows = table->rows_by_id();
    const std::vector<int32_t> got_rows = got.tables[t]->rows_by_id();
    ASSERT_EQ(got_rows.size(), rows.size());
    EXPECT_EQ(got.tables[t]->states()[0], table->states()[0]) << table->name();
    for (size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(got.tables[t]->id_of(got_rows[i]), table->id_of(rows[i])) << table->name();
      EXPECT_EQ(got.tables[t]->states()[got_rows[i]], table->states()[rows[i]]) << table->name();
    }
  }
}

TEST(CommittedFolders, FirstReleaseIsReadBitForBit) {
  const Checkpoint got = load_checkpoint(golden_path("first_release"));
  const Checkpoint expected = first_release();
  EXPECT_EQ(got.state->config.to_json(), expected.state->config.to_json());
  EXPECT_EQ(got.progress, expected.progress);
  EXPECT_EQ(got.optimizer->step, expected.optimizer->step);
  const Weights got_weights = weights_of(*got.state);
  const Weights weights = golden_weights(expected.state->config);
  EXPECT_EQ(got_weights.dense, weights.dense);
  ASSERT_EQ(got_weights.tables.size(), weights.tables.size());
  for (const auto& [name, table] : weights.tables) {
    EXPECT_EQ(got_weights.tables.at(name).out_of_vocabulary, table.out_of_vocabulary) << name;
    EXPECT_EQ(got_weights.tables.at(name).rows, table.rows) << name;
  }
  expect_same_tables(*got.state, *expected.state);
  for (const Parameter& p : expected.state->layout.parameters()) {
    for (const auto moment : {&OptimizerState::first_moment, &OptimizerState::second_moment}) {
      const float* values = (*expected.optimizer.*moment).data() + p.offset;
      const float* got_values = (*got.optimizer.*moment).data() + p.offset;
      EXPECT_EQ(std::vector<float>(got_values, got_values + p.size()),
                std::vector<float>(values, values + p.size()))
          << p.name;
    }
  }
}

/// Weights are a folder's to the bit; how a sum of them is rounded is each release's own.
void expect_scores(const std::string& folder, const nlohmann::json& golden) {
  const auto model =
      std::make_shared<const LongerModel>(load_model(golden_path(folder)), test_backend());
  const OwnedBatch batch = batch_of(golden.at("batch"));
  const Vector logits = golden.at("logits").get<Vector>();
  std::vector<float> scores(logits.size());
  Trainer(*model, {}, model->shared_backend()).predict(batch.view(), scores.data());
  const Tolerance tolerated = tolerance("model", Pass::kForward);
  for (size_t i = 0; i < scores.size(); ++i) {
    const double score = static_cast<double>(scores[i]);
    EXPECT_NEAR(std::log(score / (1.0 - score)), logits[i],
                tolerated.absolute + tolerated.relative * std::abs(logits[i]))
        << folder << ", candidate " << i;
  }
}

TEST(CommittedFolders, FirstReleaseScoresAsRecorded) {
  expect_scores("first_release", read_golden_json("features.json"));
}

TEST(CommittedFolders, PyTorchScoresAsInPyTorch) {
  expect_scores("pytorch", read_golden_json("pytorch.json"));
}

}  // namespace
}  // namespace longer::testing
