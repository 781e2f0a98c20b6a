// The CUDA backend's stages against the CPU backend's on the same inputs, and under stream capture.
// Needs a GPU: without one the tests fail, so they are their own program, run where
// LONGER_REQUIRE_DEVICE=cuda.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "cuda/device_copies.hpp"
#include "model/forward.hpp"
#include "model/longer_model.hpp"
#include "ops/backend.hpp"
#include "ops/cuda_stream.hpp"

namespace longer::testing {
namespace {

/// Largest difference relative to the largest value of `expected`, and a floor for all-zero
/// tensors.
double relative_difference(const std::vector<float>& actual, const std::vector<float>& expected) {
  double largest = 1e-6;
  double difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
    const double d = std::abs(static_cast<double>(actual[i]) - static_cast<double>(expected[i]));
    difference = std::isfinite(d) ? std::max(difference, d) : INFINITY;
  }
  return difference / largest;
}

// fp32 on both sides; sums run in other orders (tiles of 16, online softmax) and CUDA's expf is
// within 2 ulp.
constexpr double kForwardTolerance = 1e-5;
constexpr double kGradientTolerance = 1e-4;

constexpr const char* kConfig = R"({"format_version":1,
  "tables":[{"name":"item","width":24,"rows":0},{"name":"action","width":8,"rows":16}],
  "event_features":[{"name":"item","table":"item"},{"name":"action","table":"action"}],
  "candidate_features":[{"name":"item","table":"item"}],"tasks":[{"name":"click"}],
  "max_history":200,"event_width":32,"merge_factor":8,"inner_heads":2,"heads":4,"queries":10,
  "self_layers":1,"time_width":16})";

