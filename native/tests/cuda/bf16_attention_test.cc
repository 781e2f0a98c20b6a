// Attention in bf16 against the double-precision twin over the same rounded inputs.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuda/device_copies.hpp"
#include "ops/attention/attention_bf16_cuda.hpp"
#include "ops/attention_batch.hpp"
#include "ops/backend.hpp"
#include "support/bf16_tolerances.hpp"
#include "support/test_backend.hpp"

namespace longer::testing {
namespace {

/// A batch of attention_batch.hpp with its inputs rounded, and its copy on the device; rows of no
/// request are NaN on both sides.
class DeviceBatch {
 public:
  DeviceBatch(const std::vector<Request>& requests, int64_t heads, int64_t width)
      : batch_(requests, heads, width), width_(heads * width) {
    for (PoisonedMatrix* m : {&batch_.q, &batch_.d_out, &batch_.prefix_keys, &batch_.prefix_values,
                              &batch_.own_keys, &batch_.own_values}) {
      m->set(rounded(m->values()));
    }
    const AttentionForward host = batch_.forward();
    AttentionBf16Forward& f = call_.forward;
    f.num_spans = host.num_spans;
    f.spans = copies_.upload(host.spans, host.num_spans);
    f.visible = copies_.upload(host.visible, host.q.rows);
    f.heads = heads;
    f.q = copy(batch_.q);
    f.prefix_keys = copy(batch_.prefix_keys);
    f.prefix_values = copy(batch_.prefix_values);
    f.own_keys = copy(batch_.own_keys);
    f.own_values = copy(batch_.own_values);
    f.out = copy(batch_.out);
    f.lse = copies_.upload(batch_.lse);
    call_.d_out = copy(batch_.d_out);
    call_.d_q = copy(batch_.d_q);
    call_.d_prefix_keys = copy(batch_.d_prefix_keys);
    call_.d_prefix_values = copy(batch_.d_prefix_values);
    call_.d_own_keys = copy(batch_.d_own_keys);
    call_.d_own_values = copy(batch_.d_own_values);
  }
  void run(bool is_backward) {
    attention_forward_bf16(stream_.get(), call_.forward);
    if (is_backward) attention_backward_bf16(stream_.get(), call_);
    stream_.synchronize();
  }
  /// Rows [begin, end) of a result behind those in `to`.
  void append(const Bf16View& m, int64_t begin, int64_t end, std::vector<double>* to) const {
    const std::vector<float> values =
        download_bf16(m.data + begin * m.stride, (end - begin) * width_);
    to->insert(to->end(), values.begin(), values.end());
  }
  bool is_untouched(const Bf16View& m, int64_t row) const {
    return std::isnan(download_bf16(m.data + row * m.stride, 1)[0]);
  }

  AttentionBatch batch_;
  AttentionBf16Backward call_;

 private:
  Bf16View copy(PoisonedMatrix& m) {
    return {copies_.upload_bf16(m.values()), m.view().rows, width_};
  }

