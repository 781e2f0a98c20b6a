#pragma once
// The register tile behind every matrix product of the CPU kernels: C = start + A·B, each element
// one chain of fused multiply-adds over k in order. So a value's bits depend on its row of A and
// its column of B alone: not on the shape of the tile that computed it, nor on how the k range was
// cut into calls.
#include <cstdint>

#include "core/vec.hpp"

namespace longer::LONGER_TIER {

/// Columns of a packed panel; a multiple of every tier's register.
inline constexpr int64_t kPanel = 32;
/// Rows of the widest tile: two registers of B a row, so that sums, B and one broadcast fit the
/// register file (32 registers with AVX-512, 16 below). Twelve sums also cover the latency of the
/// multiply-add (4 cycles, 2 a cycle).
inline constexpr unsigned kTileRows = kVecLanes == 16 ? 12 : 6;

/// Values of the largest tile: kTileRows of a panel, or one row of eight registers.
inline constexpr int64_t kTileFloats =
    kTileRows * kPanel > 8 * kVecLanes ? kTileRows* kPanel : 8 * kVecLanes;

/// Where the sums start.
enum class Start { kZero, kRow, kOutput };

/// One product. A[m, k] is a[m · lda + k], or a[k · lda + m] when transposed. B[k, n] is
/// b[(n / kPanel) · panel_stride + k · ldb + n mod kPanel]: packed panels, or plain rows with
/// panel_stride = kPanel.
struct Product {
  const float* a;
  int64_t lda;
  const float* b;
  int64_t ldb;
  int64_t panel_stride;
  int64_t k;
  float* c;
  int64_t ldc;
  Start start;
  const float* row;  // [cols rounded up to kPanel] with kRow
};

/// `p` moved to row r and column c.
LONGER_INLINE Product at(const Product& p, bool is_transposed, int64_t r, int64_t c) {
  Product moved = p;
  moved.a += is_transposed ? r : r * p.lda;
  moved.b += c / kPanel * p.panel_stride + c % kPanel;
  moved.c += r * p.ldc + c;
  if (p.start == Start::kRow) moved.row += c;
  return moved;
}

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

/// One tile of at most kTileRows rows; `cols` as `for_tiles` gives them.
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

/// visit(r, rows, c, cols) for tiles that cover `rows` × `cols`, panel by panel, so that a panel
/// stays in the first-level cache while the rows pass. One to three rows take more columns at once:
/// a few long chains would wait for each other.
template <class Visit>
LONGER_INLINE void for_tiles(int64_t rows, int64_t cols, const Visit& visit) {
  const int64_t widest = rows == 1 ? 8 : rows <= 3 ? 4 : 2;
  const int64_t row_tiles = (rows + kTileRows - 1) / kTileRows;
  for (int64_t c = 0; c < cols;) {
    int64_t registers = widest;
    while (registers > (cols - c + kVecLanes - 1) / kVecLanes) registers /= 2;
    const int64_t width = registers * kVecLanes < cols - c ? registers * kVecLanes : cols - c;
    for (int64_t t = 0; t < row_tiles; ++t) {  // of even height: 13 rows are 7 + 6
      const int64_t r = rows * t / row_tiles;
      visit(r, rows * (t + 1) / row_tiles - r, c, width);
    }
    c += width;
  }
}

template <bool kTransposed>
void multiply(const Product& p, int64_t rows, int64_t cols) {
  for_tiles(rows, cols, [&](int64_t r, int64_t tile_rows, int64_t c, int64_t tile_cols) {
    multiply_one<kTransposed>(at(p, kTransposed, r, c), tile_rows, tile_cols);
  });
}

}  // namespace longer::LONGER_TIER
