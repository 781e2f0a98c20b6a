#include <algorithm>

#include "core/workspace.hpp"
#include "longer/error.hpp"
#include "ops/linear/linear.hpp"
#include "ops/linear/linear_kernels.hpp"

namespace longer {
namespace {

constexpr int64_t kRowsPerItem = 96;  // eight tiles of the widest tier
constexpr int64_t kFlopsPerItem = int64_t{1}
                                  << 19;  // about 5 µs: less is not worth a second thread

int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Runs the block over the pool: rows in groups, and columns too where rows alone do not feed the
/// threads. Every element is computed the same way whatever the cut.
void run(ThreadPool* pool, const LinearBlock& whole) {
  if (whole.rows == 0 || whole.cols == 0) return;
  const auto& kernels = linear_kernels();
  const int64_t flops = 2 * whole.rows * whole.cols * whole.depth;
  if (pool == nullptr || pool->num_threads() == 1 || flops < kFlopsPerItem)
    return kernels.forward(whole);
  const int64_t most_items = std::min<int64_t>(flops / kFlopsPerItem + 1, 4 * pool->num_threads());
  const int64_t row_items = std::min(most_items, (whole.rows + kRowsPerItem - 1) / kRowsPerItem);
  const int64_t panels = (whole.cols + kLinearPanel - 1) / kLinearPanel;
  const int64_t col_items = std::min(panels, (most_items + row_items - 1) / row_items);
  pool->parallel_for(row_items * col_items, [&](int64_t item) {
    const int64_t row = item / col_items;
    const int64_t col = item % col_items;
    const int64_t r = whole.rows * row / row_items;
    const int64_t c = panels * col / col_items * kLinearPanel;
    LinearBlock block = whole;
    block.rows = whole.rows * (row + 1) / row_items - r;
    block.cols = std::min(whole.cols, panels * (col + 1) / col_items * kLinearPanel) - c;
    block.x += r * whole.x_stride;
    block.panels += c * whole.depth;
    if (whole.bias != nullptr) block.bias += c;
    block.y += r * whole.y_stride + c;
    if (whole.residual != nullptr) block.residual += r * whole.residual_stride + c;
    if (whole.pre_activation != nullptr)
      block.pre_activation += r * whole.pre_activation_stride + c;
    kernels.forward(block);
  });
}

template <class Matrix>
void check_shape(const char* where, const char* name, const Matrix& matrix, int64_t rows,
                 int64_t cols) {
  check_argument(matrix.rows == rows && matrix.cols == cols, "[", where, "] ", name, " must be [",
                 rows, ", ", cols, "]; got [", matrix.rows, ", ", matrix.cols, "]");
}

/// Small maps over many rows: chunks of rows, each summed on its own and then added in order, so
/// that threads find work. Their number depends on the shape alone, and so do the bits.
int64_t num_row_chunks(int64_t rows, int64_t out, int64_t in) {
  constexpr int64_t kSmallMap = 128 * 128;
  constexpr int64_t kRowsPerChunk = 1024;
  constexpr int64_t kMostChunks = 16;
  if (out * in > kSmallMap) return 1;
  return std::clamp<int64_t>(rows / kRowsPerChunk, 1, kMostChunks);
}

/// Outputs that one work item sums.
struct WeightBlocks {
  int64_t outs, ins;
};

/// As large as the second-level cache allows, since every block packs its rows anew, but enough of
/// them for the threads. The cut does not change bits: each output is one chain over the rows.
WeightBlocks weight_blocks(const ThreadPool* pool, int64_t out, int64_t in, int64_t chunks) {
  WeightBlocks blocks{512, 256};
  const int64_t wanted = pool == nullptr || pool->num_threads() == 1 ? 1 : 2 * pool->num_threads();
  const auto items = [&] {
    return chunks * ((out + blocks.outs - 1) / blocks.outs) * ((in + blocks.ins - 1) / blocks.ins);
  };
  while (items() < wanted && (blocks.outs > 64 || blocks.ins > 64)) {
    (blocks.outs > blocks.ins ? blocks.outs : blocks.ins) /= 2;
  }
  return blocks;
}

void run_elementwise(ThreadPool* pool, void (*kernel)(const ElementwiseBlock&),
                     const ElementwiseBlock& whole) {
  constexpr int64_t kElementsPerItem = 16384;
  if (whole.rows == 0 || whole.cols == 0) return;
  const int64_t rows_per_item = std::max<int64_t>(1, kElementsPerItem / whole.cols);
  parallel_for(pool, (whole.rows + rows_per_item - 1) / rows_per_item, [&](int64_t item) {
    const int64_t r = item * rows_per_item;
    ElementwiseBlock block = whole;
    block.rows = std::min(rows_per_item, whole.rows - r);
    block.x += r * whole.x_stride;
    if (whole.dy != nullptr) block.dy += r * whole.dy_stride;
    block.y += r * whole.y_stride;
    kernel(block);
  });
}

}  // namespace

void PackedLinear::pack(const float* weight, const float* bias, int64_t out, int64_t in,
                        PackFor purpose, int64_t stride) {
  check_argument(out >= 0 && in >= 0, "[linear_pack] out and in must not be negative; got ", out,
                 ", ", in);
  out_ = out;
  in_ = in;
  has_backward_ = purpose == PackFor::kTraining;
  bias_.assign(static_cast<size_t>(round_up(out, kLinearPanel)), 0.0F);
  if (bias != nullptr) std::copy_n(bias, out, bias_.begin());
  forward_.resize(static_cast<size_t>(round_up(out, kLinearPanel) * in));
  const int64_t row_stride = stride == 0 ? in : stride;
  linear_kernels().pack_transposed(weight, row_stride, out, in, forward_.data());
  backward_.resize(has_backward_ ? static_cast<size_t>(round_up(in, kLinearPanel) * out) : 0);
  if (has_backward_) linear_kernels().pack(weight, row_stride, out, in, backward_.data());
}

int64_t PackedLinear::bytes() const {
  return static_cast<int64_t>((bias_.capacity() + forward_.capacity() + backward_.capacity()) *
                              sizeof(float));
}

void linear_forward(ThreadPool* pool, const LinearForward& p) {
  check_argument(p.weights != nullptr, "[linear_forward] weights are missing");
  const PackedLinear& w = *p.weights;
  check_argument(p.x.cols == w.in(), "[linear_forward] x must have ", w.in(), " columns; got ",
                 p.x.cols);
  check_shape("linear_forward", "y", p.y, p.x.rows, w.out());
  if (p.residual.data != nullptr)
    check_shape("linear_forward", "residual", p.residual, p.x.rows, w.out());
  if (p.pre_activation.data != nullptr) {
    check_shape("linear_forward", "pre_activation", p.pre_activation, p.x.rows, w.out());
  }
  run(pool, {p.x.data, p.x.stride, w.forward_panels(), w.bias(), w.in(), p.y.data, p.y.stride,
             p.x.rows, w.out(), false, p.activation == Activation::kGelu, p.residual.data,
             p.residual.stride, p.pre_activation.data, p.pre_activation.stride});
}

void linear_backward_input(ThreadPool* pool, ConstMatrixView dy, const PackedLinear& weights,
                           MatrixView dx, Write write) {
  check_argument(dy.cols == weights.out(), "[linear_backward_input] dy must have ", weights.out(),
                 " columns; got ", dy.cols);
  check_shape("linear_backward_input", "dx", dx, dy.rows, weights.in());
  check_argument(weights.has_backward(),
                 "[linear_backward_input] the weights are packed for inference only");
  run(pool,
      {dy.data, dy.stride, weights.backward_panels(), nullptr, weights.out(), dx.data, dx.stride,
       dy.rows, weights.in(), write == Write::kAdd, false, nullptr, 0, nullptr, 0});
}

void linear_backward_weights(ThreadPool* pool, ConstMatrixView x, ConstMatrixView dy,
                             float* d_weight, float* d_bias, int64_t stride) {
  check_argument(x.rows == dy.rows,
                 "[linear_backward_weights] x and dy must have as many rows; got ", x.rows, " and ",
                 dy.rows);
  const int64_t out = dy.cols;
  const int64_t in = x.cols;
  const int64_t rows = x.rows;
  if (rows == 0 || out == 0 || in == 0) return;
  const int64_t row_stride = stride == 0 ? in : stride;
  const auto& kernels = linear_kernels();
  const int64_t chunks = num_row_chunks(rows, out, in);
  const WeightBlocks blocks = weight_blocks(pool, out, in, chunks);
  const int64_t out_blocks = (out + blocks.outs - 1) / blocks.outs;
  const int64_t in_blocks = (in + blocks.ins - 1) / blocks.ins;
  Workspace& workspace = thread_workspace();
  const WorkspaceScope scope(workspace);
  const int64_t partial_floats = out * (in + 1);
  float* partials = chunks == 1 ? nullptr : workspace.allocate<float>(chunks * partial_floats);
  parallel_for(pool, chunks * out_blocks * in_blocks, [&](int64_t item) {
    const int64_t chunk = item / (out_blocks * in_blocks);
    const int64_t o = item / in_blocks % out_blocks * blocks.outs;
    const int64_t i = item % in_blocks * blocks.ins;
    const int64_t r = rows * chunk / chunks;
    float* weight = partials == nullptr ? d_weight : partials + chunk * partial_floats;
    float* bias = partials == nullptr ? d_bias : weight + out * in;
    LinearWeightsBlock block{};
    block.dy = dy.row(r) + o;
    block.dy_stride = dy.stride;
    block.x = x.row(r) + i;
    block.x_stride = x.stride;
    block.rows = rows * (chunk + 1) / chunks - r;
    block.d_weight_stride = partials == nullptr ? row_stride : in;
    block.d_weight = weight + o * block.d_weight_stride + i;
    block.d_bias = i == 0 && d_bias != nullptr ? bias + o : nullptr;
    block.outs = std::min(blocks.outs, out - o);
    block.ins = std::min(blocks.ins, in - i);
    block.adds = partials == nullptr;
    Workspace& own = thread_workspace();
    const WorkspaceScope item_scope(own);
    block.scratch = own.allocate<float>(linear_weights_scratch(block.outs, block.ins));
    kernels.weights(block);
  });
  for (int64_t chunk = 0; partials != nullptr && chunk < chunks; ++chunk) {
    const float* weight = partials + chunk * partial_floats;
    for (int64_t o = 0; o < out; ++o) kernels.add(weight + o * in, d_weight + o * row_stride, in);
    if (d_bias != nullptr) kernels.add(weight + out * in, d_bias, out);
  }
}

void gelu_forward(ThreadPool* pool, ConstMatrixView x, MatrixView y) {
  check_shape("gelu_forward", "y", y, x.rows, x.cols);
  run_elementwise(pool, linear_kernels().gelu_forward,
                  {x.data, x.stride, nullptr, 0, y.data, y.stride, x.rows, x.cols});
}

void gelu_backward(ThreadPool* pool, ConstMatrixView pre_activation, ConstMatrixView dy,
                   MatrixView dx) {
  check_shape("gelu_backward", "dy", dy, pre_activation.rows, pre_activation.cols);
  check_shape("gelu_backward", "dx", dx, pre_activation.rows, pre_activation.cols);
  run_elementwise(pool, linear_kernels().gelu_backward,
                  {pre_activation.data, pre_activation.stride, dy.data, dy.stride, dx.data,
                   dx.stride, pre_activation.rows, pre_activation.cols});
}

}  // namespace longer
