#include "core/processors.hpp"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "core/cgroup.hpp"

namespace longer {
namespace {

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

int available_processors() {
  const int affinity = std::max(1, affinity_processors());
  const int quota = cgroup_processors(cgroup_membership(), kCgroupRoot);
  return quota > 0 ? std::min(affinity, quota) : affinity;
}

}  // namespace longer
