// longer_bench [--threads N] [--json FILE] [--only OP]: times the CPU kernels against the
// processor's peak. Data stays in the caches between calls ("hot"), as it does between the stages
// of a pass.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "core/cpu_tier.hpp"
#include "reporter.hpp"

namespace {

struct Benchmark {
  const char* name;
  void (*run)(longer::ThreadPool*, longer::bench::Reporter&);
};

constexpr Benchmark kBenchmarks[] = {{"linear", longer::bench::bench_linear},
                                     {"layer_norm", longer::bench::bench_layer_norm},
                                     {"attention", longer::bench::bench_attention},
                                     {"event_encoder", longer::bench::bench_event_encoder},
                                     {"training", longer::bench::bench_training},
                                     {"append", longer::bench::bench_append}};

int usage() {
  std::fprintf(stderr, "usage: longer_bench [--threads N] [--json FILE] [--only OP]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  int threads = 0;  // 0 = no pool
  std::string json_path;
  std::string only;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--threads") == 0) {
      threads = std::atoi(argv[i + 1]);
    } else if (std::strcmp(argv[i], "--json") == 0) {
      json_path = argv[i + 1];
    } else if (std::strcmp(argv[i], "--only") == 0) {
      only = argv[i + 1];
    } else {
      return usage();
    }
  }
  if (argc % 2 == 0 || threads < 0) return usage();
  std::FILE* json = json_path.empty() ? nullptr : std::fopen(json_path.c_str(), "a");
  if (!json_path.empty() && json == nullptr) {
    std::perror(json_path.c_str());
    return 2;
  }
  const auto pool = threads == 0 ? nullptr : std::make_unique<longer::ThreadPool>(threads);
  const double peak = longer::bench::measure_fma_peak();
  std::printf("tier %s, %d thread(s), multiply-add peak of one thread %.1f GFLOP/s\n",
              longer::cpu_tier_name(longer::cpu_tier()), threads == 0 ? 1 : threads, peak);
  longer::bench::Reporter reporter(peak, threads == 0 ? 1 : threads, json);
  bool found = only.empty();
  for (const Benchmark& benchmark : kBenchmarks) {
    if (!only.empty() && only != benchmark.name) continue;
    found = true;
    benchmark.run(pool.get(), reporter);
  }
  if (json != nullptr) std::fclose(json);
  return found ? 0 : usage();
}
