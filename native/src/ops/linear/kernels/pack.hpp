#pragma once
// Rows into the panels that the register tile reads.
#include "core/vec.hpp"
#include "ops/linear/kernels/tile.hpp"

namespace longer::LONGER_TIER {

/// panels[c / P][r][c mod P] = rows[r][c]; missing columns of the last panel are 0.
inline void pack_rows(const float* rows, int64_t stride, int64_t num_rows, int64_t cols,
                      float* panels) {
  for (int64_t c = 0; c < cols; c += kPanel) {
    const int64_t width = cols - c < kPanel ? cols - c : kPanel;
    for (int64_t r = 0; r < num_rows; ++r, panels += kPanel) {
      const float* from = rows + r * stride + c;
      for (int64_t i = 0; i < kPanel; i += kVecLanes) {
        const int64_t lanes = width - i;
        vec_store(panels + i, lanes >= kVecLanes ? vec_load(from + i)
                              : lanes > 0        ? vec_load_partial(from + i, lanes)
                                                 : vec{});
      }
    }
  }
}

/// panel[e][m] = scale · row_of(m)[e] for the lanes of `columns`; zeros where row_of(m) is null.
template <class RowOf>
LONGER_INLINE void pack_columns(const RowOf& row_of, int64_t columns, int64_t width, float scale,
                                float* panel) {
  for (int64_t m = 0; m < columns; m += kVecLanes) {
    const float* rows[kVecLanes];
    for (int64_t i = 0; i < kVecLanes; ++i) rows[i] = row_of(m + i);
    for_vecs(width, [&](int64_t e, int64_t lanes) {
      vec block[kVecLanes];
#pragma GCC unroll 16
      for (int64_t i = 0; i < kVecLanes; ++i) {
        block[i] = rows[i] == nullptr ? vec{} : vec_load(rows[i] + e, lanes) * scale;
      }
      vec_transpose(block);
#pragma GCC unroll 16
      for (int64_t i = 0; i < kVecLanes; ++i) {
        if (i < lanes) vec_store(panel + (e + i) * kPanel + m, block[i]);
      }
    });
  }
}

}  // namespace longer::LONGER_TIER
