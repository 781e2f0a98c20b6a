#pragma once
#include <cstdint>

namespace longer {

/// A ragged batch of requests as callers hand it in; borrowed for one call. Field for field
/// `longer_batch` of the C ABI.
///
/// Histories run oldest → newest. Columns are feature-major: feature f of event i is `event_ids[f *
/// num_events + i]`.
struct BatchView {
  int64_t num_requests = 0;                    // B
  int64_t num_events = 0;                      // ΣL
  int64_t num_candidates = 0;                  // ΣC
  const int64_t* event_offsets = nullptr;      // [B+1]
  const int64_t* candidate_offsets = nullptr;  // [B+1]
  const int64_t* event_ids = nullptr;          // [event features, ΣL]
  const int64_t* event_times =
      nullptr;  // [ΣL] epoch seconds; may be null when the time mode is NONE
  const int64_t* first_ordinals = nullptr;  // [B] ordinal of the first supplied event; null = 0
  const int64_t* reference_times =
      nullptr;                        // [B] epoch seconds; may be null when the time mode is NONE
  const int64_t* user_ids = nullptr;  // [user then context features, B]
  const int64_t* candidate_ids = nullptr;  // [candidate features, ΣC]
  const float* labels = nullptr;   // [tasks, ΣC] 0…1, NaN = missing; null outside training
  const float* weights = nullptr;  // [ΣC] ≥ 0; null = 1
};

}  // namespace longer
