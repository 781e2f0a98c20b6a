// Invariant (l): what the backward pass computes again has the bits of what it replaces.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/cases.hpp"
#include "support/random_weights.hpp"
#include "support/reference_model.hpp"

namespace longer::testing {
namespace {

class Recomputing : public ::testing::TestWithParam<ModelCase> {
 protected:
  /// Gradients of two batches of one step, and the trainer's memory.
  model_reference::Weights gradients(Recomputation recomputation, double dropout) {
    Config c = GetParam().config;
    c.dropout = dropout;
    TrainerOptions options;
    options.recomputation = recomputation;
    options.seed = 4;
    const auto model = model_of(c, random_weights(c, 6));
    Trainer trainer(*model, options, model->shared_backend());
    BatchMaker maker(c, test_seed(), IdChoice::kSettled);
    const int64_t k = c.merge_factor;
    for (int i = 0; i < 2; ++i) {
      const OwnedBatch batch =
          maker.make({{k + 1, 3}, {0, 2}, {2000, 4}, {4 * k - 1, 0}, {k - 1, 1}, {k, 20}, {1, 1}});
      trainer.accumulate(batch.view());
    }
    bytes_ = trainer.bytes();
    return gradients_of(trainer);
  }

  int64_t bytes_ = 0;
};

TEST_P(Recomputing, InvariantLOnAndOffHaveTheSameBits) {
  for (const double dropout : {0.0, 0.3}) {
    SCOPED_TRACE("dropout " + std::to_string(dropout));
    const model_reference::Weights expected = gradients(Recomputation::kNone, dropout);
    for (const Recomputation recomputation : {Recomputation::kMerge, Recomputation::kFull}) {
      const model_reference::Weights got = gradients(recomputation, dropout);
      EXPECT_EQ(got.dense, expected.dense);
      for (const auto& [name, table] : expected.tables) {
        EXPECT_EQ(got.tables.at(name).rows, table.rows) << name;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Recomputing, ::testing::ValuesIn(model_cases()), model_case_name);

/// Eight layers over a batch of long histories: most of what layers keep is not there any more.
TEST(Recomputation, FullKeepsLess) {
  Config c = film_config();
  c.self_layers = 7;
  c.event_width = 16;
  c.heads = 4;
  c.max_history = 400;
  c.queries = 90;
  const auto bytes = [&c](Recomputation recomputation) {
    TrainerOptions options;
    options.recomputation = recomputation;
    const auto model = model_of(c, random_weights(c, 6), test_backend(1));
    Trainer trainer(*model, options, model->shared_backend());
    const int64_t before = trainer.bytes();
    BatchMaker maker(c, 1, IdChoice::kSettled);
    trainer.accumulate(maker.make(std::vector<RequestShape>(60, {400, 5})).view());
    return trainer.bytes() - before;
  };
  const int64_t none = bytes(Recomputation::kNone);
  EXPECT_EQ(bytes(Recomputation::kMerge), none) << "the CPU keeps nothing per event anyway";
  // 5400 query rows in 7 layers, 7·64 floats each, of which one layer's are left.
  EXPECT_LT(bytes(Recomputation::kFull), none - 5400 * 5 * 7 * 64 * int64_t{sizeof(float)});
}

}  // namespace
}  // namespace longer::testing
