#pragma once
#include <string>

namespace longer {

/// The processors this process may use: CPU affinity, capped by the CPU quota of its cgroup and of
/// every parent; at least 1.
int available_processors();

/// The quota of the cgroup that `membership` (the text of /proc/self/cgroup) names, in processors
/// rounded up, under the mount point `root` (/sys/fs/cgroup); 0 without a quota. Understands
/// versions 1 and 2.
int cgroup_processors(const std::string& membership, const std::string& root);

}  // namespace longer
