// Merged rows see nothing newer than themselves.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/forward.hpp"
#include "support/cases.hpp"
#include "support/compare.hpp"
#include "support/random_weights.hpp"
#include "support/reference_model.hpp"

namespace longer::testing {
namespace {

/// Keys and values of the merged rows of each layer, one request.
std::vector<std::vector<float>> keys_values_of(const LongerModel& model, const OwnedBatch& batch) {
  ReadOnlyLookup lookup(model.state());
  PreparedBatch prepared;
  prepare_batch(model.config(), batch.view(), lookup, prepared);
  Workspace memory;
  UserKeysValues keys_values;
  Activations activations;
  const auto stream = model.backend().make_stream();
  allocate_keys_values(model.config(), prepared, memory, keys_values);
  encode_user(model.config(), model.weights(), model.backend(), *stream, memory, prepared,
              PassKind::kInference, keys_values, activations);
  std::vector<std::vector<float>> layers;
  for (const MatrixView& layer : keys_values.layers) {
    layers.emplace_back();
    for (int64_t r = 0; r < layer.rows; ++r) {
      layers.back().insert(layers.back().end(), layer.row(r), layer.row(r) + layer.cols);
    }
  }
  return layers;
}

class Causality : public ::testing::TestWithParam<ModelCase> {};

TEST_P(Causality, InvariantBNewerGroupsLeaveOlderRowsAlone) {
  const Config& c = GetParam().config;
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  const auto model = model_of(c, random_weights(c, 41));
  BatchMaker maker(c, test_seed());
  const int64_t k = c.merge_factor;
  const int64_t groups = std::min(c.queries + 2, c.max_history / k);
  OwnedBatch before = maker.make({{groups * k, 0}});
  before.first_ordinals = {0};
  const auto expected = keys_values_of(*model, before);
  for (int64_t changed_group = 0; changed_group < groups; ++changed_group) {
    // All groups from this one on hold other events, at the same number of them.
    OwnedBatch after = before;
    for (size_t f = 0; f < c.event_features.size(); ++f) {
      for (int64_t i = changed_group * k; i < groups * k; ++i) {
        int64_t& id = after.event_columns[f].ids[static_cast<size_t>(i)];
        id = id == 1 ? 0 : 1;
      }
    }
    const auto got = keys_values_of(*model, after);
    ASSERT_EQ(got.size(), expected.size());
    for (size_t l = 0; l < got.size(); ++l) {
      const auto width = static_cast<size_t>(2 * c.model_width());
      const auto rows = static_cast<int64_t>(expected[l].size() / width);
      // Layer 0 has every group's row, the others the newest ones'.
      const int64_t older = std::max<int64_t>(0, changed_group - (groups - rows));
      const auto floats = older * static_cast<int64_t>(width);
      EXPECT_TRUE(are_same_bits(got[l].data(), expected[l].data(), floats)) << "layer " << l;
      EXPECT_FALSE(are_same_bits(got[l].data() + floats, expected[l].data() + floats,
                                 static_cast<int64_t>(width)))
          << "layer " << l << ": group " << changed_group << " changed and its row did not";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Causality, ::testing::ValuesIn(model_cases()), model_case_name);

}  // namespace
}  // namespace longer::testing
