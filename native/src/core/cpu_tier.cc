#include "core/cpu_tier.hpp"

#include <atomic>
#include <cstdlib>
#include <string_view>

#include "longer/error.hpp"

namespace longer {
namespace {

void check_runs_here(CpuTier tier) {
  if (tier > best_cpu_tier()) {
    fail(Status::kUnsupported, "[cpu_tier] this processor cannot run ", cpu_tier_name(tier),
         "; its best tier is ", cpu_tier_name(best_cpu_tier()));
  }
}

CpuTier initial_cpu_tier() {
  const char* forced = std::getenv("LONGER_CPU_TIER");
  if (forced == nullptr || *forced == '\0') return best_cpu_tier();
  for (const CpuTier tier : {CpuTier::kPortable, CpuTier::kAvx2, CpuTier::kAvx512}) {
    if (std::string_view(forced) == cpu_tier_name(tier)) {
      check_runs_here(tier);
      return tier;
    }
  }
  fail(Status::kInvalidArgument,
       "[cpu_tier] LONGER_CPU_TIER must be portable, avx2 or avx512; got ", forced);
}

std::atomic<CpuTier>& current_cpu_tier() {
  static std::atomic<CpuTier> tier{initial_cpu_tier()};
  return tier;
}

}  // namespace

CpuTier best_cpu_tier() {
  static const CpuTier best = [] {
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool has_avx512 =
        __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    if (has_avx2 && has_avx512) return CpuTier::kAvx512;
    return has_avx2 ? CpuTier::kAvx2 : CpuTier::kPortable;
  }();
  return best;
}

CpuTier cpu_tier() { return current_cpu_tier().load(std::memory_order_relaxed); }

const char* cpu_tier_name(CpuTier tier) {
  switch (tier) {
    case CpuTier::kAvx2:
      return "avx2";
    case CpuTier::kAvx512:
      return "avx512";
    case CpuTier::kPortable:
      break;
  }
  return "portable";
}

void force_cpu_tier(CpuTier tier) {
  check_runs_here(tier);
  current_cpu_tier().store(tier, std::memory_order_relaxed);
}

}  // namespace longer
