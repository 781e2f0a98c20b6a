#include "ops/attention/attention.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "longer/error.hpp"
#include "ops/attention_batch.hpp"
#include "reference/attention.hpp"
#include "support/compare.hpp"
#include "support/cpu_tiers.hpp"
#include "support/poison.hpp"

namespace longer {
namespace {

using testing::are_near;
using testing::are_same_bits;
using testing::AttentionBatch;
using testing::available_tiers;
using testing::ForcedTier;
using testing::Pass;
using testing::Request;
using testing::Sight;
using testing::tolerance;

// An empty request first, in the middle and last; lengths around the lanes' and blocks' borders.
const std::vector<Request> kRequests = {
    {0, 0, 0, Sight::kAll},          {1, 0, 1, Sight::kCausal},    {17, 0, 17, Sight::kCausal},
    {33, 3, 33, Sight::kCausal},     {3, 0, 0, Sight::kNothing},   {10, 31, 10, Sight::kCandidates},
    {0, 5, 2, Sight::kAll},          {65, 64, 65, Sight::kMixed},  {31, 129, 0, Sight::kAll},
    {32, 0, 127, Sight::kAll},       {9, 7, 12, Sight::kMixed},    {2, 1, 1, Sight::kNothing},
    {12, 0, 12, Sight::kCandidates}, {35, 40, 35, Sight::kBlocks}, {7, 0, 7, Sight::kBlocks},
    {0, 0, 0, Sight::kAll}};

struct Heads {
  int64_t count, width;
};
const std::vector<Heads> kHeads = {{1, 1}, {2, 8}, {1, 16}, {3, 17}, {4, 32}, {2, 64}, {1, 65}};

class Attention : public testing::OnEachTier {};
INSTANTIATE_TEST_SUITE_P(Tiers, Attention, ::testing::ValuesIn(available_tiers()),
                         testing::tier_name);

TEST_P(Attention, ForwardMatchesReferenceAndIgnoresPoison) {
  Workspace workspace;
  for (const Heads& heads : kHeads) {
    SCOPED_TRACE(std::to_string(heads.count) + " heads of " + std::to_string(heads.width));
    AttentionBatch b(kRequests, heads.count, heads.width);
    attention_forward(nullptr, workspace, b.forward());
    for (size_t i = 0; i < kRequests.size(); ++i) {
      const auto expected = reference::attention(b.case_of(i));
      std::vector<double> out;
      b.append(b.out, b.span(i).query_begin, b.span(i).query_end, &out);
      EXPECT_TRUE(are_near(out, expected.out, tolerance("attention", Pass::kForward)))
          << "request " << i;
      EXPECT_TRUE(are_near(b.lse.data() + b.span(i).query_begin * heads.count, expected.lse.data(),
                           static_cast<int64_t>(expected.lse.size()),
                           tolerance("attention", Pass::kForward)))
          << "request " << i;
    }
    EXPECT_TRUE(b.is_intact());
    EXPECT_TRUE(std::isnan(b.out.row(0)[0])) << "a row of no request was written";
  }
}

TEST_P(Attention, BackwardMatchesReference) {
  Workspace workspace;
  for (const Heads& heads : kHeads) {
    SCOPED_TRACE(std::to_string(heads.count) + " heads of " + std::to_string(heads.width));
    AttentionBatch b(kRequests, heads.count, heads.width);
    attention_forward(nullptr, workspace, b.forward());
    attention_backward(nullptr, workspace, b.backward());
    for (size_t i = 0; i < kRequests.size(); ++i) {
      const AttentionSpan& s = b.span(i);
      std::vector<double> d_out, d_q, d_k, d_v;
      b.append(b.d_out, s.query_begin, s.query_end, &d_out);
      auto expected = reference::attention_backward(b.case_of(i), d_out);
      for (double& g : expected.k) g += 1.0;
      for (double& g : expected.v) g += 1.0;
      b.append(b.d_q, s.query_begin, s.query_end, &d_q);
      b.append(b.d_prefix_keys, s.prefix_begin, s.prefix_end, &d_k);
      b.append(b.d_own_keys, s.own_begin, s.own_end, &d_k);
      b.append(b.d_prefix_values, s.prefix_begin, s.prefix_end, &d_v);
      b.append(b.d_own_values, s.own_begin, s.own_end, &d_v);
      EXPECT_TRUE(are_near(d_q, expected.q, tolerance("attention", Pass::kBackward)))
          << "request " << i;
      EXPECT_TRUE(are_near(d_k, expected.k, tolerance("attention", Pass::kBackward)))
          << "request " << i;
      EXPECT_TRUE(are_near(d_v, expected.v, tolerance("attention", Pass::kBackward)))
          << "request " << i;
    }
    EXPECT_TRUE(b.is_intact());
  }
}

TEST_P(Attention, ThreadsDoNotChangeBits) {
  std::vector<std::vector<float>> first;
  for (int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    Workspace workspace;
    AttentionBatch b(kRequests, 4, 24);
    attention_forward(&pool, workspace, b.forward());
    attention_backward(&pool, workspace, b.backward());
    const std::vector<std::vector<float>> results = {b.out.values(),
                                                     b.lse,
                                                     b.d_q.values(),
                                                     b.d_prefix_keys.values(),
                                                     b.d_prefix_values.values(),
                                                     b.d_own_keys.values(),
                                                     b.d_own_values.values()};
    if (first.empty()) first = results;
    for (size_t i = 0; i < results.size(); ++i)
      EXPECT_TRUE(are_same_bits(results[i], first[i])) << "result " << i;
  }
}

TEST_P(Attention, RowBitsDependOnItsVisibleKeysAlone) {
  // A row of each kind alone, against the same row in a request of many rows, where keys that it
  // does not see are undefined.
  for (const Heads& heads : kHeads) {
    const int64_t width = heads.count * heads.width;
    for (const Request& request :
         {Request{65, 64, 65, Sight::kMixed}, Request{40, 31, 40, Sight::kCandidates},
          Request{40, 31, 40, Sight::kBlocks}, Request{70, 0, 70, Sight::kCausal}}) {
      Workspace workspace;
      AttentionBatch all({request}, heads.count, heads.width);
      attention_forward(nullptr, workspace, all.forward());
      const AttentionSpan span = all.span(0);
      for (int64_t r = 0; r < request.rows; r += 3) {
        AttentionBatch alone({request}, heads.count, heads.width);
        const int64_t row = span.query_begin + r;
        const VisibleKeys sees = alone.visible(row);
        for (int64_t key = sees.end; key < request.prefix + request.own; ++key) {
          if (sees.own_begin <= key && key < sees.own_end) continue;
          const bool is_prefix = key < request.prefix;
          const int64_t at =
              is_prefix ? span.prefix_begin + key : span.own_begin + key - request.prefix;
          std::fill_n((is_prefix ? alone.prefix_keys : alone.own_keys).row(at), width,
                      std::nanf(""));
          std::fill_n((is_prefix ? alone.prefix_values : alone.own_values).row(at), width,
                      std::nanf(""));
        }
        // With the poisoned keys, once with its neighbours and once without them.
        attention_forward(nullptr, workspace, alone.forward());
        ASSERT_TRUE(are_same_bits(alone.out.row(row), all.out.row(row), width)) << "row " << r;
        AttentionSpan one = span;
        one.query_begin = row;
        one.query_end = row + 1;
        AttentionForward p = alone.forward();
        p.spans = &one;
        attention_forward(nullptr, workspace, p);
        ASSERT_TRUE(are_same_bits(alone.out.row(row), all.out.row(row), width))
            << "row " << r << " alone";
      }
    }
  }
}

TEST_P(Attention, CandidateBitsDoNotDependOnTheirNumberOrPlace) {
  Workspace workspace;
  AttentionBatch many({{50, 100, 50, Sight::kCandidates}}, 2, 32);
  attention_forward(nullptr, workspace, many.forward());
  const AttentionSpan span = many.span(0);
  for (int64_t candidate : {1, 2, 31, 49}) {
    // The global and one candidate: own rows 0 and `candidate` become rows 0 and 1.
    AttentionBatch few({{2, 100, 2, Sight::kCandidates}}, 2, 32);
    const AttentionSpan to = few.span(0);
    std::copy_n(many.q.row(span.query_begin + candidate), 64, few.q.row(to.query_begin + 1));
    for (int64_t k = 0; k < 100; ++k) {
      std::copy_n(many.prefix_keys.row(span.prefix_begin + k), 64,
                  few.prefix_keys.row(to.prefix_begin + k));
      std::copy_n(many.prefix_values.row(span.prefix_begin + k), 64,
                  few.prefix_values.row(to.prefix_begin + k));
    }
    for (int64_t own = 0; own < 2; ++own) {
      const int64_t from = span.own_begin + (own == 0 ? 0 : candidate);
      std::copy_n(many.own_keys.row(from), 64, few.own_keys.row(to.own_begin + own));
      std::copy_n(many.own_values.row(from), 64, few.own_values.row(to.own_begin + own));
    }
    attention_forward(nullptr, workspace, few.forward());
    EXPECT_TRUE(are_same_bits(few.out.row(to.query_begin + 1),
                              many.out.row(span.query_begin + candidate), 64));
  }
}

TEST_P(Attention, LongKeysStayAccurate) {
  Workspace workspace;
  const std::vector<Request> requests = {{5, 9990, 10, Sight::kAll}};
  AttentionBatch b(requests, 1, 32);
  for (int64_t e = 0; e < 32; ++e)
    b.q.row(b.span(0).query_begin)[e] *= 20.0F;  // one row with scores far apart
  attention_forward(nullptr, workspace, b.forward());
  const auto expected = reference::attention(b.case_of(0));
  std::vector<double> out;
  b.append(b.out, b.span(0).query_begin, b.span(0).query_end, &out);
  // Scores near 100 carry an absolute rounding of 1e-5, which exp turns into a relative one.
  EXPECT_TRUE(are_near(out, expected.out, {2e-5, 2e-5}));
}

TEST_P(Attention, RowThatSeesNothingIsZero) {
  Workspace workspace;
  AttentionBatch b({{3, 2, 2, Sight::kNothing}}, 2, 8);
  attention_forward(nullptr, workspace, b.forward());
  for (int64_t r = b.span(0).query_begin; r < b.span(0).query_end; ++r) {
    for (int64_t e = 0; e < 16; ++e) EXPECT_EQ(b.out.row(r)[e], 0.0F);
    for (int64_t h = 0; h < 2; ++h) EXPECT_EQ(b.lse[static_cast<size_t>(r * 2 + h)], -INFINITY);
  }
  attention_backward(nullptr, workspace, b.backward());
  for (int64_t e = 0; e < 16; ++e) {
    EXPECT_EQ(b.d_q.row(b.span(0).query_begin)[e], 0.0F);
    EXPECT_EQ(b.d_own_keys.row(b.span(0).own_begin)[e], 1.0F);
  }
}

TEST(AttentionTierBits, Avx2AndAvx512GiveTheSameBits) {
  if (best_cpu_tier() < CpuTier::kAvx512) GTEST_SKIP() << "this processor has no AVX-512";
  for (const Heads& heads : kHeads) {
    std::vector<std::vector<float>> first;
    for (const CpuTier tier : {CpuTier::kAvx2, CpuTier::kAvx512}) {
      const ForcedTier forced(tier);
      Workspace workspace;
      AttentionBatch b(kRequests, heads.count, heads.width);
      attention_forward(nullptr, workspace, b.forward());
      attention_backward(nullptr, workspace, b.backward());
      const std::vector<std::vector<float>> results = {b.out.values(),
                                                       b.lse,
                                                       b.d_q.values(),
                                                       b.d_prefix_keys.values(),
                                                       b.d_prefix_values.values(),
                                                       b.d_own_keys.values(),
                                                       b.d_own_values.values()};
      if (first.empty()) first = results;
      for (size_t i = 0; i < results.size(); ++i)
        EXPECT_TRUE(are_same_bits(results[i], first[i])) << "result " << i;
    }
  }
}

TEST(AttentionProbabilities, AreTheMeanOverHeads) {
  Workspace workspace;
  AttentionBatch b(kRequests, 4, 8);
  attention_forward(nullptr, workspace, b.forward());
  for (size_t i : {3U, 5U, 7U}) {
    const auto expected = reference::attention(b.case_of(i));
    const auto keys = static_cast<size_t>(kRequests[i].prefix + kRequests[i].own);
    for (int64_t r = 0; r < kRequests[i].rows; ++r) {
      std::vector<float> got(keys);
      attention_probabilities(b.forward(), static_cast<int64_t>(i), b.span(i).query_begin + r,
                              got.data());
      std::vector<double> mean(keys);
      for (size_t h = 0; h < 4; ++h) {
        for (size_t k = 0; k < keys; ++k) {
          const auto rows = static_cast<size_t>(kRequests[i].rows);
          mean[k] += expected.probabilities[(h * rows + static_cast<size_t>(r)) * keys + k] / 4.0;
        }
      }
      EXPECT_TRUE(are_near(got, mean, tolerance("attention", Pass::kForward))) << "row " << r;
    }
  }
}

TEST(AttentionReference, GradientsMatchCentralDifferences) {
  AttentionBatch b({{5, 3, 5, Sight::kMixed}}, 2, 3);
  auto c = b.case_of(0);
  std::vector<double> d_out;
  b.append(b.d_out, b.span(0).query_begin, b.span(0).query_end, &d_out);
  const auto g = reference::attention_backward(c, d_out);
  const auto loss = [&] {
    const auto out = reference::attention(c).out;
    double sum = 0.0;
    for (size_t i = 0; i < out.size(); ++i) sum += out[i] * d_out[i];
    return sum;
  };
  const auto check = [&](std::vector<double>& values, const std::vector<double>& gradients) {
    for (size_t i = 0; i < values.size(); ++i) {
      const double before = values[i];
      values[i] = before + 1e-5;
      const double above = loss();
      values[i] = before - 1e-5;
      const double below = loss();
      values[i] = before;
      EXPECT_NEAR((above - below) / 2e-5, gradients[i], 1e-8);
    }
  };
  check(c.q, g.q);
  check(c.k, g.k);
  check(c.v, g.v);
}

std::string error_of(const AttentionForward& p) {
  Workspace workspace;
  try {
    attention_forward(nullptr, workspace, p);
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), Status::kInvalidArgument);
    return error.what();
  }
  return "no error";
}

