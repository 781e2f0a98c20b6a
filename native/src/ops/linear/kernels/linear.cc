#include "core/vec_math.hpp"
#include "ops/linear/kernels/pack.hpp"
#include "ops/linear/kernels/tile.hpp"
#include "ops/linear/linear_kernels.hpp"

namespace longer::LONGER_TIER {
namespace {

static_assert(kPanel == kLinearPanel);

// Registers of gelu side by side: its chain is about 25 steps of 4 cycles.
constexpr unsigned kGeluRegisters = 4;

template <unsigned N>
LONGER_INLINE Vecs<N> load_group(const float* p, int64_t count) {
  return vecs_of<N>([&](unsigned i) { return vec_load(p + i * kVecLanes, count); });
}
template <unsigned N>
LONGER_INLINE void store_group(float* p, const Vecs<N>& v, int64_t count) {
#pragma GCC unroll 8
  for (unsigned i = 0; i < N; ++i) vec_store(p + i * kVecLanes, v.part[i], count);
}

/// values[0 … count) = gelu of themselves.
void gelu_in_place(float* values, int64_t count) {
  for_vec_groups<kGeluRegisters>(count, [&](int64_t i, int64_t lanes, auto registers) {
    store_group(values + i, vec_gelu(load_group<registers.count>(values + i, lanes)), lanes);
  });
}

/// to[m] = from[m] (+ plus[m]) for rows of `cols` values.
void copy_rows(const float* from, int64_t from_stride, const float* plus, int64_t plus_stride,
               float* to, int64_t to_stride, int64_t rows, int64_t cols) {
  for (int64_t m = 0; m < rows; ++m) {
    for_vecs(cols, [&](int64_t i, int64_t lanes) {
      vec value = vec_load(from + m * from_stride + i, lanes);
      if (plus != nullptr) value += vec_load(plus + m * plus_stride + i, lanes);
      vec_store(to + m * to_stride + i, value, lanes);
    });
  }
}

// Rows that pass a panel before the next one: with 1024 columns they fill a third of a second-level
// cache of 1 MiB.
constexpr int64_t kRowsPerPass = 96;

/// The tile at (r, c) of y, in the first-level cache: gelu over its dense values, then the
/// residual.
void finish_tile(const LinearBlock& p, float* sums, int64_t r, int64_t rows, int64_t c,
                 int64_t cols) {
  if (p.pre_activation != nullptr) {
    copy_rows(sums, cols, nullptr, 0, p.pre_activation + r * p.pre_activation_stride + c,
              p.pre_activation_stride, rows, cols);
  }
  if (p.has_gelu) gelu_in_place(sums, rows * cols);
  const float* residual = p.residual == nullptr ? nullptr : p.residual + r * p.residual_stride + c;
  copy_rows(sums, cols, residual, p.residual_stride, p.y + r * p.y_stride + c, p.y_stride, rows,
            cols);
}

void forward(const LinearBlock& p) {
  const bool is_plain = !p.has_gelu && p.residual == nullptr && p.pre_activation == nullptr;
  const Product product{p.x,
                        p.x_stride,
                        p.panels,
                        kPanel,
                        p.depth * kPanel,
                        p.depth,
                        p.y,
                        p.y_stride,
                        p.adds ? Start::kOutput : p.bias == nullptr ? Start::kZero : Start::kRow,
                        p.bias};
  alignas(64) float sums[kTileFloats];
  for (int64_t first = 0; first < p.rows; first += kRowsPerPass) {
    const int64_t pass = p.rows - first < kRowsPerPass ? p.rows - first : kRowsPerPass;
    if (is_plain) {
      multiply<false>(at(product, false, first, 0), pass, p.cols);
      continue;
    }
    for_tiles(pass, p.cols, [&](int64_t r, int64_t rows, int64_t c, int64_t cols) {
      Product tile = at(product, false, first + r, c);
      tile.c = sums;
      tile.ldc = cols;
      multiply_one<false>(tile, rows, cols);
      finish_tile(p, sums, first + r, rows, c, cols);
    });
  }
}

void set_zero(float* values, int64_t count) {
  for_vecs(count, [&](int64_t i, int64_t lanes) { vec_store(values + i, vec{}, lanes); });
}

/// sums[0 … cols) += the column sums of a packed panel.
void add_column_sums(const float* panel, int64_t rows, int64_t cols, float* sums) {
  for_vecs(cols, [&](int64_t c, int64_t lanes) {
    vec sum = vec_load(sums + c, lanes);
    for (int64_t r = 0; r < rows; ++r) sum += vec_load(panel + r * kPanel + c);
    vec_store(sums + c, sum, lanes);
  });
}

// Both sides are packed, some rows at a time: read in place, rows of 1024 columns would all fall
// into the same lines of the cache.
void weights(const LinearWeightsBlock& p) {
  if (!p.adds) {
    for (int64_t o = 0; o < p.outs; ++o) set_zero(p.d_weight + o * p.d_weight_stride, p.ins);
    if (p.d_bias != nullptr) set_zero(p.d_bias, p.outs);
  }
  float* x_panels = p.scratch;
  float* dy_panels = p.scratch + linear_weights_scratch(0, p.ins);
  for (int64_t first = 0; first < p.rows; first += kLinearWeightsRows) {
    const int64_t rows = p.rows - first < kLinearWeightsRows ? p.rows - first : kLinearWeightsRows;
    pack_rows(p.x + first * p.x_stride, p.x_stride, rows, p.ins, x_panels);
    pack_rows(p.dy + first * p.dy_stride, p.dy_stride, rows, p.outs, dy_panels);
    for (int64_t o = 0; o < p.outs; o += kPanel) {
      const int64_t outs = p.outs - o < kPanel ? p.outs - o : kPanel;
      const float* panel = dy_panels + o * rows;
      multiply<true>(
          {panel, kPanel, x_panels, kPanel, rows * kPanel, rows, p.d_weight + o * p.d_weight_stride,
           p.d_weight_stride, Start::kOutput, nullptr},
          outs, p.ins);
      if (p.d_bias != nullptr) add_column_sums(panel, rows, outs, p.d_bias + o);
    }
  }
}

void gelu_forward(const ElementwiseBlock& p) {
  for (int64_t r = 0; r < p.rows; ++r) {
    const float* x = p.x + r * p.x_stride;
    float* y = p.y + r * p.y_stride;
    for_vec_groups<kGeluRegisters>(p.cols, [&](int64_t c, int64_t lanes, auto registers) {
      store_group(y + c, vec_gelu(load_group<registers.count>(x + c, lanes)), lanes);
    });
  }
}

void gelu_backward(const ElementwiseBlock& p) {
  for (int64_t r = 0; r < p.rows; ++r) {
    const float* x = p.x + r * p.x_stride;
    const float* dy = p.dy + r * p.dy_stride;
    float* dx = p.y + r * p.y_stride;
    for_vec_groups<kGeluRegisters>(p.cols, [&](int64_t c, int64_t lanes, auto registers) {
      constexpr unsigned kCount = registers.count;
      const auto slope = vec_gelu_gradient(load_group<kCount>(x + c, lanes));
      store_group(dx + c, product(load_group<kCount>(dy + c, lanes), slope), lanes);
    });
  }
}

void pack_transposed(const float* weight, int64_t stride, int64_t out, int64_t in, float* panels) {
  for (int64_t o = 0; o < out; o += kPanel, panels += in * kPanel) {
    pack_columns([=](int64_t m) { return o + m < out ? weight + (o + m) * stride : nullptr; },
                 kPanel, in, 1.0F, panels);
  }
}

void pack(const float* weight, int64_t stride, int64_t out, int64_t in, float* panels) {
  pack_rows(weight, stride, out, in, panels);
}

void add(const float* from, float* to, int64_t count) {
  for_vecs(count, [&](int64_t i, int64_t lanes) {
    vec_store(to + i, vec_load(to + i, lanes) + vec_load(from + i, lanes), lanes);
  });
}

}  // namespace

const LinearKernels kLinearKernels = {forward,       weights, pack_transposed, pack, gelu_forward,
                                      gelu_backward, add};

}  // namespace longer::LONGER_TIER