/// One batch with ragged histories (empty, shorter than a group, longer than the window), prepared
/// on the host.
class BackendStages : public ::testing::Test {
 protected:
  BackendStages()
      : config_(Config::parse(kConfig)),
        cpu_(make_backend({DeviceKind::kCpu, 0, 2})),
        gpu_(make_backend({DeviceKind::kCuda, 0, 0})),
        state_(fresh_state(config_, 7)) {
    std::mt19937_64 random(11);
    std::vector<int64_t> event_offsets = {0};
    std::vector<int64_t> candidate_offsets = {0};
    std::vector<int64_t> times;
    std::vector<int64_t> reference;
    for (const int64_t length : {0, 3, 200, 8, 517}) {
      event_offsets.push_back(event_offsets.back() + length);
      candidate_offsets.push_back(candidate_offsets.back() + length % 5);
      int64_t time = 1'000'000;
      for (int64_t i = 0; i < length; ++i)
        times.push_back(time += static_cast<int64_t>(random() % 10'000));
      reference.push_back(time + 50);
    }
    const int64_t events = event_offsets.back();
    const int64_t candidates = candidate_offsets.back();
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < events; ++i) ids.push_back(static_cast<int64_t>(random() % 300));
    for (int64_t i = 0; i < events; ++i) ids.push_back(static_cast<int64_t>(random() % 18));
    std::vector<int64_t> candidate_ids;
    for (int64_t i = 0; i < candidates; ++i)
      candidate_ids.push_back(static_cast<int64_t>(random() % 300));
    std::vector<int32_t> rows(static_cast<size_t>(events));
    state_->tables[0]->find_or_insert(ids.data(), events, rows.data());
    BatchView view;
    view.num_requests = 5;
    view.num_events = events;
    view.num_candidates = candidates;
    view.event_offsets = event_offsets.data();
    view.candidate_offsets = candidate_offsets.data();
    const Column event_columns[] = {{ids.data(), nullptr, nullptr, nullptr},
                                    {ids.data() + events, nullptr, nullptr, nullptr}};
    view.event_columns = event_columns;
    view.event_times = times.data();
    view.reference_times = reference.data();
    const Column candidate_column = {candidate_ids.data(), nullptr, nullptr, nullptr};
    view.candidate_columns = &candidate_column;
    validate_batch(config_, view);
    ReadOnlyLookup lookup(*state_);
    prepare_batch(config_, view, lookup, batch_);
    host_weights_ = bind_weights(config_, state_->layout, state_->dense.data(),
                                 state_->table_views(state_->dense.data()));
    cpu_->prepare(host_weights_.linears(), PackFor::kTraining, prepared_);

    device_dense_ = copies_.upload(state_->dense.data(), state_->dense.size());
    std::vector<TableView> views = state_->table_views(state_->dense.data());
    views[0].rows = copies_.upload(views[0].rows, views[0].num_rows * views[0].width);
    views[1].rows =
        state_->layout.at(static_cast<const float*>(device_dense_), "table.action.weight");
    device_weights_ = bind_weights(config_, state_->layout, device_dense_, views);
  }

  EventTokens device_tokens() {
    EventTokens tokens = batch_.event_tokens(config_);
    device_features_.clear();
    for (size_t f = 0; f < config_.event_features.size(); ++f) {
      const int32_t* rows = tokens.features[f].rows;
      device_features_.push_back(
          {copies_.upload(std::vector<int32_t>(rows, rows + tokens.num_events))});
    }
    tokens.features = device_features_.data();
    tokens.positions = copies_.upload(batch_.positions);
    tokens.time_buckets = copies_.upload(batch_.time_buckets);
    tokens.group_offsets = copies_.upload(batch_.event_group_offsets);
    tokens.slots = copies_.upload(batch_.slots);
    return tokens;
  }

  std::vector<float> random_values(int64_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = normal(random);
    return values;
  }

  /// Gradients of every parameter whose name starts with `prefix`, host against device arena.
  void expect_gradients_close(const float* host, const float* device, const std::string& prefix) {
    const std::vector<float> downloaded = download(device, state_->layout.arena_size());
    int compared = 0;
    for (const Parameter& p : state_->layout.parameters()) {
      if (p.name.rfind(prefix, 0) != 0) continue;
      const std::vector<float> actual(downloaded.begin() + p.offset,
                                      downloaded.begin() + p.offset + p.size());
      const std::vector<float> expected(host + p.offset, host + p.offset + p.size());
      EXPECT_LT(relative_difference(actual, expected), kGradientTolerance) << p.name;
      ++compared;
    }
    EXPECT_GT(compared, 0);
  }

  Config config_;
  std::shared_ptr<Backend> cpu_, gpu_;
  std::unique_ptr<ModelState> state_;
  PreparedBatch batch_;
  std::vector<FeatureValues> device_features_;
  ModelWeights host_weights_, device_weights_;
  std::unique_ptr<PreparedLinears> prepared_;
  DeviceCopies copies_;
  float* device_dense_ = nullptr;
};

/// Runs `enqueue` once plainly (the arena grows), then captures it, and replays the graph.
template <class Enqueue>
void run_captured(CudaStream& stream, const Enqueue& enqueue) {
  enqueue();
  stream.synchronize();
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  check_cuda(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal),
             "begin capture");
  enqueue();
  check_cuda(cudaStreamEndCapture(stream.get(), &graph), "end capture");
  check_cuda(cudaGraphInstantiate(&executable, graph, 0), "instantiate");
  check_cuda(cudaGraphLaunch(executable, stream.get()), "launch graph");
  stream.synchronize();
  cudaGraphExecDestroy(executable);
  cudaGraphDestroy(graph);
}

