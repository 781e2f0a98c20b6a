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
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr unsigned kTileRows = 3;  // same bits; checks would multiply the code of 12 rows
#else
inline constexpr unsigned kTileRows = kVecLanes == 16 ? 12 : 6;
#endif

/// Values of the largest tile: kTileRows of a panel, three rows of four registers, or one of eight.
inline constexpr int64_t kPanelTile = kTileRows * kPanel;
inline constexpr int64_t kWideTile = 3 * 4 * kVecLanes;
inline constexpr int64_t kTileFloats = kPanelTile > kWideTile ? kPanelTile : kWideTile;

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

/// One tile of at most kTileRows rows; `cols` as `for_tiles` gives them. Compiled once, in tile.cc.
template <bool kTransposed>
void multiply_one(const Product& p, int64_t rows, int64_t cols);

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
