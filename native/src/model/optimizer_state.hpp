#pragma once
#include "core/aligned_buffer.hpp"

namespace longer {

/// AdamW's moments, laid out as the parameter arena, and the steps done. Row-wise Adagrad's state
/// lies in the tables.
struct OptimizerState {
  explicit OptimizerState(int64_t arena_size)
      : first_moment(arena_size), second_moment(arena_size) {}
  AlignedBuffer first_moment;
  AlignedBuffer second_moment;
  int64_t step = 0;
};

}  // namespace longer
