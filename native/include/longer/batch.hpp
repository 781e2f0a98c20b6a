#pragma once
#include <cstdint>

#include "longer/c/longer.h"

namespace longer {

/// One feature of n events, requests or candidates; borrowed.
using Column = longer_column;

/// A ragged batch of requests as callers hand it in; borrowed for one call. Field for field
/// `longer_batch` of the C ABI. Histories run oldest → newest.
struct BatchView {
  int64_t num_requests = 0;                    // B
  int64_t num_events = 0;                      // ΣL
  int64_t num_candidates = 0;                  // ΣC
  const int64_t* event_offsets = nullptr;      // [B+1]
  const int64_t* candidate_offsets = nullptr;  // [B+1]
  const Column* event_columns = nullptr;       // [event features] of ΣL rows
  const int64_t* event_times =
      nullptr;  // [ΣL] epoch seconds; may be null when the time mode is NONE
  const int64_t* first_ordinals = nullptr;  // [B] ordinal of the first supplied event; null = 0
  const int64_t* reference_times =
      nullptr;  // [B] epoch seconds; may be null when the time mode is NONE
  const Column* user_columns = nullptr;       // [user then context features] of B rows
  const Column* candidate_columns = nullptr;  // [candidate features] of ΣC rows
  const float* labels = nullptr;   // [tasks, ΣC] 0…1, NaN = missing; null outside training
  const float* weights = nullptr;  // [ΣC] ≥ 0; null = 1
};

}  // namespace longer
