// Merged rows see nothing newer than themselves.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "model/forward.hpp"
#include "reference/model_rows.hpp"
#include "support/batch_edits.hpp"
#include "support/cases.hpp"
#include "support/compare.hpp"
#include "support/random_weights.hpp"
#include "support/reference_model.hpp"

namespace longer::testing {
namespace {

using model_reference::Row;
using model_reference::RowKind;

/// Keys and values of the merged rows of each layer, then their share of the head.
std::vector<std::vector<float>> keys_values_of(const LongerModel& model, const OwnedBatch& batch) {
  ReadOnlyLookup lookup(model.state());
  PreparedBatch prepared;
  prepare_batch(model.config(), batch.view(), lookup, prepared);
  const auto stream = model.backend().make_stream();
  Workspace memory(model.backend().memory());
  prepared.place(*stream, memory);
  UserKeysValues keys_values;
  Activations activations;
  allocate_keys_values(model.config(), prepared, memory, keys_values);
  encode_user(model.config(), model.weights(), model.backend(), *stream, memory, prepared,
              PassKind::kInference, keys_values, activations);
  std::vector<std::vector<float>> layers;
  std::vector<MatrixView> views = keys_values.layers;
  views.push_back(keys_values.head_share);
  std::vector<float> copy;
  for (const MatrixView& view : views) {
    const float* values = stream->fetch(view, copy).data;
    layers.emplace_back(values, values + view.rows * view.cols);
  }
  return layers;
}

class Causality : public ::testing::TestWithParam<ModelCase> {};

/// The group after which a row's keys and values change in no layer, −1 for those of learned
/// queries in layer 0, which no event changes.
std::vector<int64_t> newest_groups(const Config& c, int64_t num_groups, bool is_first_layer) {
  std::vector<int64_t> groups;
  for (const Row& row : model_reference::history_rows(c, num_groups)) {
    if (!is_first_layer && !model_reference::is_query(c, num_groups, row)) continue;
    const int64_t sees = is_first_layer ? -1 : num_groups - 1;
    groups.push_back(row.kind == RowKind::kGroup ? row.index : sees);
  }
  return groups;
}

TEST_P(Causality, InvariantBNewerGroupsLeaveOlderRowsAlone) {
  const Config& c = GetParam().config;
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  const auto model = model_of(c, random_weights(c, 41));
  BatchMaker maker(c, test_seed());
  const int64_t k = c.merge_factor;
  const int64_t groups = std::min(c.queries + 2, c.max_history / k);
  // Full groups, and a ragged one at whichever end the anchor leaves it.
  for (const int64_t absent : std::set<int64_t>{0, std::min<int64_t>(1, k - 1), k - 1}) {
    SCOPED_TRACE(std::to_string(groups * k - absent) + " events");
    const int64_t absent_first = c.anchor == Anchor::kNewest ? absent : 0;
    OwnedBatch before = maker.make({{groups * k - absent, 0}});
    before.first_ordinals = {0};
    const auto expected = keys_values_of(*model, before);
    for (int64_t changed_group = 0; changed_group < groups; ++changed_group) {
      // All groups from this one on hold other events, at the same number of them.
      OwnedBatch after = before;
      for (size_t f = 0; f < c.event_features.size(); ++f) {
        for (int64_t i = std::max<int64_t>(0, changed_group * k - absent_first);
             i < before.num_events(); ++i) {
          change_row(after.event_columns[f], i);
        }
      }
      const auto got = keys_values_of(*model, after);
      ASSERT_EQ(got.size(), expected.size());
      for (size_t l = 0; l + 1 < got.size(); ++l) {
        const auto width = static_cast<int64_t>(2 * c.model_width());
        const std::vector<int64_t> newest = newest_groups(c, groups, l == 0);
        ASSERT_EQ(got[l].size(), newest.size() * static_cast<size_t>(width));
        for (size_t row = 0; row < newest.size(); ++row) {
          const auto at = static_cast<int64_t>(row) * width;
          EXPECT_EQ(
              static_cast<bool>(are_same_bits(got[l].data() + at, expected[l].data() + at, width)),
              newest[row] < changed_group)
              << "layer " << l << ", row " << row << ", changed from group " << changed_group;
        }
      }
    }
  }
}

TEST_P(Causality, InvariantACandidatesLeaveHistoriesAlone) {
  const Config& c = GetParam().config;
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  const auto model = model_of(c, random_weights(c, 43));
  BatchMaker maker(c, test_seed());
  const int64_t k = c.merge_factor;
  const OwnedBatch many = maker.make({{k + 1, 5}, {0, 2}, {2000, 1}, {1, 1}, {k - 1, 2}, {k, 70}});
  const OwnedBatch none =
      pick_requests(c, many, {{0, {}}, {1, {}}, {2, {}}, {3, {}}, {4, {}}, {5, {}}});
  const auto expected = keys_values_of(*model, none);
  const auto got = keys_values_of(*model, many);
  for (size_t l = 0; l < expected.size(); ++l) EXPECT_TRUE(are_same_bits(got[l], expected[l]));
}

INSTANTIATE_TEST_SUITE_P(Cases, Causality, ::testing::ValuesIn(model_cases()), model_case_name);

}  // namespace
}  // namespace longer::testing
