#pragma once

namespace longer {

/// Instruction sets the CPU kernels are built for; each kernel source is compiled once per tier.
enum class CpuTier { kPortable = 0, kAvx2 = 1, kAvx512 = 2 };

/// The tier in use: the best one this processor runs, or a lower one forced by the environment
/// variable LONGER_CPU_TIER (portable, avx2, avx512) or by `force_cpu_tier`. Throws Unsupported
/// when the forced tier cannot run here.
CpuTier cpu_tier();
CpuTier best_cpu_tier();
const char* cpu_tier_name(CpuTier tier);
/// For tests: kernels looked up after the call come from `tier`.
void force_cpu_tier(CpuTier tier);

/// The one of three kernel tables that belongs to the tier in use.
template <class Table>
const Table& for_cpu_tier(const Table& portable, const Table& avx2, const Table& avx512) {
  switch (cpu_tier()) {
    case CpuTier::kAvx512:
      return avx512;
    case CpuTier::kAvx2:
      return avx2;
    case CpuTier::kPortable:
      break;
  }
  return portable;
}

}  // namespace longer
