#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/cpu_tier.hpp"

namespace longer::testing {

/// The tiers this processor runs, portable first.
inline std::vector<CpuTier> available_tiers() {
  std::vector<CpuTier> tiers;
  for (const CpuTier tier : {CpuTier::kPortable, CpuTier::kAvx2, CpuTier::kAvx512}) {
    if (tier <= best_cpu_tier()) tiers.push_back(tier);
  }
  return tiers;
}

/// Names a test after its tier.
inline std::string tier_name(const ::testing::TestParamInfo<CpuTier>& info) {
  return cpu_tier_name(info.param);
}

/// Forces a tier until the end of the scope.
class ForcedTier {
 public:
  explicit ForcedTier(CpuTier tier) : before_(cpu_tier()) { force_cpu_tier(tier); }
  ~ForcedTier() { force_cpu_tier(before_); }
  ForcedTier(const ForcedTier&) = delete;
  ForcedTier& operator=(const ForcedTier&) = delete;

 private:
  CpuTier before_;
};

/// A test that runs once per available tier, with that tier forced.
class OnEachTier : public ::testing::TestWithParam<CpuTier> {
 private:
  ForcedTier forced_{GetParam()};
};

}  // namespace longer::testing