  int64_t width_;
  DeviceCopies copies_;
  std::shared_ptr<Backend> backend_ = test_backend();
  std::unique_ptr<Stream> own_stream_ = backend_->make_stream();
  CudaStream& stream_ = static_cast<CudaStream&>(*own_stream_);
};

const std::vector<Request> kRequests = {
    {1, 0, 1, Sight::kCausal},      {70, 0, 70, Sight::kCausal},  {20, 37, 20, Sight::kCandidates},
    {0, 5, 0, Sight::kAll},         {41, 90, 41, Sight::kBlocks}, {17, 0, 0, Sight::kNothing},
    {33, 65, 33, Sight::kMixed},    {16, 48, 16, Sight::kAll},    {3, 11, 3, Sight::kNothing},
    {2, 130, 2, Sight::kCandidates}};

struct Heads {
  int64_t count, width;
};
const std::vector<Heads> kHeads = {{1, 16}, {2, 32}, {3, 64}};

TEST(AttentionBf16, ForwardEqualsTheReference) {
  for (const Heads& heads : kHeads) {
    SCOPED_TRACE(std::to_string(heads.count) + " heads of " + std::to_string(heads.width));
    DeviceBatch b(kRequests, heads.count, heads.width);
    b.run(false);
    const AttentionBf16Forward& f = b.call_.forward;
    const std::vector<float> lse = download(f.lse, f.q.rows * heads.count);
    for (size_t i = 0; i < kRequests.size(); ++i) {
      const AttentionSpan& s = b.batch_.span(i);
      const auto expected = reference::attention(b.batch_.case_of(i));
      std::vector<double> out;
      b.append(f.out, s.query_begin, s.query_end, &out);
      EXPECT_LT(relative_l2(out, expected.out), bf16_tolerance("attention", Pass::kForward))
          << "request " << i;
      for (size_t r = 0; r < expected.lse.size(); ++r) {
        const double got = lse[static_cast<size_t>(s.query_begin * heads.count) + r];
        if (std::isinf(expected.lse[r])) {
          EXPECT_EQ(got, expected.lse[r]);
        } else {
          EXPECT_NEAR(got, expected.lse[r], 1e-4) << "request " << i;
        }
      }
    }
    EXPECT_TRUE(b.is_untouched(f.out, 0)) << "a row of no request was written";
  }
}

TEST(AttentionBf16, BackwardEqualsTheReference) {
  for (const Heads& heads : kHeads) {
    SCOPED_TRACE(std::to_string(heads.count) + " heads of " + std::to_string(heads.width));
    DeviceBatch b(kRequests, heads.count, heads.width);
    b.run(true);
    for (size_t i = 0; i < kRequests.size(); ++i) {
      const AttentionSpan& s = b.batch_.span(i);
      std::vector<double> d_out, d_q, d_k, d_v;
      b.append(b.call_.d_out, s.query_begin, s.query_end, &d_out);
      auto expected = reference::attention_backward(b.batch_.case_of(i), d_out);
      for (double& g : expected.k) g += 1.0;
      for (double& g : expected.v) g += 1.0;
      b.append(b.call_.d_q, s.query_begin, s.query_end, &d_q);
      b.append(b.call_.d_prefix_keys, s.prefix_begin, s.prefix_end, &d_k);
      b.append(b.call_.d_own_keys, s.own_begin, s.own_end, &d_k);
      b.append(b.call_.d_prefix_values, s.prefix_begin, s.prefix_end, &d_v);
      b.append(b.call_.d_own_values, s.own_begin, s.own_end, &d_v);
      const double tolerance = bf16_tolerance("attention", Pass::kBackward);
      // A row that sees one key sends its query nothing.
      constexpr double kFloor = 1e-2;
      EXPECT_LT(relative_l2(d_q, expected.q, kFloor), tolerance) << "request " << i;
      EXPECT_LT(relative_l2(d_k, expected.k), tolerance) << "request " << i;
      EXPECT_LT(relative_l2(d_v, expected.v), tolerance) << "request " << i;
    }
    EXPECT_TRUE(b.is_untouched(b.call_.d_q, 0));
    EXPECT_TRUE(b.is_untouched(b.call_.d_own_keys, 0));
    EXPECT_TRUE(b.is_untouched(b.call_.d_prefix_values, 0));
  }
}

TEST(AttentionBf16, ARowsBitsDependOnItsSpanAlone) {
  // Alone the keys fit into shared memory at once; beside many short requests they do not.
  const Request request = {40, 150, 40, Sight::kBlocks};
  std::vector<Request> many(12, Request{2, 3, 2, Sight::kCausal});
  many.push_back(request);
  DeviceBatch alone({request}, 2, 32);
  DeviceBatch beside(many, 2, 32);
  // The same inputs: those of the last request of many, by its place in the batch.
  const AttentionSpan from = beside.batch_.span(many.size() - 1);
  const AttentionSpan to = alone.batch_.span(0);
  const auto move = [](const Bf16View& source, int64_t begin, const Bf16View& target, int64_t at,
                       int64_t rows) {
    check_cuda(cudaMemcpy(target.data + at * target.stride, source.data + begin * source.stride,
                          static_cast<size_t>(rows * source.stride) * sizeof(Bf16),
                          cudaMemcpyDeviceToDevice),
               "move");
  };
  const AttentionBf16Forward& f = beside.call_.forward;
  const AttentionBf16Forward& g = alone.call_.forward;
  move(f.q, from.query_begin, g.q, to.query_begin, 40);
  move(f.prefix_keys, from.prefix_begin, g.prefix_keys, to.prefix_begin, 150);
  move(f.prefix_values, from.prefix_begin, g.prefix_values, to.prefix_begin, 150);
  move(f.own_keys, from.own_begin, g.own_keys, to.own_begin, 40);
  move(f.own_values, from.own_begin, g.own_values, to.own_begin, 40);
  ASSERT_LT(attention_cut(f, false).capacity, 190);
  ASSERT_GE(attention_cut(g, false).capacity, 190);
  beside.run(false);
  alone.run(false);
  std::vector<double> expected, got;
  alone.append(g.out, to.query_begin, to.query_end, &expected);
  beside.append(f.out, from.query_begin, from.query_end, &got);
  EXPECT_EQ(got, expected);
}

TEST(AttentionBf16, CutsGiveEveryMultiprocessorWork) {
  AttentionBf16Forward p;
  p.num_spans = 256;
  p.heads = 4;
  p.q = {nullptr, 25600, 256};
  p.own_keys = {nullptr, 64000, 256};
  EXPECT_EQ(attention_cut(p, false).capacity, 256);
  EXPECT_EQ(attention_cut(p, false).warps, 4);
  EXPECT_EQ(attention_cut(p, false).pieces, 1);
  p.num_spans = 32;
  p.heads = 2;
  p.q = {nullptr, 32 * 500, 128};
  p.own_keys = {nullptr, 32 * 2500, 128};
  EXPECT_EQ(attention_cut(p, false).capacity, 512);
  EXPECT_EQ(attention_cut(p, false).warps, 8);
  EXPECT_EQ(attention_cut(p, false).pieces, 4);
}

}  // namespace
}  // namespace longer::testing
