#include "core/vec_math.hpp"
#include "ops/event_encoder/event_encoder_kernels.hpp"
#include "ops/event_encoder/kernels/group_lanes.hpp"

namespace longer::LONGER_TIER {
namespace {

// Sums of a tile, its operands and a broadcast-free product fit the register file.
constexpr unsigned kTileRows = kVecLanes == 16 ? 4 : 2;
constexpr unsigned kTileCols = 4;

/// A matrix of registers: element (r, c) is data[r · row + c · col].
struct Panel {
  const vec* data;
  int64_t row, col;
};

/// c[r · c_row + n] (+)= Σ_k a(r, k) · b(k, n), k in order.
template <unsigned M, unsigned N>
LONGER_INLINE void multiply_tile(Panel a, Panel b, int64_t depth, bool adds, vec* c,
                                 int64_t c_row) {
  vec sum[M][N];
#pragma GCC unroll 4
  for (unsigned m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (unsigned n = 0; n < N; ++n) sum[m][n] = adds ? c[m * c_row + n] : vec{};
  }
  for (int64_t k = 0; k < depth; ++k) {
    vec right[N];
#pragma GCC unroll 4
    for (unsigned n = 0; n < N; ++n) right[n] = b.data[k * b.row + n * b.col];
#pragma GCC unroll 4
    for (unsigned m = 0; m < M; ++m) {
      const vec left = a.data[m * a.row + k * a.col];
#pragma GCC unroll 4
      for (unsigned n = 0; n < N; ++n) sum[m][n] += left * right[n];
    }
  }
#pragma GCC unroll 4
  for (unsigned m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (unsigned n = 0; n < N; ++n) c[m * c_row + n] = sum[m][n];
  }
}

template <unsigned M>
LONGER_INLINE void multiply_rows(Panel a, Panel b, int64_t cols, int64_t depth, bool adds, vec* c,
                                 int64_t c_row) {
  constexpr int64_t kCols = kTileCols;
  int64_t n = 0;
  for (; n + kCols <= cols; n += kCols) {
    multiply_tile<M, kTileCols>(a, {b.data + n * b.col, b.row, b.col}, depth, adds, c + n, c_row);
  }
  for (; n < cols; ++n) {
    multiply_tile<M, 1>(a, {b.data + n * b.col, b.row, b.col}, depth, adds, c + n, c_row);
  }
}

void multiply(Panel a, Panel b, int64_t rows, int64_t cols, int64_t depth, bool adds, vec* c,
              int64_t c_row) {
  constexpr int64_t kRows = kTileRows;
  int64_t m = 0;
  for (; m + kRows <= rows; m += kRows) {
    multiply_rows<kTileRows>({a.data + m * a.row, a.row, a.col}, b, cols, depth, adds,
                             c + m * c_row, c_row);
  }
  for (; m < rows; ++m) {
    multiply_rows<1>({a.data + m * a.row, a.row, a.col}, b, cols, depth, adds, c + m * c_row,
                     c_row);
  }
}

/// A token panel as it lies, and with tokens and columns swapped.
Panel plain(const vec* panel) { return {panel, kPanelColumns, 1}; }
Panel turned(const vec* panel) { return {panel, 1, kPanelColumns}; }

/// scores [size, size] becomes softmax(scale · scores) over the keys that exist; rows that do not
/// exist become 0.
void softmax(const GroupLanes& groups, float scale, vec* scores) {
  constexpr unsigned kUnroll = 4;
  const int64_t size = groups.group_size;
  for (int64_t i = 0; i < size; ++i) {
    vec* row = scores + i * size;
    vec largest = row[0];  // keys that do not exist repeat the last one
    for (int64_t j = 1; j < size; ++j) largest = vec_max(largest, row[j]);
    const auto exp_of = [&](int64_t j) { return (row[j] - largest) * scale; };
    int64_t j = 0;
    for (; j + kUnroll <= size; j += kUnroll) {
      const auto e = vec_exp(vecs_of<kUnroll>([&](unsigned u) { return exp_of(j + u); }));
#pragma GCC unroll 4
      for (unsigned u = 0; u < kUnroll; ++u) row[j + u] = e.part[u];
    }
    for (; j < size; ++j) row[j] = vec_exp(exp_of(j));
    vec sum{};
    for (j = 0; j < size; ++j) {
      row[j] = vec_select(groups.has(j), row[j], vec{});
      sum += row[j];
    }
    const vec factor = vec_select(groups.has(i), 1.0F / sum, vec{});
    for (j = 0; j < size; ++j) row[j] *= factor;
  }
}

/// body(head's first column, first column of the panel, columns of the panel)
template <class Body>
LONGER_INLINE void for_panels(int64_t head_width, const Body& body) {
  for (int64_t e = 0; e < head_width; e += kPanelColumns) {
    body(e, head_width - e < kPanelColumns ? head_width - e : kPanelColumns);
  }
}

float scale_of(int64_t head_width) {
  return 1.0F / __builtin_sqrtf(static_cast<float>(head_width));
}

void forward(const InnerAttention& p) {
  const int64_t size = p.group_size;
  const int64_t head_width = p.width / p.heads;
  vec scores[kMaxGroup * kMaxGroup];
  vec left[kMaxGroup * kPanelColumns];
  vec right[kMaxGroup * kPanelColumns];
  for (int64_t first = 0; first < p.num_groups; first += kVecLanes) {
    const GroupLanes groups(p, first);
    for (int64_t h = 0; h < p.heads; ++h) {
      const float* q = p.qkv + h * head_width;
      const float* k = q + p.width;
      const float* v = k + p.width;
      for_panels(head_width, [&](int64_t e, int64_t columns) {
        load_panel<3>(groups, q + e, columns, left);
        load_panel<3>(groups, k + e, columns, right);
        multiply(plain(left), turned(right), size, size, columns, e > 0, scores, size);
      });
      softmax(groups, scale_of(head_width), scores);
      for_panels(head_width, [&](int64_t e, int64_t columns) {
        load_panel<3>(groups, v + e, columns, right);
        multiply({scores, size, 1}, plain(right), size, columns, size, false, left, kPanelColumns);
        store_panel<1>(groups, left, columns, p.out + h * head_width + e);
      });
    }
  }
}

/// d_probabilities [size, size] becomes the gradient of q·k.
void softmax_backward(int64_t size, float scale, const vec* probabilities, vec* d_probabilities) {
  for (int64_t i = 0; i < size; ++i) {
    const vec* row = probabilities + i * size;
    vec* d_row = d_probabilities + i * size;
    vec mean{};
    for (int64_t j = 0; j < size; ++j) mean += row[j] * d_row[j];
    for (int64_t j = 0; j < size; ++j) d_row[j] = row[j] * (d_row[j] - mean) * scale;
  }
}

void backward(const InnerAttention& p, const float* d_out, float* d_qkv) {
  constexpr int64_t kPanelSize = kMaxGroup * kPanelColumns;
  const int64_t size = p.group_size;
  const int64_t head_width = p.width / p.heads;
  const bool is_one_panel = head_width <= kPanelColumns;
  vec probabilities[kMaxGroup * kMaxGroup];
  vec d_scores[kMaxGroup * kMaxGroup];
  vec q[kPanelSize], k[kPanelSize], d_o[kPanelSize], other[kPanelSize];
  for (int64_t first = 0; first < p.num_groups; first += kVecLanes) {
    const GroupLanes groups(p, first);
    for (int64_t h = 0; h < p.heads; ++h) {
      const int64_t head = h * head_width;
      const auto load_inputs = [&](int64_t e, int64_t columns) {
        load_panel<3>(groups, p.qkv + head + e, columns, q);
        load_panel<3>(groups, p.qkv + p.width + head + e, columns, k);
        load_panel<1>(groups, d_out + head + e, columns, d_o);
      };
      for_panels(head_width, [&](int64_t e, int64_t columns) {
        load_inputs(e, columns);
        load_panel<3>(groups, p.qkv + 2 * p.width + head + e, columns, other);
        multiply(plain(q), turned(k), size, size, columns, e > 0, probabilities, size);
        multiply(plain(d_o), turned(other), size, size, columns, e > 0, d_scores, size);
      });
      softmax(groups, scale_of(head_width), probabilities);
      softmax_backward(size, scale_of(head_width), probabilities, d_scores);
      for_panels(head_width, [&](int64_t e, int64_t columns) {
        if (!is_one_panel) load_inputs(e, columns);
        float* target = d_qkv + head + e;
        const auto send = [&](Panel weights, const vec* rows, float* to) {
          multiply(weights, plain(rows), size, columns, size, false, other, kPanelColumns);
          store_panel<3>(groups, other, columns, to);
        };
        send({d_scores, size, 1}, k, target);
        send({d_scores, 1, size}, q, target + p.width);
        send({probabilities, 1, size}, d_o, target + 2 * p.width);
      });
    }
  }
}

void gelu_with_slope(float* x, float* activated, int64_t count) {
  for_vec_groups<4>(count, [&](int64_t c, int64_t lanes, auto registers) {
    constexpr unsigned kCount = registers.count;
    const auto u =
        vecs_of<kCount>([&](unsigned i) { return vec_load(x + c + i * kVecLanes, lanes); });
    const auto gate = vec_gelu_gate(u);
    const auto y = product(u, gate);
    const auto curve = multiply_add(product(u, u), 0.2140644488178F, 1.59576912161F);
    const auto rest = vecs_of<kCount>([&](unsigned i) { return 1.0F - gate.part[i]; });
    const auto slope = multiply_add(y, product(rest, curve), gate);
#pragma GCC unroll 4
    for (unsigned i = 0; i < kCount; ++i) {
      vec_store(activated + c + i * kVecLanes, y.part[i], lanes);
      vec_store(x + c + i * kVecLanes, slope.part[i], lanes);
    }
  });
}

void multiply_by(float* to, const float* factor, int64_t count) {
  for_vecs(count, [&](int64_t i, int64_t lanes) {
    vec_store(to + i, vec_load(to + i, lanes) * vec_load(factor + i, lanes), lanes);
  });
}

void add(float* to, const float* term, int64_t count) {
  for_vecs(count, [&](int64_t i, int64_t lanes) {
    vec_store(to + i, vec_load(to + i, lanes) + vec_load(term + i, lanes), lanes);
  });
}

}  // namespace

const EventEncoderKernels kEventEncoderKernels = {forward, backward, gelu_with_slope, multiply_by,
                                                  add};

}  // namespace longer::LONGER_TIER
