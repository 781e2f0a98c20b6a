// Which kernel and which cut the CUDA backend takes for a call: plain functions of shapes, so they
// are tested on machines without a GPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "ops/attention/attention_bf16_cuda.hpp"
#include "ops/event_encoder/fused_event_encoder_cuda.hpp"
#include "ops/linear/linear_bf16_cuda.hpp"

namespace longer {
namespace {

TEST(Bf16Tile, IsWideWhereWideTilesFillTheDevice) {
  EXPECT_EQ(bf16_tile(1 << 16, 1024, 1), 128);
  EXPECT_EQ(bf16_tile(256, 256, 1), 64);
  EXPECT_EQ(bf16_tile(1 << 20, 64, 1), 64) << "half of a wide tile would be empty";
  for (const int64_t m : {1, 64, 1000, 100000}) {
    for (const int64_t n : {8, 128, 1024}) {
      for (const int64_t parts : {1, 8, 64}) {
        EXPECT_LE(bf16_tile(m, n, parts), bf16_tile(m, n, 2 * parts)) << m << " x " << n;
      }
    }
  }
}

TEST(Bf16Parts, CutsDeepSumsOfSmallGradientsAndNoOthers) {
  EXPECT_EQ(bf16_parts(4096, 4096, 1 << 20), 1) << "its tiles fill the device";
  EXPECT_EQ(bf16_parts(64, 64, 32), 1) << "too few rows to share out";
  EXPECT_GT(bf16_parts(64, 64, 1 << 20), 100);
  EXPECT_EQ(bf16_parts(64, 64, 0), 1);
  for (int64_t depth = 1; depth < 1 << 22; depth *= 3) {
    EXPECT_LE(bf16_parts(256, 256, depth), bf16_parts(256, 256, 3 * depth)) << depth;
  }
}

AttentionBf16Forward attention_of(int64_t spans, int64_t heads, int64_t width, int64_t queries,
                                  int64_t keys) {
  AttentionBf16Forward p;
  p.num_spans = spans;
  p.heads = heads;
  p.q = Bf16View(nullptr, spans * queries, heads * width);
  p.own_keys = Bf16View(nullptr, spans * keys, heads * width);
  return p;
}

TEST(AttentionCut, FitsSharedMemoryAndGivesEveryQueryAWarp) {
  constexpr int64_t kMostBytes = 128 << 10;
  for (const int64_t width : {16, 32, 64}) {
    for (const int64_t keys : {0, 1, 63, 64, 65, 250, 2000, 20000}) {
      for (const int64_t queries : {1, 16, 100, 2000}) {
        for (const bool is_backward : {false, true}) {
          const AttentionCut cut =
              attention_cut(attention_of(4, 2, width, queries, keys), is_backward);
          SCOPED_TRACE(::testing::Message() << width << ' ' << keys << ' ' << queries);
          const int64_t held = is_backward ? std::max(keys, queries) : keys;
          EXPECT_TRUE(cut.warps == 4 || cut.warps == 8) << cut.warps;
          EXPECT_EQ(cut.capacity % 16, 0);
          EXPECT_LE(cut.capacity * width * 4, kMostBytes);
          EXPECT_GE(cut.capacity, std::min(held, kMostBytes / (width * 4)));
          EXPECT_GE(cut.pieces, 1);
          // No piece without a tile of 16 rows for one of its warps at least.
          const int64_t rows = is_backward ? std::max(keys, queries) : queries;
          EXPECT_LE((cut.pieces - 1) * cut.warps * 16, std::max<int64_t>(rows, 1));
        }
      }
    }
  }
}

TEST(AttentionCut, SharesALongSpanOutWhereSpansAreFew) {
  EXPECT_GT(attention_cut(attention_of(1, 1, 32, 2000, 2000), false).pieces, 8);
  EXPECT_EQ(attention_cut(attention_of(512, 8, 32, 2000, 2000), false).pieces, 1);
}

class FusedEventEncoder : public ::testing::Test {
 protected:
  FusedEventEncoder() {
    weights_.tables.resize(2);
    weights_.tables[0].num_rows = 1'000'000;
    weights_.tables[0].width = 32;
    weights_.tables[1].num_rows = 20;
    weights_.tables[1].width = 4;
    weights_.inner.resize(1);
    weights_.slot = &number_;
    features_.resize(2);
    set_width(32, 2, 8);
  }

  void set_width(int64_t width, int64_t heads, int64_t group) {
    weights_.fc2.out = width;
    weights_.inner_heads = heads;
    call_.weights = &weights_;
    call_.tokens.features = features_.data();
    call_.tokens.merge_factor = group;
    call_.tokens.num_groups = 100;
    call_.merged = MatrixView(nullptr, 100, width * group);
  }

  float number_ = 0;
  EventEncoderWeights weights_;
  std::vector<FeatureValues> features_;
  EventEncoderForward call_;
};

TEST_F(FusedEventEncoder, TakesTheWidthsAndGroupsItHasKernelsFor) {
  for (const int64_t group : {2, 4, 8, 16}) {
    for (const auto& [width, heads] : {std::pair{16, 1}, {32, 2}, {64, 2}}) {
      set_width(width, heads, group);
      EXPECT_TRUE(event_encoder_is_fused(call_)) << width << ' ' << heads << ' ' << group;
      set_width(width, 2 * heads, group);
      EXPECT_FALSE(event_encoder_is_fused(call_)) << width << ' ' << 2 * heads << ' ' << group;
    }
  }
  for (const int64_t width : {8, 24, 48, 128}) {
    set_width(width, 1, 8);
    EXPECT_FALSE(event_encoder_is_fused(call_)) << width;
  }
  for (const int64_t group : {1, 3, 5, 32}) {
    set_width(32, 2, group);
    EXPECT_FALSE(event_encoder_is_fused(call_)) << group;
  }
}

TEST_F(FusedEventEncoder, LeavesWhatItLacksToTheOthers) {
  ASSERT_TRUE(event_encoder_is_fused(call_));
  const auto refuses = [this](const char* what, const auto& change) {
    const EventEncoderForward call = call_;
    const EventEncoderWeights weights = weights_;
    const std::vector<FeatureValues> features = features_;
    change();
    EXPECT_FALSE(event_encoder_is_fused(call_)) << what;
    call_ = call;
    weights_ = weights;
    features_ = features;
    call_.tokens.features = features_.data();
    ASSERT_TRUE(event_encoder_is_fused(call_)) << what;
  };
  const int32_t offsets[] = {0};
  refuses("no block", [&] { weights_.inner.clear(); });
  refuses("two blocks", [&] { weights_.inner.resize(2); });
  refuses("no slots", [&] { weights_.slot = nullptr; });
  refuses("event tokens wanted", [&] { call_.event_tokens = &number_; });
  refuses("a slice of merged rows", [&] { ++call_.merged.stride; });
  refuses("a numeric feature", [&] { features_[1].numbers = &number_; });
  refuses("a many-valued feature", [&] { features_[0].offsets = offsets; });
  refuses("a large table of odd width", [&] { weights_.tables[0].width = 24; });
  refuses("too wide tables", [&] { weights_.tables[0].width = 16 * 17; });
  refuses("too many features", [&] {
    weights_.position = &number_;
    weights_.time_width = 16;
    weights_.tables.resize(3);
    weights_.tables[2] = weights_.tables[1];
    features_.resize(3);
    call_.tokens.features = features_.data();
  });
}

}  // namespace
}  // namespace longer
