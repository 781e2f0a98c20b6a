#include <gnu/libc-version.h>
#include <sys/utsname.h>

#include <fstream>
#include <sstream>
#include <string>

#include "c_api/guard.hpp"
#include "core/cgroup.hpp"
#include "core/cpu_tier.hpp"
#include "core/thread_pool.hpp"
#include "core/xxh64.hpp"
#include "ops/backend.hpp"

using namespace longer;  // NOLINT(google-build-using-namespace): this file is the border between
                         // the two namings
using namespace longer::c_api;  // NOLINT(google-build-using-namespace)

namespace {

constexpr const char* kVersion = "0.1.0";
constexpr int32_t kAbiVersion = 2;

/// First line of a file, `otherwise` when it cannot be read.
std::string first_line(const char* path, const char* otherwise) {
  std::ifstream file(path);
  std::string line;
  return std::getline(file, line) ? line : otherwise;
}

/// A limit of the cgroup, 0 = none.
std::string limit_text(int64_t limit, const char* unit) {
  return limit > 0 ? std::to_string(limit) + " " + unit : "no limit";
}

std::string cpu_tiers() {
  std::string tiers;
  for (const CpuTier tier : {CpuTier::kPortable, CpuTier::kAvx2, CpuTier::kAvx512}) {
    if (tier <= best_cpu_tier())
      tiers += (tiers.empty() ? "" : " ") + std::string(cpu_tier_name(tier));
  }
  return tiers;
}

std::string doctor_report() {
  utsname system{};
  uname(&system);
  const CudaStatus cuda = cuda_status();
  std::ostringstream report;
  report << "longer: " << kVersion << " (ABI " << kAbiVersion << ")\n"
         << "system: " << system.sysname << ' ' << system.release << ' ' << system.machine << '\n'
         << "glibc: " << gnu_get_libc_version() << '\n'
         << "cpu tier: " << longer_cpu_tier() << " (runs: " << cpu_tiers() << ")\n"
         << "processors: " << ThreadPool::available_processors() << '\n'
         << "cgroup processors: "
         << limit_text(cgroup_processors(cgroup_membership(), kCgroupRoot), "(rounded up)") << '\n'
         << "cgroup memory limit: "
         << limit_text(cgroup_memory_bytes(cgroup_membership(), kCgroupRoot), "bytes") << '\n'
         << "cuda: " << cuda.detail << '\n'
         << "best device: " << (cuda.num_devices > 0 ? "cuda" : "cpu") << '\n'
         << "nvidia driver: " << first_line("/proc/driver/nvidia/version", "none") << '\n'
         << "live handles: " << live_handles().value() << '\n'
         << "native bytes: " << live_bytes().value() << '\n';
  return report.str();
}

}  // namespace

extern "C" {

const char* longer_version(void) { return kVersion; }

int32_t longer_abi_version(void) { return kAbiVersion; }

uint64_t longer_hash_id(const char* utf8, int64_t bytes) {
  return xxh64(utf8, utf8 == nullptr || bytes < 0 ? 0 : bytes);
}

int64_t longer_doctor(char* report_text, int64_t capacity) {
  int64_t needed = 0;
  const longer_status status = guarded(nullptr, [&] {
    const std::string report = doctor_report();
    needed = static_cast<int64_t>(report.size()) + 1;
    if (capacity <= 0 || report_text == nullptr) return LONGER_OK;
    const auto length = static_cast<size_t>(std::min(needed, capacity) - 1);
    std::memcpy(report_text, report.data(), length);
    report_text[length] = '\0';
    return LONGER_OK;
  });
  return status == LONGER_OK ? needed : 0;
}

int64_t longer_live_handles(void) { return live_handles().value(); }

int64_t longer_native_bytes(void) { return live_bytes().value(); }

const char* longer_cpu_tier(void) {
  const char* name = "unknown";
  guarded(nullptr, [&] {
    name = cpu_tier_name(cpu_tier());
    return LONGER_OK;
  });
  return name;
}

}  // extern "C"
