#pragma once
#include <cstdint>

namespace longer {

/// Where the side rows stand (native/docs/model.md, "Global and candidate rows"). Request b owns
/// rows [offsets[b], offsets[b + 1]): `request_rows` that it has once, then a block of `block_rows`
/// for each of its candidates.
struct SideLayout {
  int64_t num_requests = 0;
  const int32_t* offsets = nullptr;  // [B + 1]
  int64_t request_rows = 0;
  int64_t block_rows = 1;

  constexpr int64_t num_candidates(int64_t b) const {
    return (offsets[b + 1] - offsets[b] - request_rows) / block_rows;
  }
  /// Number in the batch of the first candidate of request b.
  constexpr int64_t first_candidate(int64_t b) const {
    return (offsets[b] - b * request_rows) / block_rows;
  }
  /// First row of candidate c (0 = the request's first) of request b.
  constexpr int64_t block(int64_t b, int64_t c) const {
    return offsets[b] + request_rows + c * block_rows;
  }
};

}  // namespace longer
