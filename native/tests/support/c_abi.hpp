#pragma once
// The C ABI as tests use it: owning handles, whole arrays, failures as test failures.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "longer/c/longer.h"
#include "support/cases.hpp"

namespace longer::testing {

struct DestroyHandle {
  void operator()(longer_model* handle) const { longer_model_destroy(handle); }
  void operator()(longer_trainer* handle) const { longer_trainer_destroy(handle); }
  void operator()(longer_ranker* handle) const { longer_ranker_destroy(handle); }
};
using ModelHandle = std::unique_ptr<longer_model, DestroyHandle>;
using TrainerHandle = std::unique_ptr<longer_trainer, DestroyHandle>;
using RankerHandle = std::unique_ptr<longer_ranker, DestroyHandle>;

/// Every handle a test made is gone when it ends.
class CApiTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(longer_live_handles(), 0); }
  void TearDown() override { EXPECT_EQ(longer_live_handles(), 0); }
};

inline longer_batch c_batch(const OwnedBatch& batch) {
  const BatchView v = batch.view();
  return {static_cast<int64_t>(sizeof(longer_batch)),
          v.num_requests,
          v.num_events,
          v.num_candidates,
          v.event_offsets,
          v.candidate_offsets,
          v.event_columns,
          v.event_times,
          v.first_ordinals,
          v.reference_times,
          v.user_columns,
          v.candidate_columns,
          v.labels,
          v.weights};
}

inline longer_device cpu_device(int32_t num_threads) {
  return {LONGER_DEVICE_CPU, 0, num_threads, 0};
}

inline ModelHandle create_model(const Config& c, uint64_t seed = 1, int32_t num_threads = 2) {
  const std::string json = c.to_json();
  const longer_device device = cpu_device(num_threads);
  longer_error error{};
  ModelHandle model(
      longer_model_create(json.data(), static_cast<int64_t>(json.size()), seed, &device, &error));
  EXPECT_NE(model, nullptr) << error.message;
  return model;
}

/// Options with rates large enough that a few steps leave no weight at its start.
inline longer_trainer_options brisk_options() {
  longer_trainer_options options{};
  longer_trainer_options_default(&options);
  options.learning_rate = 0.02;
  options.table_learning_rate = 0.1;
  return options;
}

inline TrainerHandle create_trainer(const longer_model* model, int32_t num_threads = 2,
                                    const longer_trainer_options& options = brisk_options()) {
  const longer_device device = cpu_device(num_threads);
  longer_error error{};
  TrainerHandle trainer(longer_trainer_create(model, &options, &device, &error));
  EXPECT_NE(trainer, nullptr) << error.message;
  return trainer;
}

inline void train(longer_trainer* trainer, const OwnedBatch& batch, int num_steps) {
  const longer_batch c = c_batch(batch);
  for (int i = 0; i < num_steps; ++i) {
    longer_error error{};
    ASSERT_EQ(longer_trainer_step(trainer, &c, &error), LONGER_OK) << error.message;
  }
}

/// A model after a few steps on random requests, so that no weight is 0 or 1 by construction.
inline ModelHandle trained_model(const Config& c, uint64_t seed = 1, int32_t num_threads = 2) {
  const ModelHandle fresh = create_model(c, seed, num_threads);
  const TrainerHandle trainer = create_trainer(fresh.get(), num_threads);
  const int64_t k = c.merge_factor;
  BatchMaker maker(c, seed + 100, IdChoice::kSettled);
  train(trainer.get(), maker.make({{3 * k, 4}, {0, 2}, {5 * k + 1, 3}, {1, 3}}), 3);
  longer_error error{};
  ModelHandle model(longer_trainer_model(trainer.get(), &error));
  EXPECT_NE(model, nullptr) << error.message;
  return model;
}

/// scores [tasks, ΣC].
inline std::vector<float> predict(longer_trainer* trainer, const Config& c,
                                  const OwnedBatch& batch) {
  std::vector<float> scores(c.tasks.size() * static_cast<size_t>(batch.num_candidates()), -1.0F);
  const longer_batch view = c_batch(batch);
  longer_error error{};
  EXPECT_EQ(longer_trainer_predict(trainer, &view, scores.data(),
                                   static_cast<int64_t>(scores.size()), &error),
            LONGER_OK)
      << error.message;
  return scores;
}

