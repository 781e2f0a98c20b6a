#pragma once
#include "core/bf16.hpp"
#include "ops/linear/gelu_cuda.cuh"
#include "ops/linear/linear_bf16_cuda.hpp"
#include "ops/tensor_core.cuh"

/// The tiled product behind linear_bf16_cuda.hpp.
namespace longer {

inline constexpr int kProductThreads = 128;  // four warps, each a quarter of the tile
inline constexpr int kProductDepth = 64;     // of a step
inline constexpr int kProductStages = 3;     // steps in shared memory

/// A factor of c[i][j] = Σ_k a(i, k) · b(j, k): element (i, k) is column k of row i, or,
/// transposed, column i of row k.
struct Bf16Factor {
  const Bf16* data;
  int64_t stride;
  const int32_t* rows;  // numbers of the rows, null = all in order
  int count;            // of i
};

/// Where the partial sums of a weight gradient go.
struct ProductParts {
  float* sums = nullptr;    // [parts, m, n]
  float* a_sums = nullptr;  // [parts, m] sums of a over its part of k; may be null
  int depth = 0;            // of a part, a multiple of kProductDepth
};

template <int kTile>
constexpr int product_shared_bytes() {
  return kProductStages * 2 * kTile * kProductDepth * 2;
}

/// One step's tile of a factor in shared memory: `kTile` × kProductDepth, or transposed; 16-byte
/// chunks of a row change places with the row's number, so that eight rows fill all banks.
template <int kTile, bool kTransposed>
struct ProductTile {
  static constexpr int kChunks = kTransposed ? kTile / 8 : kProductDepth / 8;  // of a row
  static constexpr int kRows = kTransposed ? kProductDepth : kTile;
  static constexpr int kCopies = kRows * kChunks / kProductThreads;  // of a thread
  static constexpr int kRowStep = kProductThreads / kChunks;

  static __device__ __forceinline__ int place(int row, int chunk) {
    return (row * kChunks + (chunk ^ (row & 7))) * 8;
  }

  /// Starts to copy steps [begin, begin + kProductDepth) of rows first, first + 1, … of the factor.
  static __device__ __forceinline__ void load(Bf16* tile, const Bf16Factor& f, int first, int begin,
                                              int end) {
    const int chunk = static_cast<int>(threadIdx.x) % kChunks;
    const int in_tile = static_cast<int>(threadIdx.x) / kChunks;
    const int column = (kTransposed ? first : begin) + chunk * 8;
    const bool is_column = column < (kTransposed ? f.count : end);
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      const int row = in_tile + i * kRowStep;
      const int number = (kTransposed ? begin : first) + row;
      const bool is_inside = is_column && number < (kTransposed ? end : f.count);
      const int64_t from = !is_inside ? 0 : f.rows != nullptr ? f.rows[number] : number;
      copy_async(tile + place(row, chunk), f.data + from * f.stride + (is_inside ? column : 0),
                 is_inside);
    }
  }

  /// Fragment a of rows row … row + 15, steps k … k + 15.
  static __device__ __forceinline__ void load_a(uint32_t (&a)[4], const Bf16* tile, int row,
                                                int k) {
    const int lane = static_cast<int>(threadIdx.x) & 31;
    if constexpr (kTransposed) {
      load_matrices_transposed(
          a, tile + place(k + (lane & 7) + (lane >> 4) * 8, row / 8 + (lane >> 3 & 1)));
    } else {
      load_matrices(a, tile + place(row + (lane & 15), k / 8 + (lane >> 4)));
    }
  }
  /// Fragments b of rows row … row + 7 (b[0], b[1]) and the eight behind them.
  static __device__ __forceinline__ void load_b(uint32_t (&b)[4], const Bf16* tile, int row,
                                                int k) {
    const int lane = static_cast<int>(threadIdx.x) & 31;
    if constexpr (kTransposed) {
      load_matrices_transposed(
          b, tile + place(k + (lane & 7) + (lane >> 3 & 1) * 8, row / 8 + (lane >> 4)));
    } else {
      load_matrices(b, tile + place(row + (lane & 7) + (lane >> 4) * 8, k / 8 + (lane >> 3 & 1)));
    }
  }
};

/// Results of a warp's quarter, in fragments, to where the epilogue says.
template <int kTile>
struct ProductEpilogue {
  static constexpr int kWarp = kTile / 2;
  using Sums = float[kWarp / 16][kWarp / 8][4];

