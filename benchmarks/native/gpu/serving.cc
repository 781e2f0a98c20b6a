#include <cstdio>

#include "gpu/benches.hpp"
#include "gpu/stage_timer.hpp"
#include "model/forward.hpp"
#include "model/longer_model.hpp"

namespace longer::bench {
namespace {

constexpr int kWarmUp = 10;

/// Device times of `work`, launched as one, from where it may begin to its end.
template <class Work>
Summary time_of(CudaStream& stream, int repetitions, const Work& work) {
  std::unique_ptr<Recording> recording;
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  check_cuda(cudaEventCreate(&begin), "create an event");
  check_cuda(cudaEventCreate(&end), "create an event");
  std::vector<double> times;
  for (int i = 0; i < kWarmUp + repetitions; ++i) {
    stream.run(
        recording, [&] { check_cuda(cudaEventRecord(begin, stream.get()), "record an event"); },
        work);
    check_cuda(cudaEventRecord(end, stream.get()), "record an event");
    stream.synchronize();
    float ms = 0;
    check_cuda(cudaEventElapsedTime(&ms, begin, end), "read a time");
    if (i >= kWarmUp) times.push_back(static_cast<double>(ms));
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  return summary_of(times);
}

void print_line(const char* what, const char* of, int64_t count, const Summary& time) {
  std::printf("{\"what\":\"%s\",\"%s\":%lld,\"median_ms\":%.5f,\"p95_ms\":%.5f,\"min_ms\":%.5f}\n",
              what, of, static_cast<long long>(count), time.median_ms, time.p95_ms, time.best_ms);
  std::fflush(stdout);
}

}  // namespace

void bench_serving(const Shape& shape, int repetitions) {
  const LongerModel model(model_of(shape), make_backend({DeviceKind::kCuda, 0, 0}));
  const Config& config = model.config();
  Backend& backend = model.backend();
  const auto owned = backend.make_stream();
  auto& stream = static_cast<CudaStream&>(*owned);
  ReadOnlyLookup lookup(model.state());
  const auto prepare = [&](int64_t users, int64_t candidates, Workspace& memory,
                           PreparedBatch& batch) {
    Shape of = shape;
    of.requests = users;
    of.candidates = candidates;
    const Requests requests(of, "uniform", 5);
    validate_batch(config, requests.view());
    prepare_batch(config, requests.view(), lookup, batch);
    batch.place(stream, memory);
    stream.synchronize();
  };
  for (const int64_t users : {1, 64, 256}) {
    Workspace placed(backend.memory());
    Workspace memory(backend.memory());
    PreparedBatch batch;
    UserKeysValues keys_values;
    Activations activations;
    prepare(users, 1, placed, batch);
    allocate_keys_values(config, batch, placed, keys_values);
    print_line("encode", "users", users, time_of(stream, repetitions, [&] {
                 const WorkspaceScope scope(memory);
                 encode_user(config, model.weights(), backend, stream, memory, batch,
                             PassKind::kInference, keys_values, activations);
               }));
  }
  for (const int64_t candidates : {100, 500, 1000, 4000}) {
    Workspace placed(backend.memory());
    Workspace memory(backend.memory());
    PreparedBatch batch;
    UserKeysValues keys_values;
    Activations activations;
    prepare(1, candidates, placed, batch);
    allocate_keys_values(config, batch, placed, keys_values);
    encode_user(config, model.weights(), backend, stream, placed, batch, PassKind::kInference,
                keys_values, activations);
    print_line("score", "candidates", candidates, time_of(stream, repetitions, [&] {
                 const WorkspaceScope scope(memory);
                 score_candidates(config, model.weights(), backend, stream, memory, batch,
                                  PassKind::kInference, keys_values, activations);
               }));
  }
}

}  // namespace longer::bench
