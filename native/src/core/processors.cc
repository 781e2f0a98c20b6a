#include "core/processors.hpp"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace longer {
namespace {

std::string read_text(const std::string& path) {
  const std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

int rounded_up(int64_t quota, int64_t period) {
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<int>(std::min<int64_t>((quota + period - 1) / period, INT32_MAX));
}

/// Version 2: "max 100000" or "150000 100000".
int quota_of_v2(const std::string& folder) {
  std::istringstream text(read_text(folder + "/cpu.max"));
  int64_t quota = 0;
  int64_t period = 0;
  return text >> quota >> period ? rounded_up(quota, period) : 0;
}

/// Version 1: two files; no quota is -1.
int quota_of_v1(const std::string& folder) {
  std::istringstream quota_text(read_text(folder + "/cpu.cfs_quota_us"));
  std::istringstream period_text(read_text(folder + "/cpu.cfs_period_us"));
  int64_t quota = 0;
  int64_t period = 0;
  return quota_text >> quota && period_text >> period ? rounded_up(quota, period) : 0;
}

/// The smallest quota from `path` up to the mount point. Inside a container the path may be the
/// host's, whose folders are not there; the mount point itself then has the container's quota.
int smallest_quota(int (*quota_of)(const std::string&), const std::string& mount,
                   std::string path) {
  int smallest = 0;
  for (;;) {
    const int quota = quota_of(mount + path);
    if (quota > 0) smallest = smallest == 0 ? quota : std::min(smallest, quota);
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) return smallest;
    path.erase(slash);
  }
}

int affinity_processors() {
  // The kernel refuses sets smaller than its own, so grow until it accepts.
  for (int capacity = 1024; capacity <= 1 << 20; capacity *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<size_t>(capacity));
    if (set == nullptr) break;
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(capacity));
    const bool is_known = sched_getaffinity(0, bytes, set) == 0;
    const bool is_too_small = !is_known && errno == EINVAL;
    const int count = is_known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (is_known) return count;
    if (!is_too_small) break;
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

int cgroup_processors(const std::string& membership, const std::string& root) {
  int smallest = 0;
  const auto cap = [&smallest](int quota) {
    if (quota > 0) smallest = smallest == 0 ? quota : std::min(smallest, quota);
  };
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {  // "hierarchy:controllers:path"
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string path = line.substr(second + 1);
    while (!path.empty() && path.back() == '/') path.pop_back();
    if (controllers == ",,") {
      cap(smallest_quota(quota_of_v2, root, path));
    } else if (controllers.find(",cpu,") != std::string::npos) {
      for (const char* mount : {"/cpu,cpuacct", "/cpu"}) {
        cap(smallest_quota(quota_of_v1, root + mount, path));
      }
    }
  }
  return smallest;
}

int available_processors() {
  const int affinity = std::max(1, affinity_processors());
  const int quota = cgroup_processors(read_text("/proc/self/cgroup"), "/sys/fs/cgroup");
  return quota > 0 ? std::min(affinity, quota) : affinity;
}

}  // namespace longer
