#include "core/cgroup.hpp"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <sstream>

namespace longer {
namespace {

std::string read_text(const std::string& path) {
  const std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

/// A limit that the files of a folder state; 0 = none.
using LimitOf = int64_t (*)(const std::string& folder);

int64_t rounded_up(int64_t quota, int64_t period) {
  if (quota <= 0 || period <= 0) return 0;
  return std::min<int64_t>((quota + period - 1) / period, INT32_MAX);
}

/// "max 100000" or "150000 100000".
int64_t quota_v2(const std::string& folder) {
  std::istringstream text(read_text(folder + "/cpu.max"));
  int64_t quota = 0;
  int64_t period = 0;
  return text >> quota >> period ? rounded_up(quota, period) : 0;
}

/// Two files; no quota is -1.
int64_t quota_v1(const std::string& folder) {
  std::istringstream quota_text(read_text(folder + "/cpu.cfs_quota_us"));
  std::istringstream period_text(read_text(folder + "/cpu.cfs_period_us"));
  int64_t quota = 0;
  int64_t period = 0;
  return quota_text >> quota && period_text >> period ? rounded_up(quota, period) : 0;
}

/// "max" or a number.
int64_t memory_v2(const std::string& folder) {
  std::istringstream text(read_text(folder + "/memory.max"));
  int64_t bytes = 0;
  return text >> bytes ? bytes : 0;
}

/// No limit is the largest number of whole pages.
int64_t memory_v1(const std::string& folder) {
  constexpr int64_t kNoLimit = int64_t{1} << 62;
  std::istringstream text(read_text(folder + "/memory.limit_in_bytes"));
  int64_t bytes = 0;
  return text >> bytes && bytes < kNoLimit ? bytes : 0;
}

int64_t smaller(int64_t a, int64_t b) {
  if (a <= 0 || b <= 0) return std::max(a, b);
  return std::min(a, b);
}

/// The smallest limit from `path` up to the mount point. Inside a container the path may be the
/// host's, whose folders are not there; the mount point itself then has the container's limit.
int64_t smallest_limit(LimitOf limit_of, const std::string& mount, std::string path) {
  int64_t smallest = 0;
  for (;;) {
    smallest = smaller(smallest, limit_of(mount + path));
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) return smallest;
    path.erase(slash);
  }
}

/// The limit of version 2 and of version 1's `controller` under its mount points, whichever the
/// membership names.
int64_t limit(const std::string& membership, const std::string& root, LimitOf v2, LimitOf v1,
              const std::string& controller, std::initializer_list<const char*> mounts) {
  int64_t smallest = 0;
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {  // "hierarchy:controllers:path"
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string path = line.substr(second + 1);
    while (!path.empty() && path.back() == '/') path.pop_back();
    if (controllers == ",,") {
      smallest = smaller(smallest, smallest_limit(v2, root, path));
    } else if (controllers.find("," + controller + ",") != std::string::npos) {
      for (const char* mount : mounts) {
        smallest = smaller(smallest, smallest_limit(v1, root + mount, path));
      }
    }
  }
  return smallest;
}

}  // namespace

std::string cgroup_membership() { return read_text("/proc/self/cgroup"); }

int cgroup_processors(const std::string& membership, const std::string& root) {
  return static_cast<int>(
      limit(membership, root, quota_v2, quota_v1, "cpu", {"/cpu,cpuacct", "/cpu"}));
}

int64_t cgroup_memory_bytes(const std::string& membership, const std::string& root) {
  return limit(membership, root, memory_v2, memory_v1, "memory", {"/memory"});
}

}  // namespace longer