TEST(AttentionErrors, NameTheSpanAndWhatIsWrong) {
  AttentionBatch b({{3, 2, 4, Sight::kAll}}, 2, 8);
  AttentionForward p = b.forward();
  p.heads = 3;
  EXPECT_EQ(error_of(p),
            "[attention_forward] q's 16 columns must be a multiple of heads; got 3 heads");
  p = b.forward();
  p.own_keys.cols = 15;
  EXPECT_EQ(error_of(p), "[attention_forward] own_keys must have 16 columns, as q; got 15");
  p = b.forward();
  p.out.rows -= 1;
  EXPECT_EQ(error_of(p), "[attention_forward] out must be [5, 16]; got [4, 16]");
  AttentionSpan span = b.span(0);
  span.own_end = 99;
  p = b.forward();
  p.spans = &span;
  EXPECT_EQ(error_of(p), "[attention_forward] span 0: own rows must lie in [0, 5); got [1, 99)");
  b.visible(2).end = 7;
  EXPECT_EQ(error_of(b.forward()),
            "[attention_forward] row 2 sees keys [0, 7) and [0, 0), but span 0 has 6 keys and the "
            "second range must come after the first");
  b.visible(2) = {4, 3, 5};
  EXPECT_EQ(error_of(b.forward()),
            "[attention_forward] row 2 sees keys [0, 4) and [3, 5), but span 0 has 6 keys and the "
            "second range must come after the first");
}

}  // namespace
}  // namespace longer