  /// body(sums' pair, row, column) for the pairs inside [m, n]; coordinates in the tile.
  template <class Body>
  static __device__ __forceinline__ void for_pairs(Sums& sums, int row_end, int column_end,
                                                   const Body& body) {
    const int lane = static_cast<int>(threadIdx.x) & 31;
    const int warp = static_cast<int>(threadIdx.x) / 32;
#pragma unroll
    for (int i = 0; i < kWarp / 16; ++i) {
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int row = warp / 2 * kWarp + i * 16 + h * 8 + lane / 4;
#pragma unroll
        for (int j = 0; j < kWarp / 8; ++j) {
          const int column = warp % 2 * kWarp + j * 8 + lane % 4 * 2;
          if (row < row_end && column < column_end) {
            body(sums[i][j][2 * h], sums[i][j][2 * h + 1], row, column);
          }
        }
      }
    }
  }

  /// The sums, rounded, to rows of `to` by way of shared memory: whole lines are written.
  static __device__ __forceinline__ void store(Bf16* tile, Sums& sums, const Bf16View& to,
                                               const int32_t* rows, int first_row, int first_column,
                                               int row_end, int column_end) {
    constexpr int kChunks = kTile / 8;
    __syncthreads();
    for_pairs(sums, kTile, kTile, [&](float low, float high, int row, int column) {
      const int place = (row * kChunks + (column / 8 ^ (row & 7))) * 8 + column % 8;
      *reinterpret_cast<uint32_t*>(tile + place) = pack_bf16(low, high);
    });
    __syncthreads();
    for (int at = static_cast<int>(threadIdx.x); at < kTile * kChunks; at += kProductThreads) {
      const int row = at / kChunks;
      const int chunk = at % kChunks;
      if (row >= row_end || chunk * 8 >= column_end) continue;
      const int64_t number = rows != nullptr ? rows[first_row + row] : first_row + row;
      *reinterpret_cast<uint4*>(to.data + number * to.stride + first_column + chunk * 8) =
          *reinterpret_cast<const uint4*>(tile + (row * kChunks + (chunk ^ (row & 7))) * 8);
    }
  }

  static __device__ __forceinline__ void run(const Bf16Epilogue& e, Bf16* tile, Sums& sums,
                                             int first_row, int first_column, int row_end,
                                             int column_end) {
    if (e.bias != nullptr) {
      for_pairs(sums, row_end, column_end, [&](float& low, float& high, int, int column) {
        const float2 bias = *reinterpret_cast<const float2*>(e.bias + first_column + column);
        low += bias.x;
        high += bias.y;
      });
    }
    if (e.pre_activation.data != nullptr) {
      store(tile, sums, e.pre_activation, nullptr, first_row, first_column, row_end, column_end);
    }
    if (e.is_gelu) {
      for_pairs(sums, row_end, column_end, [&](float& low, float& high, int, int) {
        low = fast_gelu(low);
        high = fast_gelu(high);
      });
    }
    if (e.gelu_input.data != nullptr) {
      for_pairs(sums, row_end, column_end, [&](float& low, float& high, int row, int column) {
        const int64_t at = first_row + row;
        const uint32_t pair = *reinterpret_cast<const uint32_t*>(
            e.gelu_input.data + at * e.gelu_input.stride + first_column + column);
        const float input[2] = {__uint_as_float(pair << 16), __uint_as_float(pair & 0xFFFF0000U)};
        if (e.gelu_output.data != nullptr) {
          *reinterpret_cast<uint32_t*>(e.gelu_output.data + at * e.gelu_output.stride +
                                       first_column + column) =
              pack_bf16(fast_gelu(input[0]), fast_gelu(input[1]));
        }
        low *= fast_gelu_gradient(input[0]);
        high *= fast_gelu_gradient(input[1]);
      });
    }
    if (e.residual.data != nullptr) {
      for_pairs(sums, row_end, column_end, [&](float& low, float& high, int row, int column) {
        const int64_t number =
            e.residual_rows != nullptr ? e.residual_rows[first_row + row] : first_row + row;
        const float2 add = *reinterpret_cast<const float2*>(
            e.residual.data + number * e.residual.stride + first_column + column);
        low += add.x;
        high += add.y;
      });
    }
    if (e.out.data != nullptr) {
      if (e.is_accumulating) {
        for_pairs(sums, row_end, column_end, [&](float& low, float& high, int row, int column) {
          const int64_t number =
              e.out_rows != nullptr ? e.out_rows[first_row + row] : first_row + row;
          const uint32_t pair = *reinterpret_cast<const uint32_t*>(
              e.out.data + number * e.out.stride + first_column + column);
          low += __uint_as_float(pair << 16);
          high += __uint_as_float(pair & 0xFFFF0000U);
        });
      }
      store(tile, sums, e.out, e.out_rows, first_row, first_column, row_end, column_end);
    } else {
      for_pairs(sums, row_end, column_end, [&](float low, float high, int row, int column) {
        const int64_t number =
            e.out_rows != nullptr ? e.out_rows[first_row + row] : first_row + row;
        auto* to = reinterpret_cast<float2*>(e.out_f32.data + number * e.out_f32.stride +
                                             first_column + column);
        const float2 old = e.is_accumulating ? *to : float2{0.0F, 0.0F};
        *to = float2{old.x + low, old.y + high};
      });
    }
  }
};

