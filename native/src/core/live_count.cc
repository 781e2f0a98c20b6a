#include "core/live_count.hpp"

namespace longer {

LiveCount& live_handles() {
  static LiveCount count;
  return count;
}

LiveCount& live_bytes() {
  static LiveCount count;
  return count;
}

}  // namespace longer
