#include <memory>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "ops/event_encoder/event_encoder_cpu.hpp"
#include "reporter.hpp"

namespace longer::bench {
namespace {

/// Full groups of `merge_factor` events with two features.
struct Shape {
  int64_t tokens, merge_factor, d, heads, blocks, table_rows;
};
constexpr int64_t kWidths[] = {32, 16};
constexpr int64_t kTimeWidth = 16;
constexpr int64_t kTimeBuckets = 32;
constexpr int64_t kMaxHistory = 1000;

/// An event encoder with random weights, and room for its gradients.
class Encoder {
 public:
  explicit Encoder(const Shape& s) : shape_(s) {
    const int64_t x = kWidths[0] + kWidths[1];
    for (int64_t width : kWidths) {
      weights_.tables.push_back({values(s.table_rows * width, 0.05F), width, s.table_rows});
    }
    weights_.position = values(kMaxHistory * x, 0.05F);
    weights_.num_positions = kMaxHistory;
    weights_.time_bucket = values((kTimeBuckets + 1) * kTimeWidth, 0.05F);
    weights_.num_time_buckets = kTimeBuckets + 1;
    weights_.time_width = kTimeWidth;
    weights_.fc1 = linear(2 * s.d, x + kTimeWidth, gradients_.fc1);
    weights_.fc2 = linear(s.d, 2 * s.d, gradients_.fc2);
    weights_.inner_heads = s.heads;
    if (s.blocks > 0) {
      weights_.slot = values(s.merge_factor * s.d, 0.05F);
      gradients_.slot = values(s.merge_factor * s.d, 0.0F);
    }
    gradients_.inner.resize(static_cast<size_t>(s.blocks));
    for (BlockGradients& g : gradients_.inner) {
      BlockWeights block;
      block.ln1 = norm(g.ln1);
      block.ln2 = norm(g.ln2);
      block.qkv = linear(3 * s.d, s.d, g.qkv);
      block.out = linear(s.d, s.d, g.out);
      block.fc1 = linear(4 * s.d, s.d, g.fc1);
      block.fc2 = linear(s.d, 4 * s.d, g.fc2);
      weights_.inner.push_back(block);
    }
  }
  const EventEncoderWeights& weights() const { return weights_; }
  const EventEncoderGradients& gradients() const { return gradients_; }

  /// Multiplications and additions of the forward pass of one token.
  double flops() const {
    const auto d = static_cast<double>(shape_.d);
    const auto group = static_cast<double>(shape_.merge_factor);
    return 2.0 * (2.0 * d * static_cast<double>(weights_.fc1.in) + 2.0 * d * d +
                  static_cast<double>(shape_.blocks) * (12.0 * d * d + 2.0 * group * d));
  }

 private:
  float* values(int64_t count, float deviation) {
    memory_.push_back(std::make_unique<float[]>(static_cast<size_t>(count)));
    if (deviation > 0.0F) {
      fill_normal(1, memory_.size(), 0, deviation, memory_.back().get(), count);
    }
    return memory_.back().get();
  }
  LinearWeights linear(int64_t out, int64_t in, LinearGradients& g) {
    g = {values(out * in, 0.0F), values(out, 0.0F)};
    LinearWeights w{values(out * in, 0.1F), values(out, 0.1F), out, in, nullptr};
    packed_.push_back(std::make_unique<PackedLinear>());
    packed_.back()->pack(w.weight, w.bias, out, in, PackFor::kTraining);
    w.packed = packed_.back().get();
    return w;
  }
  NormWeights norm(NormGradients& g) {
    g = {values(shape_.d, 0.0F), values(shape_.d, 0.0F)};
    return {values(shape_.d, 1.0F), values(shape_.d, 0.1F)};
  }

  Shape shape_;
  std::vector<std::unique_ptr<float[]>> memory_;
  std::vector<std::unique_ptr<PackedLinear>> packed_;
  EventEncoderWeights weights_;
  EventEncoderGradients gradients_;
};

void bench(ThreadPool* pool, Reporter& reporter, const Shape& s) {
  const Encoder encoder(s);
  const int64_t groups = s.tokens / s.merge_factor;
  std::vector<int32_t> rows, positions, buckets, offsets = {0}, slots;
  for (int64_t i = 0; i < 2 * s.tokens; ++i) {
    rows.push_back(static_cast<int32_t>((i * 2654435761) % s.table_rows));
  }
  for (int64_t i = 0; i < s.tokens; ++i) {
    positions.push_back(static_cast<int32_t>(i % kMaxHistory));
    buckets.push_back(static_cast<int32_t>(i % kTimeBuckets));
    slots.push_back(static_cast<int32_t>(i % s.merge_factor));
  }
  for (int64_t g = 1; g <= groups; ++g) offsets.push_back(static_cast<int32_t>(g * s.merge_factor));
  const FeatureValues features[] = {{rows.data()}, {rows.data() + s.tokens}};
  const EventTokens tokens{s.tokens,         groups,         s.merge_factor, features,
                           positions.data(), buckets.data(), offsets.data(), slots.data()};
  const int64_t width = s.merge_factor * s.d;
  std::vector<float> merged(static_cast<size_t>(groups * width));
  std::vector<float> d_merged(merged.size(), 1.0F);
  std::vector<float> d_features(static_cast<size_t>(s.tokens * (kWidths[0] + kWidths[1])));
  std::vector<float> d_time(static_cast<size_t>(s.tokens * kTimeWidth));
  CpuStream stream(pool);
  const EventEncoderForward forward{
      tokens, &encoder.weights(), {merged.data(), groups, width}, nullptr};
  EventEncoderBackward backward{tokens,
                                &encoder.weights(),
                                {d_merged.data(), groups, width},
                                encoder.gradients(),
                                d_features.data(),
                                d_time.data(),
                                nullptr};
  const std::string shape = std::to_string(s.tokens) + " tokens, K " +
                            std::to_string(s.merge_factor) + ", d " + std::to_string(s.d) + ", E " +
                            std::to_string(s.d / s.heads) + ", inner " + std::to_string(s.blocks) +
                            ", " + std::to_string(s.table_rows) + " rows";
  const double flops = encoder.flops() * static_cast<double>(s.tokens);
  reporter.add("event_encoder_forward", shape,
               measure(pool, [&] { event_encoder_forward(stream, forward); }), flops, 0.0);
  // The forward pass again, less its last map, and two products for each of its own.
  reporter.add("event_encoder_backward", shape,
               measure(pool, [&] { event_encoder_backward(stream, backward); }), 3.0 * flops, 0.0);
}

}  // namespace

void bench_event_encoder(ThreadPool* pool, Reporter& reporter) {
  const Shape shapes[] = {{8000, 8, 32, 4, 1, 10000}, {8000, 8, 32, 2, 1, 10000},
                          {8000, 8, 32, 1, 1, 10000}, {8000, 8, 32, 4, 0, 10000},
                          {8000, 4, 16, 2, 1, 10000}, {8000, 16, 32, 4, 1, 10000},
                          {8000, 8, 64, 4, 1, 10000}, {8000, 8, 32, 4, 1, 2000000},
                          {1000, 8, 32, 4, 1, 10000}, {8, 8, 32, 4, 1, 10000}};
  for (const Shape& s : shapes) bench(pool, reporter, s);
}

}  // namespace longer::bench
