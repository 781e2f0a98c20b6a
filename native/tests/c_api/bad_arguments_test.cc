// Null handles, unknown names, wrong sizes and wrong options: one clear error each.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "longer/c/longer.h"
#include "ops/backend.hpp"
#include "support/c_abi.hpp"

namespace longer::testing {
namespace {

class BadArguments : public CApiTest {
 protected:
  void expect_error(longer_status status, longer_status wanted, const std::string& part) {
    EXPECT_EQ(status, wanted) << error_.message;
    EXPECT_EQ(error_.code, wanted);
    EXPECT_NE(std::string(error_.message).find(part), std::string::npos) << error_.message;
  }
  void expect_no_handle(const void* handle, longer_status wanted, const std::string& part) {
    EXPECT_EQ(handle, nullptr);
    expect_error(error_.code, wanted, part);
  }

  const Config config_ = film_config();
  longer_error error_{};
};

TEST_F(BadArguments, NullPointersAreNamed) {
  const longer_device device = cpu_device(1);
  float value = 0.0F;
  int64_t count = 0;
  expect_no_handle(longer_model_create(nullptr, 0, 1, &device, &error_), LONGER_INVALID_ARGUMENT,
                   "config_json");
  expect_no_handle(longer_model_create("{}", -1, 1, &device, &error_), LONGER_INVALID_ARGUMENT,
                   "config_json");
  expect_no_handle(longer_trainer_create(nullptr, nullptr, &device, &error_),
                   LONGER_INVALID_ARGUMENT, "model");
  expect_no_handle(longer_ranker_create(nullptr, nullptr, &error_), LONGER_INVALID_ARGUMENT,
                   "model");
  expect_no_handle(longer_trainer_model(nullptr, &error_), LONGER_INVALID_ARGUMENT, "trainer");
  expect_error(longer_config_normalize(nullptr, 0, nullptr, 0, &count, &error_),
               LONGER_INVALID_ARGUMENT, "json");
  expect_error(longer_model_save(nullptr, "x", &error_), LONGER_INVALID_ARGUMENT, "model");
  expect_error(longer_model_get_parameter(nullptr, "x", &value, 1, &error_),
               LONGER_INVALID_ARGUMENT, "model");
  expect_error(longer_trainer_step(nullptr, nullptr, &error_), LONGER_INVALID_ARGUMENT, "trainer");
  expect_error(longer_trainer_get_gradient(nullptr, "x", &value, 1, &error_),
               LONGER_INVALID_ARGUMENT, "trainer");
  expect_error(longer_ranker_rank(nullptr, nullptr, &value, 1, &error_), LONGER_INVALID_ARGUMENT,
               "ranker");
  longer_model_destroy(nullptr);
  longer_trainer_destroy(nullptr);
  longer_ranker_destroy(nullptr);
}

TEST_F(BadArguments, AMissingErrorStructIsAllowed) {
  EXPECT_EQ(longer_model_create("{", 1, 1, nullptr, nullptr), nullptr);
  EXPECT_EQ(longer_trainer_step(nullptr, nullptr, nullptr), LONGER_INVALID_ARGUMENT);
}

TEST_F(BadArguments, ModelsRefuseUnknownNamesAndWrongSizes) {
  const ModelHandle model = create_model(config_);
  const int64_t cls = config_.cls_tokens * config_.model_width();
  std::vector<float> values(static_cast<size_t>(cls) + 1);
  const auto get = [&](const char* name, float* to, int64_t count) {
    return longer_model_get_parameter(model.get(), name, to, count, &error_);
  };
  EXPECT_EQ(get("global.cls", values.data(), cls), LONGER_OK) << error_.message;
  expect_error(get("global.clz", values.data(), cls), LONGER_INVALID_ARGUMENT, "global.clz");
  expect_error(get("", values.data(), cls), LONGER_INVALID_ARGUMENT, "\"\"");
  expect_error(get(nullptr, values.data(), cls), LONGER_INVALID_ARGUMENT, "name");
  expect_error(get("global.cls", nullptr, cls), LONGER_INVALID_ARGUMENT, "values");
  expect_error(get("global.cls", values.data(), cls + 1), LONGER_INVALID_ARGUMENT,
               std::to_string(cls));
  expect_error(get("global.cls", values.data(), -1), LONGER_INVALID_ARGUMENT, std::to_string(cls));

  int64_t count = 0;
  const auto get_table = [&](const char* name) {
    return longer_model_get_table(model.get(), name, nullptr, nullptr, 0, &count, &error_);
  };
  EXPECT_EQ(get_table("movie"), LONGER_OK);
  expect_error(get_table("films"), LONGER_INVALID_ARGUMENT, "films");
  expect_error(get_table("genre"), LONGER_INVALID_ARGUMENT, "genre");  // dense: a parameter
  expect_error(get_table(nullptr), LONGER_INVALID_ARGUMENT, "table");
}

TEST_F(BadArguments, TrainersRefuseUnknownNamesAndWrongSizes) {
  const ModelHandle model = create_model(config_);
  const TrainerHandle trainer = create_trainer(model.get());
  float value = 0.0F;
  int64_t count = 0;
  expect_error(
      longer_trainer_get_gradient(trainer.get(), "layers.9.qkv.weight", &value, 1, &error_),
      LONGER_INVALID_ARGUMENT, "layers.9.qkv.weight");
  expect_error(longer_trainer_get_gradient(trainer.get(), "head.fc2.bias", &value, 2, &error_),
               LONGER_INVALID_ARGUMENT, "head.fc2.bias");
  expect_error(longer_trainer_get_table_gradient(trainer.get(), "films", nullptr, nullptr, 0,
                                                 &count, &error_),
               LONGER_INVALID_ARGUMENT, "films");
  BatchMaker maker(config_, 1);
  const OwnedBatch batch = maker.make({{3, 2}});
  const longer_batch view = c_batch(batch);
  std::vector<float> scores(3);
  expect_error(longer_trainer_predict(trainer.get(), &view, scores.data(), 3, &error_),
               LONGER_INVALID_ARGUMENT, "2");
  expect_error(longer_trainer_predict(trainer.get(), &view, nullptr, 2, &error_),
               LONGER_INVALID_ARGUMENT, "scores");
  expect_error(longer_trainer_step(trainer.get(), nullptr, &error_), LONGER_INVALID_ARGUMENT,
               "batch");
}

TEST_F(BadArguments, TrainersRefuseWrongOptions) {
  const ModelHandle model = create_model(config_);
  const longer_device device = cpu_device(1);
  const auto refuse = [&](const std::string& name, const auto& damage) {
    longer_trainer_options options{};
    longer_trainer_options_default(&options);
    damage(options);
    expect_no_handle(longer_trainer_create(model.get(), &options, &device, &error_),
                     LONGER_INVALID_ARGUMENT, name);
  };
  refuse("struct_bytes", [](longer_trainer_options& o) { o.struct_bytes = 0; });
  refuse("learning_rate", [](longer_trainer_options& o) { o.learning_rate = -1.0; });
  refuse("learning_rate", [](longer_trainer_options& o) { o.learning_rate = NAN; });
  refuse("table_learning_rate",
         [](longer_trainer_options& o) { o.table_learning_rate = INFINITY; });
  refuse("beta1", [](longer_trainer_options& o) { o.beta1 = 1.0; });
  refuse("beta2", [](longer_trainer_options& o) { o.beta2 = -0.1; });
  refuse("epsilon", [](longer_trainer_options& o) { o.epsilon = 0.0; });
  refuse("weight_decay", [](longer_trainer_options& o) { o.weight_decay = NAN; });
  refuse("table_epsilon", [](longer_trainer_options& o) { o.table_epsilon = -1e-8; });
  refuse("clip_norm", [](longer_trainer_options& o) { o.clip_norm = -1.0; });
  refuse("warmup_steps", [](longer_trainer_options& o) { o.warmup_steps = -1; });
  refuse("decay_steps", [](longer_trainer_options& o) { o.decay_steps = -1; });
  refuse("decay_floor", [](longer_trainer_options& o) { o.decay_floor = 2.0; });
}

TEST_F(BadArguments, DevicesThatDoNotExistAreRefused) {
  const std::string json = config_.to_json();
  const auto create = [&](const longer_device& device) {
    return longer_model_create(json.data(), static_cast<int64_t>(json.size()), 1, &device, &error_);
  };
  expect_no_handle(create({7, 0, 0, 0}), LONGER_INVALID_ARGUMENT, "kind");
  expect_no_handle(create({LONGER_DEVICE_CPU, 0, -3, 0}), LONGER_INVALID_ARGUMENT, "threads");
  // Without a silent way to the CPU; a build for the CPU names the natives that can, one with CUDA
  // the driver.
  const CudaStatus cuda = cuda_status();
  if (cuda.num_devices == 0) {
    const int32_t status = cuda.compiled ? LONGER_DEVICE_ERROR : LONGER_UNSUPPORTED;
    for (const char* part : {cuda.compiled ? "driver" : "linux-x86_64-cuda13",
                             "driver of version 580", "CUDA 13", "use the CPU device"}) {
      expect_no_handle(create({LONGER_DEVICE_CUDA, 0, 0, 0}), status, part);
    }
  }
}

TEST_F(BadArguments, TheBestDeviceIsAlwaysThere) {
  const std::string json = config_.to_json();
  const longer_device best = {LONGER_DEVICE_BEST, 0, 1, 0};
  const ModelHandle model(
      longer_model_create(json.data(), static_cast<int64_t>(json.size()), 1, &best, &error_));
  EXPECT_NE(model, nullptr) << error_.message;
}

TEST_F(BadArguments, RankersRefuseWrongSizesAndModes) {
  const ModelHandle model = create_model(config_);
  const RankerHandle ranker(longer_ranker_create(model.get(), nullptr, &error_));
  ASSERT_NE(ranker, nullptr) << error_.message;
  BatchMaker maker(config_, 1);
  const OwnedBatch one = maker.make({{3, 2}});
  const OwnedBatch two = maker.make({{3, 2}, {1, 0}});
  longer_batch view = c_batch(one);
  longer_batch two_view = c_batch(two);
  const auto bytes = static_cast<int64_t>(sizeof(longer_ranking_request));
  std::vector<float> scores(4);
  const auto rank = [&](const longer_ranking_request& request, int64_t num_scores) {
    return longer_ranker_rank(ranker.get(), &request, scores.data(), num_scores, &error_);
  };
  EXPECT_EQ(rank({bytes, LONGER_CACHE_NONE, 0, 0, &view, 0}, 2), LONGER_OK) << error_.message;
  expect_error(rank({bytes, LONGER_CACHE_NONE, 0, 0, &view, 0}, 3), LONGER_INVALID_ARGUMENT, "2");
  expect_error(rank({bytes, 9, 0, 0, &view, 0}, 2), LONGER_INVALID_ARGUMENT, "cache_mode");
  expect_error(rank({8, LONGER_CACHE_NONE, 0, 0, &view, 0}, 2), LONGER_INVALID_ARGUMENT,
               "struct_bytes");
  expect_error(rank({bytes, LONGER_CACHE_NONE, 0, 0, nullptr, 0}, 2), LONGER_INVALID_ARGUMENT,
               "batch");
  expect_error(rank({bytes, LONGER_CACHE_NONE, 0, 0, &two_view, 0}, 2), LONGER_INVALID_ARGUMENT,
               "num_requests");
}

}  // namespace
}  // namespace longer::testing
