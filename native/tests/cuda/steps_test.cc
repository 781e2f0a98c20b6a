// A training step as one graph: the same bits with graphs and without, staged or not, and results
// that arrive later.
#include <gtest/gtest.h>

#include <cstdlib>

#include "support/cases.hpp"
#include "support/random_model.hpp"
#include "support/test_backend.hpp"
#include "training/trainer.hpp"

namespace longer::testing {
namespace {

class Steps : public ::testing::Test {
 protected:
  Steps() {
    BatchMaker maker(config_, test_seed(), IdChoice::kAll);
    // Sizes that grow and shrink.
    for (const int64_t length : {13, 3, 20, 5, 20})
      batches_.push_back(maker.make({{length, 2}, {7, 3}}));
  }

  /// Dense parameters, moments and tables after steps over the batches.
  std::vector<float> trained(bool uses_graphs, bool is_staged) {
    setenv("LONGER_CUDA_GRAPHS", uses_graphs ? "on" : "off", 1);
    Trainer trainer(*LongerModel::create(config_, 3, backend_), {}, backend_);
    unsetenv("LONGER_CUDA_GRAPHS");
    std::vector<std::unique_ptr<TrainingBatch>> staged;
    for (const OwnedBatch& batch : batches_) {
      if (is_staged) {
        staged.push_back(trainer.make_batch());
        trainer.stage(batch.view(), *staged.back());
        trainer.step(*staged.back());
      } else {
        trainer.step(batch.view());
      }
    }
    EXPECT_EQ(trainer.result().step, static_cast<int64_t>(batches_.size()));
    std::vector<float> bits;
    const auto add = [&bits](const AlignedBuffer& buffer) {
      bits.insert(bits.end(), buffer.data(), buffer.data() + buffer.size());
    };
    add(trainer.state().dense);
    add(trainer.optimizer().first_moment);
    add(trainer.optimizer().second_moment);
    for (const auto& table : trainer.state().tables) {
      if (table == nullptr) continue;
      bits.insert(bits.end(), table->values(),
                  table->values() + table->num_rows() * table->width());
      bits.insert(bits.end(), table->states(), table->states() + table->num_rows());
    }
    return bits;
  }

  const Config config_ = film_config();
  std::shared_ptr<Backend> backend_ = test_backend();
  std::vector<OwnedBatch> batches_;
};

TEST_F(Steps, HaveTheSameBitsWithGraphsAndWithout) {
  const std::vector<float> with = trained(true, false);
  EXPECT_EQ(with, trained(false, false));
  EXPECT_EQ(with, trained(true, true));
  EXPECT_EQ(with, trained(true, false));  // and in two runs
}

TEST_F(Steps, ReportEachStepAndItsNewRows) {
  Trainer trainer(*LongerModel::create(config_, 3, backend_), {}, backend_);
  const auto cpu = make_backend({DeviceKind::kCpu, 0, 2});
  Trainer expected(*LongerModel::create(config_, 3, cpu), {}, cpu);
  for (const OwnedBatch& batch : batches_) {
    trainer.step(batch.view());
    expected.step(batch.view());
    const StepResult& got = trainer.result();
    const StepResult& want = expected.result();
    EXPECT_EQ(got.step, want.step);
    EXPECT_NEAR(got.loss, want.loss, 1e-4 * std::abs(want.loss));
    EXPECT_EQ(got.weight, want.weight);
    EXPECT_NEAR(got.gradient_norm, want.gradient_norm, 1e-3 * want.gradient_norm);
    EXPECT_EQ(got.num_events, want.num_events);
    EXPECT_EQ(got.new_table_rows, want.new_table_rows);
    EXPECT_FALSE(got.is_skipped);
  }
  // The same batch again brings no row; two staged ahead are counted apart.
  trainer.step(batches_[0].view());
  trainer.step(batches_[1].view());
  EXPECT_EQ(trainer.result().new_table_rows, 0);
  EXPECT_EQ(trainer.state().num_table_rows(), expected.state().num_table_rows());
}

}  // namespace
}  // namespace longer::testing
