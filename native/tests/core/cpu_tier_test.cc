#include "core/cpu_tier.hpp"

#include <gtest/gtest.h>

#include "longer/error.hpp"
#include "support/cpu_tiers.hpp"

namespace longer {
namespace {

TEST(CpuTier, ForcedTierChoosesTheTable) {
  for (const CpuTier tier : testing::available_tiers()) {
    const testing::ForcedTier forced(tier);
    EXPECT_EQ(cpu_tier(), tier);
    EXPECT_EQ(for_cpu_tier<int>(0, 1, 2), static_cast<int>(tier));
  }
}

TEST(CpuTier, NamesAreThoseOfTheEnvironmentVariable) {
  EXPECT_STREQ(cpu_tier_name(CpuTier::kPortable), "portable");
  EXPECT_STREQ(cpu_tier_name(CpuTier::kAvx2), "avx2");
  EXPECT_STREQ(cpu_tier_name(CpuTier::kAvx512), "avx512");
}

TEST(CpuTier, TierThatCannotRunHereIsUnsupported) {
  if (best_cpu_tier() == CpuTier::kAvx512) GTEST_SKIP() << "this processor runs every tier";
  EXPECT_THROW(force_cpu_tier(CpuTier::kAvx512), Error);
}

}  // namespace
}  // namespace longer