/// Grid: (tiles of columns, tiles of rows, parts of the depth). Neighbouring blocks share the rows
/// of a. kParts: sums go to `parts`, else through the epilogue.
template <int kTile, bool kTransposedA, bool kTransposedB, bool kParts>
__global__ void __launch_bounds__(kProductThreads, 2)
    bf16_product_kernel(Bf16Factor a, Bf16Factor b, int depth, Bf16Epilogue epilogue,
                        ProductParts parts) {
  using A = ProductTile<kTile, kTransposedA>;
  using B = ProductTile<kTile, kTransposedB>;
  constexpr int kWarp = kTile / 2;
  constexpr int kElements = kTile * kProductDepth;  // of a step's tile
  constexpr uint32_t kOnes = 0x3F803F80U;
  extern __shared__ uint4 shared[];
  auto* tiles = reinterpret_cast<Bf16*>(shared);
  const int first_row = static_cast<int>(blockIdx.y) * kTile;
  const int first_column = static_cast<int>(blockIdx.x) * kTile;
  const int begin = kParts ? static_cast<int>(blockIdx.z) * parts.depth : 0;
  const int end = kParts ? min(depth, begin + parts.depth) : depth;
  const int steps = (end - begin + kProductDepth - 1) / kProductDepth;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int warp_row = warp / 2 * kWarp;
  const int warp_column = warp % 2 * kWarp;

  auto load = [&](int step) {
    if (step < steps) {
      Bf16* tile = tiles + step % kProductStages * 2 * kElements;
      A::load(tile, a, first_row, begin + step * kProductDepth, end);
      B::load(tile + kElements, b, first_column, begin + step * kProductDepth, end);
    }
    commit_copies();
  };
  float sums[kWarp / 16][kWarp / 8][4] = {};
  [[maybe_unused]] float a_sums[kWarp / 16][4] = {};
  const bool sums_a = kParts && parts.a_sums != nullptr && blockIdx.x == 0 && warp % 2 == 0;
  for (int step = 0; step < kProductStages - 1; ++step) load(step);
  for (int step = 0; step < steps; ++step) {
    wait_copies<kProductStages - 2>();
    __syncthreads();
    load(step + kProductStages - 1);
    const Bf16* tile = tiles + step % kProductStages * 2 * kElements;
#pragma unroll
    for (int k = 0; k < kProductDepth; k += 16) {
      uint32_t a_rows[kWarp / 16][4];
#pragma unroll
      for (int i = 0; i < kWarp / 16; ++i) A::load_a(a_rows[i], tile, warp_row + i * 16, k);
#pragma unroll
      for (int j = 0; j < kWarp / 16; ++j) {
        uint32_t b_rows[4];
        B::load_b(b_rows, tile + kElements, warp_column + j * 16, k);
#pragma unroll
        for (int i = 0; i < kWarp / 16; ++i) {
          mma_bf16(sums[i][2 * j], a_rows[i], b_rows[0], b_rows[1]);
          mma_bf16(sums[i][2 * j + 1], a_rows[i], b_rows[2], b_rows[3]);
        }
      }
      if constexpr (kParts) {
        if (sums_a) {
#pragma unroll
          for (int i = 0; i < kWarp / 16; ++i) mma_bf16(a_sums[i], a_rows[i], kOnes, kOnes);
        }
      }
    }
  }
  const int row_end = a.count - first_row;
  const int column_end = b.count - first_column;
  using Epilogue = ProductEpilogue<kTile>;
  if constexpr (kParts) {
    float* out = parts.sums + static_cast<int64_t>(blockIdx.z) * a.count * b.count;
    Epilogue::for_pairs(sums, row_end, column_end, [&](float low, float high, int row, int column) {
      *reinterpret_cast<float2*>(out + static_cast<int64_t>(first_row + row) * b.count +
                                 first_column + column) = float2{low, high};
    });
    if (sums_a && threadIdx.x % 4 == 0) {
#pragma unroll
      for (int i = 0; i < kWarp / 16; ++i) {
#pragma unroll
        for (int h = 0; h < 2; ++h) {
          const int row = warp_row + i * 16 + h * 8 + static_cast<int>(threadIdx.x % 32) / 4;
          if (row < row_end) {
            parts.a_sums[static_cast<int64_t>(blockIdx.z) * a.count + first_row + row] =
                a_sums[i][2 * h];
          }
        }
      }
    }
  } else {
    Epilogue::run(epilogue, tiles, sums, first_row, first_column, row_end, column_end);
  }
}

}  // namespace longer
