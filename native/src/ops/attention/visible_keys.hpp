#pragma once
#include <cstdint>

namespace longer {

/// The keys a query row sees: [0, end) and [own_begin, own_end) of its request's prefix ++ own
/// rows; the second range is empty or begins at `end` or later. Covers causal rows, globals, and a
/// candidate's rows, which see the shared keys and those of its own block (LONGER §3.5.2).
struct VisibleKeys {
  int32_t end;
  int32_t own_begin;
  int32_t own_end;
};

}  // namespace longer
