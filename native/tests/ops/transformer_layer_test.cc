// What the backend's callers rely on when they compute part of a layer's rows. What a layer
// computes is compared with the reference in tests/model.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ops/transformer_layer/transformer_layer_cpu.hpp"
#include "support/compare.hpp"
#include "support/cpu_tiers.hpp"
#include "support/poison.hpp"
#include "support/random_data.hpp"

namespace longer {
namespace {

using testing::are_same_bits;
using testing::PoisonedMatrix;
using testing::random_floats;

constexpr int64_t kWidth = 24;

/// A layer's random weights, packed.
class Layer {
 public:
  Layer() {
    norm(weights.ln1);
    norm(weights.ln2);
    linear(weights.q, kWidth, kWidth);
    linear(weights.kv, 2 * kWidth, kWidth);
    linear(weights.out, kWidth, kWidth);
    linear(weights.fc1, 4 * kWidth, kWidth);
    linear(weights.fc2, kWidth, 4 * kWidth);
  }
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  TransformerLayerWeights weights;

 private:
  const float* floats(int64_t count, float deviation) {
    return values_.emplace_back(random_floats(count, values_.size() + 1, deviation)).data();
  }
  void norm(NormWeights& w) { w = {floats(kWidth, 1.0F), floats(kWidth, 1.0F)}; }
  void linear(LinearWeights& w, int64_t out, int64_t in) {
    w.weight = floats(out * in, 0.3F);
    w.bias = floats(out, 0.3F);
    w.out = out;
    w.in = in;
    auto packed = std::make_unique<PackedLinear>();
    packed->pack(w.weight, w.bias, out, in, PackFor::kInference);
    w.packed = packed_.emplace_back(std::move(packed)).get();
  }

  std::vector<std::vector<float>> values_;
  std::vector<std::unique_ptr<PackedLinear>> packed_;
};

struct Result {
  std::vector<float> keys_values, rows;
};

/// Causal rows of one request. The first `known` rows' keys and values are the last ones of
/// `prefix`; rows from `first_query` on go on.
Result run(const Layer& layer, const std::vector<float>& rows, const std::vector<float>& prefix,
           int64_t known, int64_t first_query) {
  const auto num_rows = static_cast<int64_t>(rows.size()) / kWidth;
  const auto num_prefix = static_cast<int64_t>(prefix.size()) / (2 * kWidth);
  const int64_t queries = num_rows - first_query;
  PoisonedMatrix x(num_rows, kWidth, rows);
  PoisonedMatrix prefix_kv(num_prefix, 2 * kWidth, prefix);
  PoisonedMatrix kv_sink(num_rows - known, 2 * kWidth);
  PoisonedMatrix rows_out(queries, kWidth);
  std::vector<int32_t> query_rows;
  std::vector<VisibleKeys> visible;
  for (int64_t row = first_query; row < num_rows; ++row) {
    query_rows.push_back(static_cast<int32_t>(row));
    visible.push_back({static_cast<int32_t>(num_prefix - known + row + 1), 0, 0});
  }
  const AttentionSpan span = {0, queries, 0, num_prefix, 0, num_rows - known};
  TransformerLayerForward p;
  p.shape = {num_rows, queries, num_prefix, kWidth, 3, known};
  p.weights = &layer.weights;
  p.x = x.view();
  p.query_rows = query_rows.data();
  p.prefix_kv = prefix_kv.view();
  p.num_spans = queries == 0 ? 0 : 1;
  p.spans = &span;
  p.visible = visible.data();
  p.kv_sink = kv_sink.view();
  p.rows_out = rows_out.view();
  CpuStream stream(nullptr);
  transformer_layer_forward_cpu(stream, p);
  EXPECT_TRUE(kv_sink.is_intact() && rows_out.is_intact());
  return {kv_sink.values(), rows_out.values()};
}

std::vector<float> rows_of(const std::vector<float>& matrix, int64_t cols, int64_t begin,
                           int64_t end) {
  return {matrix.begin() + begin * cols, matrix.begin() + end * cols};
}

class TransformerLayer : public testing::OnEachTier {};
INSTANTIATE_TEST_SUITE_P(Tiers, TransformerLayer, ::testing::ValuesIn(testing::available_tiers()),
                         testing::tier_name);

/// Rows whose keys and values are known already, older ones that are keys alone, and new ones come
/// out with the bits of one pass over all rows.
TEST_P(TransformerLayer, KnownRowsLeaveTheBitsOfAPassOverAllRows) {
  constexpr int64_t kRows = 37;
  const Layer layer;
  const std::vector<float> x = random_floats(kRows * kWidth, 99);
  const Result whole = run(layer, x, {}, 0, 0);
  for (const int64_t older : {0, 1, 16, 30}) {
    for (const int64_t known : {0, 1, 3, 7}) {
      for (const int64_t skipped : {int64_t{0}, known, kRows - older}) {
        SCOPED_TRACE(std::to_string(older) + " older, " + std::to_string(known) + " known, " +
                     std::to_string(skipped) + " without queries");
        const int64_t first_new = older + known;
        const Result part =
            run(layer, rows_of(x, kWidth, older, kRows),
                rows_of(whole.keys_values, 2 * kWidth, 0, first_new), known, skipped);
        EXPECT_TRUE(are_same_bits(part.keys_values,
                                  rows_of(whole.keys_values, 2 * kWidth, first_new, kRows)));
        EXPECT_TRUE(are_same_bits(part.rows, rows_of(whole.rows, kWidth, older + skipped, kRows)));
      }
    }
  }
}

/// All rows known: nothing is written but what the queries give.
TEST_P(TransformerLayer, AllRowsMayBeKnown) {
  constexpr int64_t kRows = 9;
  const Layer layer;
  const std::vector<float> x = random_floats(kRows * kWidth, 98);
  const Result whole = run(layer, x, {}, 0, 0);
  const Result again = run(layer, x, whole.keys_values, kRows, 2);
  EXPECT_TRUE(again.keys_values.empty());
  EXPECT_TRUE(are_same_bits(again.rows, rows_of(whole.rows, kWidth, 2, kRows)));
}

}  // namespace
}  // namespace longer