TEST_F(BackendStages, EventEncoderAgreesWithCpu) {
  const int64_t groups = batch_.num_groups();
  const int64_t tokens = batch_.num_tokens();
  const int64_t width = config_.model_width();
  const int64_t features = config_.features_width(config_.event_features);
  const std::vector<float> d_merged = random_values(groups * width, 3);

  const auto cpu_stream = cpu_->make_stream();
  std::vector<float> merged(static_cast<size_t>(groups * width));
  std::vector<float> d_features(static_cast<size_t>(tokens * features));
  std::vector<float> d_time(static_cast<size_t>(tokens * config_.time_width));
  AlignedBuffer gradients(state_->layout.arena_size());
  cpu_->event_encoder_forward(*cpu_stream,
                              {batch_.event_tokens(config_), &host_weights_.event_encoder,
                               MatrixView(merged.data(), groups, width), nullptr});
  EventEncoderBackward host;
  host.tokens = batch_.event_tokens(config_);
  host.weights = &host_weights_.event_encoder;
  host.d_merged = ConstMatrixView(d_merged.data(), groups, width);
  host.gradients = bind_gradients(config_, state_->layout, gradients.data()).event_encoder;
  host.d_features = d_features.data();
  host.d_time = d_time.data();
  cpu_->event_encoder_backward(*cpu_stream, host);

  const auto stream = gpu_->make_stream();
  EventEncoderBackward device = host;
  device.tokens = device_tokens();
  device.weights = &device_weights_.event_encoder;
  device.d_merged = ConstMatrixView(copies_.upload(d_merged), groups, width);
  device.d_features = copies_.zeros(tokens * features);
  device.d_time = copies_.zeros(tokens * config_.time_width);
  float* device_gradients = copies_.zeros(state_->layout.arena_size());
  device.gradients = bind_gradients(config_, state_->layout, device_gradients).event_encoder;
  const MatrixView device_merged(copies_.zeros(groups * width), groups, width);
  auto& cuda_stream = static_cast<CudaStream&>(*stream);
  run_captured(cuda_stream, [&] {
    check_cuda(cudaMemsetAsync(device_gradients, 0,
                               static_cast<size_t>(state_->layout.arena_size()) * sizeof(float),
                               cuda_stream.get()),
               "clear");
    gpu_->event_encoder_forward(*stream, {device.tokens, device.weights, device_merged, nullptr});
    gpu_->event_encoder_backward(*stream, device);
  });

  EXPECT_LT(relative_difference(download(device_merged.data, groups * width), merged),
            kForwardTolerance);
  EXPECT_LT(relative_difference(download(device.d_features, tokens * features), d_features),
            kGradientTolerance);
  EXPECT_LT(relative_difference(download(device.d_time, tokens * config_.time_width), d_time),
            kGradientTolerance);
  expect_gradients_close(gradients.data(), device_gradients, "event_encoder.fc");
  expect_gradients_close(gradients.data(), device_gradients, "token_merge.");
}

