#include "reporter.hpp"

#include <algorithm>
#include <ctime>
#include <vector>

#include "core/cpu_tier.hpp"

namespace longer::bench {
namespace {

double now_us(const ThreadPool* pool) {
  timespec time{};
  clock_gettime(pool == nullptr ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

double microseconds_of(const ThreadPool* pool, const std::function<void()>& body, int64_t calls) {
  const double begin = now_us(pool);
  for (int64_t i = 0; i < calls; ++i) body();
  return now_us(pool) - begin;
}

}  // namespace

Timing measure(const ThreadPool* pool, const std::function<void()>& body) {
  constexpr double kSampleUs = 200.0;
  constexpr int kSamples = 30;
  int64_t calls = 1;
  while (microseconds_of(pool, body, calls) < kSampleUs) calls *= 2;
  std::vector<double> samples(kSamples);
  for (double& sample : samples)
    sample = microseconds_of(pool, body, calls) / static_cast<double>(calls);
  std::sort(samples.begin(), samples.end());
  const double median = samples[kSamples / 2];
  return {median, samples[0], 100.0 * (samples[kSamples * 3 / 4] - samples[kSamples / 4]) / median};
}

void Reporter::add(const std::string& op, const std::string& shape, const Timing& timing,
                   double flops, double bytes) {
  const double gflops = flops / timing.median_us * 1e-3;
  const double gigabytes = bytes / timing.median_us * 1e-3;
  const double percent = 100.0 * gflops / (peak_ * threads_);
  std::printf(
      "%-24s %-34s %10.2f us  best %10.2f us %5.1f %% %8.1f GFLOP/s %7.1f GB/s %6.1f %% of peak\n",
      op.c_str(), shape.c_str(), timing.median_us, timing.best_us, timing.noise_percent, gflops,
      gigabytes, percent);
  std::fflush(stdout);
  if (json_ == nullptr) return;
  std::fprintf(
      json_,
      "{\"op\":\"%s\",\"shape\":\"%s\",\"tier\":\"%s\",\"threads\":%d,\"us\":%.3f,\"best_us\":%.3f,"
      "\"noise_percent\":%.2f,"
      "\"gflops\":%.2f,\"gbytes_per_s\":%.2f,\"peak_gflops\":%.2f,\"percent_of_peak\":%.2f}\n",
      op.c_str(), shape.c_str(), cpu_tier_name(cpu_tier()), threads_, timing.median_us,
      timing.best_us, timing.noise_percent, gflops, gigabytes, peak_ * threads_, percent);
  std::fflush(json_);
}

}  // namespace longer::bench
