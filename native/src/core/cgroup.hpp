#pragma once
#include <cstdint>
#include <string>

namespace longer {

// What the kernel lets this process use. `membership` is the text of /proc/self/cgroup, `root` the
// mount point of the cgroups it names; versions 1 and 2 are understood. A limit is the smallest of
// the cgroup's own and its parents'.

inline constexpr const char* kCgroupRoot = "/sys/fs/cgroup";
std::string cgroup_membership();

/// The CPU quota in processors, rounded up; 0 without a quota.
int cgroup_processors(const std::string& membership, const std::string& root);
/// The memory limit in bytes; 0 without a limit.
int64_t cgroup_memory_bytes(const std::string& membership, const std::string& root);

}  // namespace longer
