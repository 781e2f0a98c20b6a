#pragma once

namespace longer {

/// The processors this process may use: CPU affinity, capped by the CPU quota of its cgroup and of
/// every parent; at least 1.
int available_processors();

}  // namespace longer
