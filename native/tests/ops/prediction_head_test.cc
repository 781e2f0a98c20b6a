// The head's stages on rows that lie apart, with sentinels between them. What they compute is
// compared with the double-precision reference as part of the whole model (tests/model,
// tests/training).
#include <gtest/gtest.h>

#include <vector>

#include "ops/learned_queries/learned_queries_cpu.hpp"
#include "ops/prediction_head/prediction_head_cpu.hpp"
#include "support/compare.hpp"
#include "support/poison.hpp"
#include "support/random_data.hpp"

namespace longer::testing {
namespace {

constexpr int64_t kWidth = 6;
constexpr int64_t kRequests = 4;
constexpr int64_t kSlots = 3;
constexpr int64_t kTasks = 2;

/// Weights of a head with parts for 3 slots, 2 request rows and blocks of 3 rows.
class HeadWeights {
 public:
  HeadWeights() {
    const int64_t in = (kSlots + 2 + 3) * kWidth;
    fc1_ = random_floats(kWidth * in, 1);
    fc2_ = random_floats(kTasks * kWidth, 2);
    norm_ = random_floats(2 * kWidth, 3);
    d_fc1_.assign(fc1_.size(), 0.0F);
    d_fc2_.assign(fc2_.size(), 0.0F);
    d_bias_.assign(kWidth, 0.0F);
    d_norm_.assign(norm_.size(), 0.0F);
    weights.ln = {norm_.data(), norm_.data() + kWidth};
    gradients.ln = {d_norm_.data(), d_norm_.data() + kWidth};
    part(0, kSlots, nullptr, weights.fc1_history, gradients.fc1_history);
    part(kSlots, 2, nullptr, weights.fc1_request, gradients.fc1_request);
    part(kSlots + 2, 3, norm_.data(), weights.fc1_candidate, gradients.fc1_candidate);
    gradients.fc1_candidate.bias = d_bias_.data();
    weights.fc2 = {fc2_.data(), norm_.data(), kTasks, kWidth};
    gradients.fc2 = {d_fc2_.data(), d_bias_.data()};
    LinearWeights* all[] = {&weights.fc1_history, &weights.fc1_request, &weights.fc1_candidate,
                            &weights.fc2};
    for (size_t i = 0; i < 4; ++i) {
      LinearWeights& w = *all[i];
      packed_[i].pack(w.weight, w.bias, w.out, w.in, PackFor::kTraining, w.stride);
      w.packed = &packed_[i];
    }
  }

  PredictionHeadWeights weights;
  PredictionHeadGradients gradients;
  std::vector<std::vector<float>> sums() const { return {d_fc1_, d_fc2_, d_bias_, d_norm_}; }

 private:
  void part(int64_t first, int64_t rows, const float* bias, LinearWeights& w, LinearGradients& g) {
    const int64_t stride = (kSlots + 2 + 3) * kWidth;
    w.weight = fc1_.data() + first * kWidth;
    w.bias = bias;
    w.out = kWidth;
    w.in = rows * kWidth;
    w.stride = stride;
    g.weight = d_fc1_.data() + first * kWidth;
    g.stride = stride;
  }

