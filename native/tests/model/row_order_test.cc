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
using model_reference::Row;
using model_reference::Rows;
using model_reference::Vector;
using model_reference::Weights;

/// A request's rows before the layers, which are up to the caller.
struct LayerInput {
  RequestTrace trace;
  std::vector<Row> rows;
  Rows values;
};

LayerInput layer_input(const Config& c, const Weights& w, const BatchView& batch) {
  LayerInput input;
  RequestTrace& t = input.trace;
  t.window = model_reference::window_of(c, batch, 0);
  model_reference::encode_events(c, w, batch, t);
  model_reference::merge_tokens(c, w, t);
  const Rows side = model_reference::side_rows(c, w, batch, 0, t);
  input.rows = model_reference::history_rows(c, t.window.num_groups);
  input.values = model_reference::history_inputs(c, w, t);
  const std::vector<Row> side_list = model_reference::side_row_list(c, batch.num_candidates);
  input.rows.insert(input.rows.end(), side_list.begin(), side_list.end());
  input.values.insert(input.values.end(), side.begin(), side.end());
  return input;
}

/// Logits of one candidate from the rows after the last layer.
Vector logits_of(const Config& c, const Weights& w, const LayerInput& output) {
  RequestTrace t = output.trace;
  t.rows = output.rows;
  t.outputs = output.values;
  model_reference::predict(c, w, t);
  return t.logits.front();
}

/// Whether the row printed at place i sees the one at place j: every row j ≥ i (LONGER Figure 1,
/// §3.5); in FULL the rows of the candidate see each other too.
bool sees_printed(const Config& c, const std::vector<Row>& printed, size_t i, size_t j) {
  const bool is_block = printed[i].candidate >= 0 && printed[j].candidate >= 0;
  return j >= i || (c.global_visibility == GlobalVisibility::kFull && is_block);
}

/// The layers as the paper prints them, one candidate: globals on the left, then everything of the
/// history, newest first. Returns the rows in the model's order again.
LayerInput run_printed_layers(const Config& c, const Weights& w, LayerInput input) {
  std::reverse(input.rows.begin(), input.rows.end());
  std::reverse(input.values.begin(), input.values.end());
  for (int64_t l = 0; l <= c.self_layers; ++l) {
    const bool reads_history = l < c.self_layers || c.head != Head::kGlobals;
    std::vector<size_t> queries;
    std::vector<std::vector<size_t>> visible;
    std::vector<Row> left;
    for (size_t i = 0; i < input.rows.size(); ++i) {
      const Row& row = input.rows[i];
      const bool goes_on =
          !row.is_history() ||
          (reads_history && model_reference::is_query(c, input.trace.window.num_groups, row));
      if (!goes_on) continue;
      queries.push_back(i);
      left.push_back(row);
      visible.emplace_back();
      for (size_t j = 0; j < input.rows.size(); ++j) {
        if (sees_printed(c, input.rows, i, j)) visible.back().push_back(j);
      }
    }
    input.values =
        model_reference::block_forward(w, model_reference::layer_name(static_cast<size_t>(l)),
                                       static_cast<size_t>(c.heads), input.values, queries, visible)
            .output;
    input.rows = left;
  }
  std::reverse(input.rows.begin(), input.rows.end());
  std::reverse(input.values.begin(), input.values.end());
  return input;
}

class RowOrder : public ::testing::TestWithParam<ModelCase> {};

TEST_P(RowOrder, InvariantFFlippedOrderEqualsThePrintedOrder) {
  const Config& c = GetParam().config;
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  const Weights w = random_weights(c, 31);
  BatchMaker maker(c, test_seed());
  const int64_t k = c.merge_factor;
  for (int64_t num_events :
       {int64_t{0}, int64_t{1}, k - 1, k, k + 1, k * (c.queries + 2) - 1, int64_t{2000}}) {
    const OwnedBatch batch = maker.make({{num_events, 1}});
    const Vector expected =
        logits_of(c, w, run_printed_layers(c, w, layer_input(c, w, batch.view())));
    const model_reference::Outcome got = model_reference::forward(c, w, batch.view());
    ASSERT_EQ(got.logits.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(got.logits[i], expected[i], 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, RowOrder, ::testing::ValuesIn(tiny_model_cases()), model_case_name);

/// Without merging and globals, with every event a query, the model is a pre-norm causal
/// transformer over events and one candidate: a plain lower triangle.
TEST(PlainCausalTransformer, InvariantDEqualsTheModelWithoutMerge) {
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  Config c = film_config();
  c.merge_factor = 1;
  c.event_width = 8;
  c.inner_layers = 0;
  c.cls_tokens = 0;
  c.global_tokens = {};
  c.self_layers = 2;
  c.queries = c.max_history;
  const Weights w = random_weights(c, 33);
  const auto model = model_of(c, w);
  Trainer trainer(*model, {}, model->shared_backend());
  BatchMaker maker(c, test_seed());
  for (int64_t num_events : {0, 1, 17, 30, 40}) {
    const OwnedBatch batch = maker.make({{num_events, 1}});
    LayerInput input = layer_input(c, w, batch.view());
    Rows& rows = input.values;
    std::vector<size_t> all(rows.size());
    std::iota(all.begin(), all.end(), size_t{0});
    std::vector<std::vector<size_t>> lower_triangle(rows.size());
    for (size_t i = 0; i < rows.size(); ++i)
      lower_triangle[i] = {all.begin(), all.begin() + static_cast<int64_t>(i) + 1};
    for (size_t l = 0; l < 3; ++l) {
      rows = model_reference::block_forward(w, model_reference::layer_name(l), 2, rows, all,
                                            lower_triangle)
                 .output;
    }
    const Vector logits = logits_of(c, w, input);
    EXPECT_NEAR(model_reference::forward(c, w, batch.view()).logits[0], logits[0], 1e-12);
    float score = 0.0F;
    trainer.predict(batch.view(), &score);
    EXPECT_NEAR(static_cast<double>(score), model_reference::sigmoid(logits[0]), 1e-5);
  }
}

}  // namespace
}  // namespace longer::testing
