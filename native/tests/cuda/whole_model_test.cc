// What the GPU promises of whole trainings, beside the suites of the seam: bits that repeat,
// checkpoints that cross to the CPU and back, memory that runs out without harm.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "longer/error.hpp"
#include "model/model_folder.hpp"
#include "serving/ranker.hpp"
#include "serving/ranking_request.hpp"
#include "support/cases.hpp"
#include "support/compare.hpp"
#include "support/compare_weights.hpp"
#include "support/optimizer_options.hpp"
#include "support/random_weights.hpp"
#include "support/reference_model.hpp"
#include "support/temporary_folder.hpp"

namespace longer::testing {
namespace {

std::shared_ptr<Backend> cpu() { return make_backend({DeviceKind::kCpu, 0, 2}); }

std::vector<OwnedBatch> batches_of(const Config& c, int count) {
  BatchMaker maker(c, test_seed());
  std::vector<OwnedBatch> batches;
  for (int i = 0; i < count; ++i)
    batches.push_back(maker.make({{0, 2}, {c.max_history + 1, 3}, {5, 2}, {17, 0}, {1, 4}}));
  return batches;
}

class WholeModel : public ::testing::TestWithParam<ModelCase> {};
INSTANTIATE_TEST_SUITE_P(Cases, WholeModel, ::testing::ValuesIn(model_cases()), model_case_name);

TEST_P(WholeModel, InvariantMTwoTrainingsHaveTheSameBits) {
  Config c = GetParam().config;
  c.dropout = 0.2;
  const std::vector<OwnedBatch> batches = batches_of(c, 4);
  const auto train = [&] {
    const auto model = LongerModel::create(c, 3, test_backend());
    Trainer trainer(*model, brisk_optimizer(), model->shared_backend());
    for (const OwnedBatch& batch : batches) trainer.step(batch.view());
    return weights_of(trainer.state());
  };
  const model_reference::Weights first = train();
  const model_reference::Weights second = train();
  EXPECT_EQ(first.dense, second.dense);
  for (const auto& [name, table] : first.tables) {
    EXPECT_EQ(table.rows, second.tables.at(name).rows) << name;
    EXPECT_EQ(table.out_of_vocabulary, second.tables.at(name).out_of_vocabulary) << name;
  }
}

TEST_P(WholeModel, CheckpointsCrossBetweenGpuAndCpu) {
  const Config c = with_wide_norms(GetParam().config);
  const std::vector<OwnedBatch> batches = batches_of(c, 4);
  for (const bool from_gpu : {true, false}) {
    SCOPED_TRACE(from_gpu ? "GPU to CPU" : "CPU to GPU");
    const auto here = from_gpu ? test_backend() : cpu();
    const auto there = from_gpu ? cpu() : test_backend();
    const auto model = model_of(c, random_weights(c, 8), here);
    Trainer stays(*model, brisk_optimizer(), here);
    for (int i = 0; i < 2; ++i) stays.step(batches[static_cast<size_t>(i)].view());
    const TemporaryFolder folder;
    save_checkpoint(stays.state(), stays.optimizer(), {}, folder.path() + "/checkpoint");
    Checkpoint checkpoint = load_checkpoint(folder.path() + "/checkpoint");
    Trainer crosses(std::move(checkpoint.state), std::move(checkpoint.optimizer), brisk_optimizer(),
                    there);
    EXPECT_EQ(weights_of(crosses.state()).dense, weights_of(stays.state()).dense);
    for (size_t i = 2; i < 4; ++i) {
      stays.step(batches[i].view());
      crosses.step(batches[i].view());
      EXPECT_EQ(crosses.result().step, static_cast<int64_t>(i) + 1);
      EXPECT_NEAR(crosses.result().loss, stays.result().loss, 1e-4);
    }
  }
}

TEST_P(WholeModel, SnapshotsServeWhatWasTrained) {
  const Config& c = GetParam().config;
  const auto model = LongerModel::create(c, 3, test_backend());
  Trainer trainer(*model, brisk_optimizer(), model->shared_backend());
  for (const OwnedBatch& batch : batches_of(c, 3)) trainer.step(batch.view());
  Ranker ranker(trainer.snapshot(), int64_t{1} << 24);
  const RankingRequest request(c, 2 * c.merge_factor + 1, 5, 4);
  std::vector<float> expected = request.buffer();
  trainer.predict(request.columns.view(), expected.data());
  EXPECT_EQ(request.scores(ranker, CacheMode::kNone), expected);
  EXPECT_EQ(request.scores(ranker, CacheMode::kUse, 7), expected);
  EXPECT_EQ(request.scores(ranker, CacheMode::kUse, 7), expected);
  EXPECT_EQ(ranker.stats().cache.hits, 1);

  Trainer on_cpu(*trainer.snapshot(), brisk_optimizer(), cpu());
  std::vector<float> elsewhere = request.buffer();
  on_cpu.predict(request.columns.view(), elsewhere.data());
  EXPECT_TRUE(are_near(elsewhere, expected, tolerance("model", Pass::kForward)));
}

TEST(DeviceMemory, RunsOutWithoutHarm) {
  const auto backend = test_backend();
  try {
    backend->memory().allocate(size_t{1} << 48);
    FAIL() << "so much memory is nowhere";
  } catch (const longer::Error& e) {
    EXPECT_EQ(e.status(), Status::kOutOfMemory);
    EXPECT_NE(std::string(e.what()).find("bytes are free"), std::string::npos) << e.what();
    EXPECT_EQ(e.details().bytes_asked, int64_t{1} << 48);
    EXPECT_GT(e.details().bytes_free, 0);
    EXPECT_FALSE(e.details().is_fatal);
  }
  const std::vector<float> values = {1.0F, 2.0F, 3.0F};
  AlignedBuffer buffer(3, backend->memory());
  const auto stream = backend->make_stream();
  stream->copy(buffer.data(), values.data(), 3);
  std::vector<float> copy;
  const ConstMatrixView fetched = stream->fetch({buffer.data(), 1, 3}, copy);
  EXPECT_EQ(std::vector<float>(fetched.data, fetched.data + 3), values);
}

TEST(DeviceMemory, PlacesArraysSideBySide) {
  const auto backend = test_backend();
  const auto stream = backend->make_stream();
  Workspace memory(backend->memory());
  for (const size_t count : {size_t{3}, size_t{0}, size_t{100000}, size_t{7}}) {
    PlacedArray<float> first;
    PlacedArray<float> second;
    first.assign(count, 2.0F);
    second.assign(5, 4.0F);
    const Placement arrays[] = {first.placement(), second.placement()};
    stream->place(memory, arrays, 2);
    std::vector<float> copy;
    stream->fetch({first.placed(), 1, static_cast<int64_t>(count)}, copy);
    EXPECT_EQ(copy, std::vector<float>(count, 2.0F));
    stream->fetch({second.placed(), 1, 5}, copy);
    EXPECT_EQ(copy, std::vector<float>(5, 4.0F));
  }
}

}  // namespace
}  // namespace longer::testing