struct ParameterShape {
  std::string name;
  std::vector<int64_t> shape;
  int64_t size = 1;
};

inline std::vector<ParameterShape> describe_parameters(const longer_model* model) {
  int64_t needed = 0;
  longer_error error{};
  EXPECT_EQ(longer_model_describe_parameters(model, nullptr, 0, &needed, &error), LONGER_OK)
      << error.message;
  std::vector<char> text(static_cast<size_t>(needed));
  EXPECT_EQ(longer_model_describe_parameters(model, text.data(), needed, &needed, &error),
            LONGER_OK);
  std::vector<ParameterShape> parameters;
  for (const auto& p : nlohmann::json::parse(text.data())) {
    ParameterShape parameter{p.at("name").get<std::string>(),
                             p.at("shape").get<std::vector<int64_t>>()};
    for (int64_t extent : parameter.shape) parameter.size *= extent;
    parameters.push_back(parameter);
  }
  return parameters;
}

/// Dense parameters, or their gradients, by name; the rows of growable table T, sorted by id, as
/// "table T", and its ids.
struct NamedValues {
  std::map<std::string, std::vector<float>> values;
  std::map<std::string, std::vector<int64_t>> ids;
};

inline NamedValues model_values(const longer_model* model, const Config& c) {
  NamedValues all;
  longer_error error{};
  for (const ParameterShape& p : describe_parameters(model)) {
    std::vector<float>& values = all.values[p.name];
    values.resize(static_cast<size_t>(p.size));
    EXPECT_EQ(longer_model_get_parameter(model, p.name.c_str(), values.data(), p.size, &error),
              LONGER_OK)
        << error.message;
  }
  for (const TableConfig& table : c.tables) {
    if (table.rows > 0) continue;
    int64_t count = 0;
    EXPECT_EQ(
        longer_model_get_table(model, table.name.c_str(), nullptr, nullptr, 0, &count, &error),
        LONGER_OK);
    std::vector<int64_t>& ids = all.ids[table.name];
    std::vector<float>& rows = all.values["table " + table.name];
    ids.resize(static_cast<size_t>(count));
    rows.resize(static_cast<size_t>((count + 1) * table.width));
    EXPECT_EQ(longer_model_get_table(model, table.name.c_str(), ids.data(), rows.data(), count,
                                     &count, &error),
              LONGER_OK)
        << error.message;
  }
  return all;
}

/// Loss and gradients of one batch.
inline std::pair<double, NamedValues> gradients_of(longer_trainer* trainer,
                                                   const longer_model* model, const Config& c,
                                                   const OwnedBatch& batch) {
  NamedValues all;
  double loss = 0.0;
  longer_error error{};
  const longer_batch view = c_batch(batch);
  EXPECT_EQ(longer_trainer_gradients(trainer, &view, &loss, &error), LONGER_OK) << error.message;
  for (const ParameterShape& p : describe_parameters(model)) {
    std::vector<float>& values = all.values[p.name];
    values.resize(static_cast<size_t>(p.size));
    EXPECT_EQ(longer_trainer_get_gradient(trainer, p.name.c_str(), values.data(), p.size, &error),
              LONGER_OK)
        << error.message;
  }
  for (const TableConfig& table : c.tables) {
    if (table.rows > 0) continue;
    int64_t count = 0;
    EXPECT_EQ(longer_trainer_get_table_gradient(trainer, table.name.c_str(), nullptr, nullptr, 0,
                                                &count, &error),
              LONGER_OK);
    std::vector<int64_t>& ids = all.ids[table.name];
    std::vector<float>& rows = all.values["table " + table.name];
    ids.resize(static_cast<size_t>(count));
    rows.resize(static_cast<size_t>(count * table.width));
    EXPECT_EQ(longer_trainer_get_table_gradient(trainer, table.name.c_str(), ids.data(),
                                                rows.data(), count, &count, &error),
              LONGER_OK)
        << error.message;
  }
  return {loss, all};
}

}  // namespace longer::testing