TEST_F(BackendStages, TransformerLayerAgreesWithCpu) {
  const int64_t width = config_.model_width();
  const int64_t rows = batch_.num_side_rows;
  const int64_t prefix_rows = batch_.num_groups();
  const TransformerLayerShape shape = {rows, rows, prefix_rows, width, config_.heads};
  const std::vector<float> x = random_values(rows * width, 5);
  const std::vector<float> prefix = random_values(prefix_rows * 2 * width, 6);
  const std::vector<float> d_out = random_values(rows * width, 7);
  const int64_t saved_floats = transformer_layer_saved_floats(shape);

  auto call = [&](const TransformerLayerWeights& weights, const float* x_data,
                  const float* prefix_data, const LayerRows* host_rows, const int32_t* query_rows,
                  const AttentionSpan* spans, const VisibleKeys* visible, float* kv, float* out,
                  float* saved) {
    TransformerLayerForward p;
    p.shape = shape;
    p.weights = &weights;
    p.x = ConstMatrixView(x_data, rows, width);
    p.query_rows = query_rows;
    p.prefix_kv = ConstMatrixView(prefix_data, prefix_rows, 2 * width);
    p.num_spans = static_cast<int64_t>(host_rows->spans.size());
    p.spans = spans;
    p.visible = visible;
    p.kv_sink = MatrixView(kv, rows, 2 * width);
    p.rows_out = MatrixView(out, rows, width);
    p.saved = saved;
    return p;
  };
  const LayerRows& side = batch_.side_cross;
  std::vector<float> kv(static_cast<size_t>(rows * 2 * width)),
      out(static_cast<size_t>(rows * width));
  std::vector<float> saved(static_cast<size_t>(saved_floats)), d_kv(kv.size()), d_x(out.size());
  std::vector<float> d_prefix(static_cast<size_t>(prefix_rows * 2 * width));
  AlignedBuffer gradients(state_->layout.arena_size());
  const auto cpu_stream = cpu_->make_stream();
  const TransformerLayerForward host =
      call(host_weights_.layers[0], x.data(), prefix.data(), &side, side.query_rows.data(),
           side.spans.data(), side.visible.data(), kv.data(), out.data(), saved.data());
  cpu_->transformer_layer_forward(*cpu_stream, host);
  cpu_->transformer_layer_backward(
      *cpu_stream,
      {host, bind_gradients(config_, state_->layout, gradients.data()).layers[0],
       ConstMatrixView(d_out.data(), rows, width), MatrixView(d_kv.data(), rows, 2 * width),
       MatrixView(d_prefix.data(), prefix_rows, 2 * width), MatrixView(d_x.data(), rows, width)});

  const auto stream = gpu_->make_stream();
  auto& cuda_stream = static_cast<CudaStream&>(*stream);
  const TransformerLayerForward device = call(
      device_weights_.layers[0], copies_.upload(x), copies_.upload(prefix), &side,
      copies_.upload(side.query_rows), copies_.upload(side.spans), copies_.upload(side.visible),
      copies_.zeros(rows * 2 * width), copies_.zeros(rows * width), copies_.zeros(saved_floats));
  float* device_gradients = copies_.zeros(state_->layout.arena_size());
  TransformerLayerBackward backward = {
      device,
      bind_gradients(config_, state_->layout, device_gradients).layers[0],
      ConstMatrixView(copies_.upload(d_out), rows, width),
      MatrixView(copies_.zeros(rows * 2 * width), rows, 2 * width),
      MatrixView(copies_.zeros(prefix_rows * 2 * width), prefix_rows, 2 * width),
      MatrixView(copies_.zeros(rows * width), rows, width)};
  auto clear = [&](float* data, int64_t count) {
    check_cuda(
        cudaMemsetAsync(data, 0, static_cast<size_t>(count) * sizeof(float), cuda_stream.get()),
        "clear");
  };
  run_captured(cuda_stream, [&] {
    clear(device_gradients, state_->layout.arena_size());
    clear(backward.d_kv.data, rows * 2 * width);
    clear(backward.d_prefix_kv.data, prefix_rows * 2 * width);
    gpu_->transformer_layer_forward(*stream, device);
    gpu_->transformer_layer_backward(*stream, backward);
  });

  EXPECT_LT(relative_difference(download(device.rows_out.data, rows * width), out),
            kForwardTolerance);
  EXPECT_LT(relative_difference(download(device.kv_sink.data, rows * 2 * width), kv),
            kForwardTolerance);
  EXPECT_LT(relative_difference(download(backward.d_x.data, rows * width), d_x),
            kGradientTolerance);
  EXPECT_LT(
      relative_difference(download(backward.d_prefix_kv.data, prefix_rows * 2 * width), d_prefix),
      kGradientTolerance);
  expect_gradients_close(gradients.data(), device_gradients, "layers.0.");
}

TEST_F(BackendStages, TwoRunsGiveTheSameBits) {
  const int64_t groups = batch_.num_groups();
  const int64_t width = config_.model_width();
  const std::vector<float> d_merged = random_values(groups * width, 3);
  const int64_t tokens = batch_.num_tokens();
  const int64_t features = config_.features_width(config_.event_features);
  auto run = [&] {
    const auto stream = gpu_->make_stream();
    float* gradients = copies_.zeros(state_->layout.arena_size());
    EventEncoderBackward p;
    p.tokens = device_tokens();
    p.weights = &device_weights_.event_encoder;
    p.d_merged = ConstMatrixView(copies_.upload(d_merged), groups, width);
    p.gradients = bind_gradients(config_, state_->layout, gradients).event_encoder;
    p.d_features = copies_.zeros(tokens * features);
    p.d_time = copies_.zeros(tokens * config_.time_width);
    gpu_->event_encoder_backward(*stream, p);
    stream->synchronize();
    return download(gradients, state_->layout.arena_size());
  };
  EXPECT_EQ(run(), run());
}

TEST(CudaDevice, ReportsItself) {
  const CudaStatus status = cuda_status();
  EXPECT_TRUE(status.compiled);
  EXPECT_GT(status.num_devices, 0) << status.detail;
}

TEST(CudaDevice, RejectsAnIndexThatIsNotThere) {
  EXPECT_THROW(make_backend({DeviceKind::kCuda, 99, 0}), Error);
}

}  // namespace
}  // namespace longer::testing
