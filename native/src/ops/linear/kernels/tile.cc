#include "ops/linear/kernels/tile.hpp"

namespace longer::LONGER_TIER {
namespace {

/// The inner loop; `load_last` reads the last register of a row of B, which may be narrower than a
/// register.
template <unsigned M, unsigned V, bool kTransposed, class LoadLast>
LONGER_INLINE void add_products(const Product& p, vec (&sum)[M][V], const LoadLast& load_last) {
  const int64_t lda = p.lda;
  const float* b = p.b;
  // Four rows share a pointer: the processor addresses base + {0, 1, 2, 3} · lda, so 12 rows need
  // few registers.
  const float* a[(M + 3) / 4];
#pragma GCC unroll 4
  for (unsigned g = 0; g < (M + 3) / 4; ++g) a[g] = p.a + (kTransposed ? 4 * g : 4 * g * lda);
  for (int64_t k = 0; k < p.k; ++k) {
    vec column[V];
#pragma GCC unroll 8
    for (unsigned v = 0; v < V; ++v) {
      const float* from = b + v * kVecLanes / kPanel * p.panel_stride + v * kVecLanes % kPanel;
      column[v] = v + 1 < V ? vec_load(from) : load_last(from);
    }
#pragma GCC unroll 16
    for (unsigned m = 0; m < M; ++m) {
      const vec x = vec_splat(a[m / 4][kTransposed ? m % 4 : m % 4 * lda]);
#pragma GCC unroll 8
      for (unsigned v = 0; v < V; ++v) sum[m][v] += x * column[v];
    }
    b += p.ldb;
#pragma GCC unroll 4
    for (unsigned g = 0; g < (M + 3) / 4; ++g) a[g] += kTransposed ? lda : 1;
  }
}

/// M rows by V registers; the last register has `last` lanes.
template <unsigned M, unsigned V, bool kTransposed>
LONGER_INLINE void multiply_tile(const Product& p, int64_t last) {
  vec sum[M][V];
#pragma GCC unroll 16
  for (unsigned m = 0; m < M; ++m) {
#pragma GCC unroll 8
    for (unsigned v = 0; v < V; ++v) {
      const float* c = p.c + m * p.ldc + v * kVecLanes;
      if (p.start == Start::kOutput) {
        sum[m][v] = v + 1 < V ? vec_load(c) : vec_load_partial(c, last);
      } else {
        sum[m][v] = p.start == Start::kRow ? vec_load(p.row + v * kVecLanes) : vec{};
      }
    }
  }
  if (last == kVecLanes) {
    add_products<M, V, kTransposed>(p, sum, [](const float* b) { return vec_load(b); });
  } else {
    add_products<M, V, kTransposed>(p, sum,
                                    [last](const float* b) { return vec_load_partial(b, last); });
  }
#pragma GCC unroll 16
  for (unsigned m = 0; m < M; ++m) {
#pragma GCC unroll 8
    for (unsigned v = 0; v < V; ++v) {
      float* c = p.c + m * p.ldc + v * kVecLanes;
      if (v + 1 < V || last == kVecLanes) {
        vec_store(c, sum[m][v]);
      } else {
        vec_store_partial(c, sum[m][v], last);
      }
    }
  }
}

/// A tile of `rows` rows, found among the instances of 1 … kMost rows.
template <unsigned kMost, unsigned V, bool kTransposed>
LONGER_INLINE void multiply_rows(const Product& p, int64_t rows, int64_t last) {
  if (rows == kMost) {
    multiply_tile<kMost, V, kTransposed>(p, last);
  } else if constexpr (kMost > 1) {
    multiply_rows<kMost - 1, V, kTransposed>(p, rows, last);
  }
}

}  // namespace

template <bool kTransposed>
void multiply_one(const Product& p, int64_t rows, int64_t cols) {
  const int64_t registers = (cols + kVecLanes - 1) / kVecLanes;
  const int64_t last = cols - (registers - 1) * kVecLanes;
  if (registers == 1) {
    multiply_rows<kTileRows, 1, kTransposed>(p, rows, last);
  } else if (registers == 2) {
    multiply_rows<kTileRows, 2, kTransposed>(p, rows, last);
  } else if (registers == 4) {
    multiply_rows<3, 4, kTransposed>(p, rows, last);
  } else {
    multiply_tile<1, 8, kTransposed>(p, last);
  }
}

template void multiply_one<false>(const Product& p, int64_t rows, int64_t cols);
template void multiply_one<true>(const Product& p, int64_t rows, int64_t cols);

}  // namespace longer::LONGER_TIER
