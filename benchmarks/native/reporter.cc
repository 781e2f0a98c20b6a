#include "reporter.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/cpu_tier.hpp"

namespace longer::bench {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_of(const std::function<void()>& body, int64_t calls) {
  const auto begin = Clock::now();
  for (int64_t i = 0; i < calls; ++i) body();
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

}  // namespace

Timing measure(const std::function<void()>& body) {
  constexpr double kSampleUs = 200.0;
  constexpr int kSamples = 30;
  int64_t calls = 1;
  while (microseconds_of(body, calls) < kSampleUs) calls *= 2;
  std::vector<double> samples(kSamples);
  for (double& sample : samples) sample = microseconds_of(body, calls) / static_cast<double>(calls);
  std::sort(samples.begin(), samples.end());
  const double median = samples[kSamples / 2];
  return {median, 100.0 * (samples[kSamples * 3 / 4] - samples[kSamples / 4]) / median};
}

void Reporter::add(const std::string& op, const std::string& shape, const Timing& timing, double flops, double bytes) {
  const double gflops = flops / timing.median_us * 1e-3;
  const double gigabytes = bytes / timing.median_us * 1e-3;
  const double percent = 100.0 * gflops / (peak_ * threads_);
  std::printf("%-24s %-34s %10.2f us %5.1f %% %8.1f GFLOP/s %7.1f GB/s %6.1f %% of peak\n", op.c_str(), shape.c_str(),
              timing.median_us, timing.noise_percent, gflops, gigabytes, percent);
  std::fflush(stdout);
  if (json_ == nullptr) return;
  std::fprintf(json_,
               "{\"op\":\"%s\",\"shape\":\"%s\",\"tier\":\"%s\",\"threads\":%d,\"us\":%.3f,\"noise_percent\":%.2f,"
               "\"gflops\":%.2f,\"gbytes_per_s\":%.2f,\"peak_gflops\":%.2f,\"percent_of_peak\":%.2f}\n",
               op.c_str(), shape.c_str(), cpu_tier_name(cpu_tier()), threads_, timing.median_us, timing.noise_percent,
               gflops, gigabytes, peak_ * threads_, percent);
  std::fflush(json_);
}

}  // namespace longer::bench