  std::vector<float> fc1_, fc2_, norm_, d_fc1_, d_fc2_, d_bias_, d_norm_;
  PackedLinear packed_[4];
};

/// All results of both stages, forward and backward, on matrices whose rows are `gap` floats apart.
std::vector<std::vector<float>> run(int64_t gap) {
  const std::vector<int32_t> side_offsets = {0, 8, 10, 15, 17};  // 2, 0, 1 and 0 candidates
  const std::vector<int32_t> query_offsets = {0, 3, 3, 4, 6};
  const int64_t side_rows = side_offsets.back();
  const int64_t queries = query_offsets.back();
  const int64_t candidates = 3;
  HeadWeights head;
  ThreadPool threads(2);
  CpuStream stream(&threads);
  const auto random = [&](int64_t rows, int64_t cols, uint64_t seed) {
    return PoisonedMatrix(rows, cols, random_floats(rows * cols, seed), gap);
  };
  const auto empty = [&](int64_t rows, int64_t cols) { return PoisonedMatrix(rows, cols, gap); };

  PoisonedMatrix query_rows = random(queries, kWidth, 11);
  PoisonedMatrix query_normed = empty(queries, kWidth);
  PoisonedMatrix history_input = empty(kRequests, kSlots * kWidth);
  PoisonedMatrix share = empty(kRequests, kWidth);
  std::vector<float> means(static_cast<size_t>(2 * (queries + side_rows)));
  HistoryHeadForward history;
  history.weights = &head.weights;
  history.num_slots = kSlots;
  history.num_requests = kRequests;
  history.query_offsets = query_offsets.data();
  history.rows = query_rows.view();
  history.normed = query_normed.view();
  history.input = history_input.view();
  history.mean = means.data();
  history.rstd = means.data() + queries;
  history.share = share.view();
  history_head_forward_cpu(stream, history);

  PoisonedMatrix side = random(side_rows, kWidth, 12);
  PoisonedMatrix normed = empty(side_rows, kWidth);
  PoisonedMatrix request_input = empty(kRequests, 2 * kWidth);
  PoisonedMatrix candidate_input = empty(candidates, 3 * kWidth);
  PoisonedMatrix hidden = empty(candidates, kWidth);
  PoisonedMatrix logits = empty(candidates, kTasks);
  PredictionHeadForward forward;
  forward.weights = &head.weights;
  forward.layout = {kRequests, side_offsets.data(), 2, 3};
  forward.user_rows = 1;
  forward.history_share = share.view();
  forward.side = side.view();
  forward.normed = normed.view();
  forward.request_input = request_input.view();
  forward.candidate_input = candidate_input.view();
  forward.hidden_pre = hidden.view();
  forward.mean = means.data() + 2 * queries;
  forward.rstd = means.data() + 2 * queries + side_rows;
  forward.logits = logits.view();
  prediction_head_forward_cpu(stream, forward);

  PoisonedMatrix d_logits = random(candidates, kTasks, 13);
  PoisonedMatrix d_side = empty(side_rows, kWidth);
  PoisonedMatrix d_share = empty(kRequests, kWidth);
  PoisonedMatrix d_queries = empty(queries, kWidth);
  prediction_head_backward_cpu(
      stream, {forward, d_logits.view(), head.gradients, d_side.view(), d_share.view()});
  history_head_backward_cpu(stream, {history, d_share.view(), head.gradients, d_queries.view()});
  for (const PoisonedMatrix* m :
       {&query_normed, &history_input, &share, &normed, &request_input, &candidate_input, &hidden,
        &logits, &d_side, &d_share, &d_queries}) {
    EXPECT_TRUE(m->is_intact());
  }
  std::vector<std::vector<float>> results = head.sums();
  for (PoisonedMatrix* m : {&share, &logits, &d_side, &d_share, &d_queries})
    results.push_back(m->values());
  return results;
}

TEST(PredictionHead, RowsMayLieApart) {
  const std::vector<std::vector<float>> together = run(0);
  const std::vector<std::vector<float>> apart = run(5);
  for (size_t i = 0; i < together.size(); ++i) {
    EXPECT_TRUE(are_same_bits(apart[i], together[i])) << "result " << i;
    for (float value : together[i]) ASSERT_TRUE(value == value) << "result " << i;
  }
}

TEST(LearnedQueries, StandBehindTheGroupsOfEachRequest) {
  const std::vector<int32_t> group_offsets = {0, 2, 2, 5};
  PoisonedMatrix groups(5, kWidth, random_floats(5 * kWidth, 1));
  PoisonedMatrix queries(2, kWidth, random_floats(2 * kWidth, 2));
  PoisonedMatrix rows(11, kWidth);
  const LearnedQueriesForward forward = {3, group_offsets.data(), groups.view(), queries.view(),
                                         rows.view()};
  learned_queries_forward_cpu(forward);
  EXPECT_TRUE(rows.is_intact());
  const std::vector<int64_t> group_rows = {0, 1, 6, 7, 8};
  const std::vector<int64_t> query_rows = {2, 3, 4, 5, 9, 10};
  for (int64_t g = 0; g < 5; ++g) {
    EXPECT_TRUE(are_same_bits(rows.row(group_rows[static_cast<size_t>(g)]), groups.row(g), kWidth));
  }
  for (size_t i = 0; i < query_rows.size(); ++i) {
    EXPECT_TRUE(
        are_same_bits(rows.row(query_rows[i]), queries.row(static_cast<int64_t>(i % 2)), kWidth));
  }

  PoisonedMatrix d_groups(5, kWidth);
  PoisonedMatrix d_queries(2, kWidth, std::vector<float>(2 * kWidth, 1.0F));
  learned_queries_backward_cpu({forward, rows.view(), d_groups.view(), d_queries.view()});
  EXPECT_TRUE(d_groups.is_intact() && d_queries.is_intact());
  EXPECT_TRUE(are_same_bits(d_groups.values(), groups.values()));
  const std::vector<float> expected = queries.values();
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(d_queries.values()[i], 1.0F + 3.0F * expected[i], 1e-6F);
  }
}

}  // namespace
}  // namespace longer::testing
