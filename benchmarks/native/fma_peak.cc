#include <algorithm>
#include <chrono>

#include "core/cpu_tier.hpp"
#include "reporter.hpp"

namespace longer::bench {
namespace {

// Twelve independent chains: more than latency × throughput of any processor here needs.
constexpr int kChains = 12;
constexpr int64_t kRounds = 200000;

template <class Vector>
__attribute__((always_inline)) inline float chains() {
  Vector sum[kChains];
  for (int i = 0; i < kChains; ++i) sum[i] = Vector{} + static_cast<float>(i);
  Vector factor = Vector{} + 0.999F;
  Vector term = Vector{} + 0.001F;
  for (int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sum[i] = sum[i] * factor + term;
  }
  float total = 0.0F;
  for (int i = 0; i < kChains; ++i) total += sum[i][0];
  return total;
}

using Float4 = float __attribute__((vector_size(16)));
using Float8 = float __attribute__((vector_size(32)));
using Float16 = float __attribute__((vector_size(64)));

float run_portable() { return chains<Float4>(); }
__attribute__((target("avx2,fma"))) float run_avx2() { return chains<Float8>(); }
__attribute__((target("avx512f"))) float run_avx512() { return chains<Float16>(); }

struct Loop {
  float (*run)();
  int lanes;
};

}  // namespace

double measure_fma_peak() {
  const Loop portable{run_portable, 4};
  const Loop avx2{run_avx2, 8};
  const Loop avx512{run_avx512, 16};
  const Loop& loop = for_cpu_tier(portable, avx2, avx512);
  double best = 0.0;
  for (int sample = 0; sample < 40; ++sample) {
    const auto begin = std::chrono::steady_clock::now();
    volatile float keep = loop.run();
    (void)keep;
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
    best = std::max(best, 2.0 * kChains * kRounds * loop.lanes / time.count());
  }
  return best;
}

}  // namespace longer::bench
