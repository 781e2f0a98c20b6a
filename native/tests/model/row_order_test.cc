// The order of rows. The paper prints sequence rows newest first behind the globals, M(i, j) = 0 if
// j ≥ i else −∞; the model runs them oldest first with the globals behind, j ≤ i. Both, and a plain
// causal transformer where the model is one.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "reference/longer_reference.hpp"
#include "support/batch_edits.hpp"
#include "support/cases.hpp"
#include "support/random_weights.hpp"
#include "support/reference_model.hpp"

namespace longer::testing {
namespace {

using model_reference::RequestTrace;
using model_reference::Rows;
using model_reference::Vector;
using model_reference::Weights;

/// A request's event encoder and side rows; the layers are up to the caller.
struct LayerInput {
  Rows merged;  // oldest first
  Rows side;    // CLS …, user global, one candidate
};

LayerInput layer_input(const Config& c, const Weights& w, const BatchView& batch) {
  RequestTrace t;
  t.window = model_reference::window_of(c, batch, 0);
  model_reference::encode_events(c, w, batch, t);
  model_reference::merge_tokens(c, w, t);
  LayerInput input;
  input.side = model_reference::side_rows(c, w, batch, 0, t);
  input.merged = t.merged;
  return input;
}

/// Logits from the rows of globals and one candidate after the last layer.
Vector logits_of(const Config& c, const Weights& w, const Rows& side) {
  RequestTrace t;
  t.side = side;
  model_reference::predict(c, w, t);
  return t.logits.front();
}

/// The layers as the paper prints them: candidate | user global | CLS, newest first | merged
/// tokens, newest first; row i sees every row j ≥ i (LONGER Figure 1, §3.5).
Rows run_printed_layers(const Config& c, const Weights& w, const LayerInput& input) {
  Rows rows(input.side.rbegin(), input.side.rend());
  rows.insert(rows.end(), input.merged.rbegin(), input.merged.rend());
  const size_t num_side = input.side.size();
  const auto num_merged = static_cast<int64_t>(input.merged.size());
  const auto num_queried =
      static_cast<size_t>(num_merged - model_reference::first_query_group(c, num_merged));
  for (size_t l = 0; l <= static_cast<size_t>(c.self_layers); ++l) {
    const bool is_last = l == static_cast<size_t>(c.self_layers);
    const size_t num_queries = num_side + (is_last ? 0 : num_queried);
    std::vector<size_t> queries(num_queries);
    std::iota(queries.begin(), queries.end(), size_t{0});
    std::vector<std::vector<size_t>> visible(num_queries);
    for (size_t i = 0; i < num_queries; ++i) {
      for (size_t j = i; j < rows.size(); ++j) visible[i].push_back(j);
    }
    rows = model_reference::block_forward(w, "layers." + std::to_string(l) + ".",
                                          static_cast<size_t>(c.heads), rows, queries, visible)
               .output;
  }
  std::reverse(rows.begin(), rows.end());
  return rows;
}

class RowOrder : public ::testing::TestWithParam<ModelCase> {};

TEST_P(RowOrder, InvariantFFlippedOrderEqualsThePrintedOrder) {
  const Config& c = GetParam().config;
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  const Weights w = random_weights(c, 31);
  BatchMaker maker(c, test_seed());
  const int64_t k = c.merge_factor;
  for (int64_t num_events :
       {int64_t{0}, int64_t{1}, k + 1, k * (c.queries + 2) - 1, c.max_history + 5}) {
    const OwnedBatch batch = maker.make({{num_events, 1}});
    const Vector expected =
        logits_of(c, w, run_printed_layers(c, w, layer_input(c, w, batch.view())));
    const model_reference::Outcome got = model_reference::forward(c, w, batch.view());
    ASSERT_EQ(got.logits.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(got.logits[i], expected[i], 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, RowOrder, ::testing::ValuesIn(tiny_model_cases()), model_case_name);

/// Without merging, with every event a query, the model is a pre-norm causal transformer over
/// events, globals and one candidate: a plain lower triangle.
TEST(PlainCausalTransformer, InvariantDEqualsTheModelWithoutMerge) {
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  Config c = film_config();
  c.merge_factor = 1;
  c.event_width = 8;
  c.inner_layers = 0;
  c.cls_tokens = 0;
  c.self_layers = 2;
  c.queries = c.max_history;
  const Weights w = random_weights(c, 33);
  const auto model = model_of(c, w);
  Trainer trainer(*model, {}, model->shared_backend());
  BatchMaker maker(c, test_seed());
  for (int64_t num_events : {0, 1, 17, 30, 40}) {
    const OwnedBatch batch = maker.make({{num_events, 1}});
    const LayerInput input = layer_input(c, w, batch.view());
    Rows rows = input.merged;
    rows.insert(rows.end(), input.side.begin(), input.side.end());
    std::vector<size_t> all(rows.size());
    std::iota(all.begin(), all.end(), size_t{0});
    std::vector<std::vector<size_t>> lower_triangle(rows.size());
    for (size_t i = 0; i < rows.size(); ++i)
      lower_triangle[i] = {all.begin(), all.begin() + static_cast<int64_t>(i) + 1};
    for (int l = 0; l < 3; ++l) {
      rows = model_reference::block_forward(w, "layers." + std::to_string(l) + ".", 2, rows, all,
                                            lower_triangle)
                 .output;
    }
    const Vector logits = logits_of(c, w, Rows(rows.end() - 2, rows.end()));
    EXPECT_NEAR(model_reference::forward(c, w, batch.view()).logits[0], logits[0], 1e-12);
    float score = 0.0F;
    trainer.predict(batch.view(), &score);
    EXPECT_NEAR(static_cast<double>(score), model_reference::sigmoid(logits[0]), 1e-5);
  }
}

}  // namespace
}  // namespace longer::testing
