#pragma once
#include <cstdint>

namespace longer {

/// The keys a query row sees: [0, end) of its request's prefix ++ own rows, and key `self` unless
/// it is negative (self ≥ end). Covers causal rows, globals, and candidates that see the shared
/// keys and themselves (LONGER §3.5.2).
struct VisibleKeys {
  int32_t end;
  int32_t self;
};

}  // namespace longer
