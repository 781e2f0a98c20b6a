#include <chrono>
#include <cstdint>
#include <cstdlib>

#include "gpu/benches.hpp"
#include "gpu/stage_timer.hpp"
#include "training/trainer.hpp"

namespace longer::bench {
namespace {

constexpr int kWarmUp = 10;

/// Bytes taken from the device's pool: now and at most since `start`.
class PoolBytes {
 public:
  PoolBytes() { check_cuda(cudaDeviceGetDefaultMemPool(&pool_, 0), "find the memory pool"); }
  void start() const {
    uint64_t zero = 0;
    check_cuda(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrUsedMemHigh, &zero), "reset a mark");
  }
  int64_t most() const {
    uint64_t bytes = 0;
    check_cuda(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrUsedMemHigh, &bytes), "read a mark");
    return static_cast<int64_t>(bytes);
  }

 private:
  cudaMemPool_t pool_ = nullptr;
};

/// Milliseconds from the end of a step to the end of the next, in a loop that waits for nothing but
/// what the trainer waits for.
template <class Step>
std::vector<double> device_times(Stream& stream, int steps, const Step& step) {
  const cudaStream_t s = static_cast<CudaStream&>(stream).get();
  std::vector<cudaEvent_t> ends(static_cast<size_t>(steps + 1));
  for (int i = 0; i < kWarmUp; ++i) step();
  for (cudaEvent_t& end : ends) {
    step();
    check_cuda(cudaEventCreate(&end), "create an event");
    check_cuda(cudaEventRecord(end, s), "record an event");
  }
  check_cuda(cudaDeviceSynchronize(), "wait for the device");
  std::vector<double> times;
  for (size_t i = 1; i < ends.size(); ++i) {
    float ms = 0;
    check_cuda(cudaEventElapsedTime(&ms, ends[i - 1], ends[i]), "read a time");
    times.push_back(static_cast<double>(ms));
  }
  for (cudaEvent_t end : ends) cudaEventDestroy(end);
  return times;
}

void print_line(const Shape& shape, const std::string& ids, const char* what, const Summary& time,
                int64_t events, int64_t memory, double first_loss, double last_loss) {
  std::printf(
      "{\"what\":\"%s\",\"shape\":\"%s\",\"ids\":\"%s\",\"median_ms\":%.4f,\"p95_ms\":%.4f,"
      "\"min_ms\":%.4f,\"requests_per_s\":%.1f,\"events\":%lld,\"memory_gb\":%.4f,"
      "\"loss\":[%.6f,%.6f]}\n",
      what, shape.name, ids.c_str(), time.median_ms, time.p95_ms, time.best_ms,
      1000.0 * static_cast<double>(shape.requests) / time.median_ms, static_cast<long long>(events),
      static_cast<double>(memory) * 1e-9, first_loss, last_loss);
  std::fflush(stdout);
}

/// Mean of every stage over some steps, enqueued one by one.
void print_stages(const Shape& shape, const std::string& ids, const BatchView& view,
                  const TrainerOptions& options) {
  constexpr int kSteps = 10;
  setenv("LONGER_CUDA_GRAPHS", "off", 1);
  const auto timer = std::make_shared<StageTimer>(make_backend({DeviceKind::kCuda, 0, 0}));
  {
    Trainer trainer(model_of(shape), nullptr, options, timer);
    for (int i = 0; i < 3; ++i) trainer.step(view);
    trainer.result();
    timer->forget();
    for (int i = 0; i < kSteps; ++i) trainer.step(view);
    for (const auto& [name, time] : timer->times()) {
      std::printf(
          "{\"what\":\"stage\",\"shape\":\"%s\",\"ids\":\"%s\",\"stage\":\"%s\",\"ms\":%.4f,"
          "\"calls\":%.1f}\n",
          shape.name, ids.c_str(), name.c_str(), time.ms / kSteps,
          static_cast<double>(time.calls) / kSteps);
    }
    std::fflush(stdout);
    timer->forget();
  }
  unsetenv("LONGER_CUDA_GRAPHS");
}

}  // namespace

void bench_training(const Shape& shape, const std::vector<std::string>& ids, int steps,
                    Precision precision) {
  TrainerOptions options;
  options.precision = precision;
  for (const std::string& kind : ids) {
    const Requests requests(shape, kind, 3);
    const Requests others(shape, kind, 4);
    const BatchView view = requests.view();
    {
      const PoolBytes pool;
      Trainer trainer(model_of(shape), nullptr, options, make_backend({DeviceKind::kCuda, 0, 0}));
      const auto batch = trainer.make_batch();
      trainer.stage(view, *batch);
      trainer.step(*batch);
      const double first_loss = trainer.result().loss;
      pool.start();
      const Summary staged =
          summary_of(device_times(trainer.stream(), steps, [&] { trainer.step(*batch); }));
      print_line(shape, kind, "step", staged, view.num_events, pool.most() - trainer.table_bytes(),
                 first_loss, trainer.result().loss);
      bool is_other = false;
      const Summary whole = summary_of(device_times(trainer.stream(), steps, [&] {
        is_other = !is_other;
        trainer.step(is_other ? others.view() : view);
      }));
      print_line(shape, kind, "step from host memory, lookup included", whole, view.num_events,
                 pool.most() - trainer.table_bytes(), first_loss, trainer.result().loss);
      // Making ready alone, copies, lookup and grouping included: must hide behind a step.
      std::vector<double> ready;
      for (int i = 0; i < steps; ++i) {
        trainer.result();
        const auto start = std::chrono::steady_clock::now();
        trainer.stage(i % 2 == 0 ? others.view() : view, *batch);
        const std::chrono::duration<double, std::milli> host =
            std::chrono::steady_clock::now() - start;
        check_cuda(cudaDeviceSynchronize(), "wait for the device");
        ready.push_back(host.count());
      }
      print_line(shape, kind, "making a batch ready (host time)", summary_of(ready),
                 view.num_events, 0, 0, 0);
    }
    print_stages(shape, kind, view, options);
  }
}

}  // namespace longer::bench
