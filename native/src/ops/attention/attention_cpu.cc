#include <algorithm>
#include <cmath>

#include "longer/error.hpp"
#include "ops/attention/attention.hpp"
#include "ops/attention/attention_kernels.hpp"

namespace longer {
namespace {

template <class Matrix>
void check_cols(const char* where, const char* name, const Matrix& matrix, int64_t cols) {
  check_argument(matrix.data == nullptr || matrix.cols == cols, "[", where, "] ", name,
                 " must have ", cols, " columns, as q; got ", matrix.cols);
}

void check_range(const char* where, int64_t span, const char* name, int64_t begin, int64_t end,
                 int64_t rows) {
  check_argument(0 <= begin && begin <= end && end <= rows, "[", where, "] span ", span, ": ", name,
                 " rows must lie in [0, ", rows, "); got [", begin, ", ", end, ")");
}

void check(const char* where, const AttentionForward& p) {
  check_argument(p.heads > 0 && p.q.cols % p.heads == 0, "[", where, "] q's ", p.q.cols,
                 " columns must be a multiple of heads; got ", p.heads, " heads");
  check_argument(p.out.rows == p.q.rows && p.out.cols == p.q.cols, "[", where, "] out must be [",
                 p.q.rows, ", ", p.q.cols, "]; got [", p.out.rows, ", ", p.out.cols, "]");
  check_cols(where, "prefix_keys", p.prefix_keys, p.q.cols);
  check_cols(where, "prefix_values", p.prefix_values, p.q.cols);
  check_cols(where, "own_keys", p.own_keys, p.q.cols);
  check_cols(where, "own_values", p.own_values, p.q.cols);
  for (int64_t i = 0; i < p.num_spans; ++i) {
    const AttentionSpan& span = p.spans[i];
    check_range(where, i, "query", span.query_begin, span.query_end, p.q.rows);
    check_range(where, i, "prefix", span.prefix_begin, span.prefix_end,
                std::min(p.prefix_keys.rows, p.prefix_values.rows));
    check_range(where, i, "own", span.own_begin, span.own_end,
                std::min(p.own_keys.rows, p.own_values.rows));
    const int64_t keys = span.prefix_end - span.prefix_begin + span.own_end - span.own_begin;
    for (int64_t row = span.query_begin; row < span.query_end; ++row) {
      const VisibleKeys& v = p.visible[row];
      const bool has_own = v.own_begin < v.own_end;
      check_argument(0 <= v.end && v.end <= keys && v.own_begin <= v.own_end &&
                         (!has_own || (v.own_begin >= v.end && v.own_end <= keys)),
                     "[", where, "] row ", row, " sees keys [0, ", v.end, ") and [", v.own_begin,
                     ", ", v.own_end, "), but span ", i, " has ", keys,
                     " keys and the second range must come after the first");
    }
  }
}

bool sees(const VisibleKeys& v, int64_t key) {
  return key < v.end || (key >= v.own_begin && key < v.own_end);
}

int64_t num_keys(const AttentionSpan& span) {
  return span.prefix_end - span.prefix_begin + span.own_end - span.own_begin;
}

int64_t most_keys(const AttentionForward& p) {
  int64_t most = 0;
  for (int64_t i = 0; i < p.num_spans; ++i) most = std::max(most, num_keys(p.spans[i]));
  return most;
}

/// Most keys of a second range.
int64_t most_own_keys(const AttentionForward& p) {
  int64_t most = 0;
  for (int64_t i = 0; i < p.num_spans; ++i) {
    for (int64_t row = p.spans[i].query_begin; row < p.spans[i].query_end; ++row) {
      most = std::max<int64_t>(most, p.visible[row].own_end - p.visible[row].own_begin);
    }
  }
  return most;
}

/// Floats of scratch for any block of the call.
int64_t scratch_floats(const AttentionForward& p) {
  return attention_scratch(most_keys(p), most_own_keys(p), p.q.cols / p.heads);
}

/// Head `head` of the span's query rows [begin, begin + rows).
AttentionBlock block_of(const AttentionForward& p, const AttentionSpan& span, int64_t head,
                        int64_t begin, int64_t rows) {
  const int64_t width = p.q.cols / p.heads;
  const int64_t column = head * width;
  AttentionBlock block{};
  block.q = p.q.row(begin) + column;
  block.q_stride = p.q.stride;
  block.rows = rows;
  block.width = width;
  block.visible = p.visible + begin;
  const int64_t prefix = span.prefix_end - span.prefix_begin;
  const int64_t own = span.own_end - span.own_begin;
  if (prefix > 0) {
    block.segments[0] = {p.prefix_keys.row(span.prefix_begin) + column, p.prefix_keys.stride,
                         p.prefix_values.row(span.prefix_begin) + column, p.prefix_values.stride,
                         prefix};
  }
  if (own > 0) {
    block.segments[1] = {p.own_keys.row(span.own_begin) + column, p.own_keys.stride,
                         p.own_values.row(span.own_begin) + column, p.own_values.stride, own};
  }
  block.out = p.out.row(begin) + column;
  block.out_stride = p.out.stride;
  block.lse = p.lse == nullptr ? nullptr : p.lse + begin * p.heads + head;
  block.lse_stride = p.heads;
  return block;
}

int64_t num_blocks(const AttentionSpan& span) {
  return (span.query_end - span.query_begin + kAttentionRows - 1) / kAttentionRows;
}

/// body(unit, scratch) for every unit, several to a work item so that short units do not contend
/// for the next index.
template <class Body>
void for_units(ThreadPool* pool, int64_t num_units, int64_t scratch_floats, const Body& body) {
  const int64_t most_items = pool == nullptr ? 1 : 16 * pool->num_threads();
  const int64_t items = std::min(num_units, most_items);
  parallel_for(pool, items, [&](int64_t item) {
    Workspace& own = thread_workspace();
    const WorkspaceScope scope(own);
    float* scratch = own.allocate<float>(scratch_floats);
    const int64_t end = num_units * (item + 1) / items;
    for (int64_t unit = num_units * item / items; unit < end; ++unit) body(unit, scratch);
  });
}

}  // namespace

void attention_forward(ThreadPool* pool, Workspace& workspace, const AttentionForward& p) {
  check("attention_forward", p);
  if (p.num_spans == 0) return;
  const WorkspaceScope scope(workspace);
  auto* first_block = workspace.allocate<int64_t>(p.num_spans + 1);
  first_block[0] = 0;
  for (int64_t i = 0; i < p.num_spans; ++i)
    first_block[i + 1] = first_block[i] + num_blocks(p.spans[i]);
  const auto& kernels = attention_kernels();
  for_units(pool, first_block[p.num_spans] * p.heads, scratch_floats(p),
            [&](int64_t unit, float* scratch) {
              const int64_t index = unit / p.heads;
              const int64_t* after =
                  std::upper_bound(first_block, first_block + p.num_spans, index);
              const int64_t i = after - first_block - 1;
              const AttentionSpan& span = p.spans[i];
              const int64_t begin = span.query_begin + (index - first_block[i]) * kAttentionRows;
              const int64_t rows = std::min(kAttentionRows, span.query_end - begin);
              AttentionBlock block = block_of(p, span, unit % p.heads, begin, rows);
              block.scratch = scratch;
              kernels.forward(block);
            });
}

void attention_backward(ThreadPool* pool, Workspace& /*workspace*/, const AttentionBackward& p) {
  const AttentionForward& f = p.forward;
  check("attention_backward", f);
  check_argument(f.lse != nullptr, "[attention_backward] lse of the forward pass is missing");
  const auto& kernels = attention_kernels();
  const int64_t width = f.q.cols / f.heads;
  for_units(pool, f.num_spans * f.heads, scratch_floats(f), [&](int64_t unit, float* scratch) {
    const AttentionSpan& span = f.spans[unit / f.heads];
    const int64_t head = unit % f.heads;
    const int64_t column = head * width;
    for (int64_t begin = span.query_begin; begin < span.query_end; begin += kAttentionRows) {
      AttentionGradientBlock block{};
      block.forward =
          block_of(f, span, head, begin, std::min(kAttentionRows, span.query_end - begin));
      block.forward.scratch = scratch;
      block.d_out = p.d_out.row(begin) + column;
      block.d_out_stride = p.d_out.stride;
      block.d_q = p.d_q.row(begin) + column;
      block.d_q_stride = p.d_q.stride;
      const MatrixView* d_keys[2] = {&p.d_prefix_keys, &p.d_own_keys};
      const MatrixView* d_values[2] = {&p.d_prefix_values, &p.d_own_values};
      for (int64_t s = 0; s < 2; ++s) {
        if (block.forward.segments[s].count == 0) continue;
        const int64_t first = s == 0 ? span.prefix_begin : span.own_begin;
        block.d_keys[s] = d_keys[s]->row(first) + column;
        block.d_key_stride[s] = d_keys[s]->stride;
        block.d_values[s] = d_values[s]->row(first) + column;
        block.d_value_stride[s] = d_values[s]->stride;
      }
      kernels.backward(block);
    }
  });
}

void attention_probabilities(const AttentionForward& p, int64_t span, int64_t query_row,
                             float* probabilities) {
  const AttentionSpan& s = p.spans[span];
  const int64_t keys = num_keys(s);
  const int64_t prefix = s.prefix_end - s.prefix_begin;
  const int64_t width = p.q.cols / p.heads;
  const VisibleKeys& visible = p.visible[query_row];
  std::fill_n(probabilities, keys, 0.0F);
  for (int64_t head = 0; head < p.heads; ++head) {
    const float* q = p.q.row(query_row) + head * width;
    const auto score = [&](int64_t key) {
      const float* k = (key < prefix ? p.prefix_keys.row(s.prefix_begin + key)
                                     : p.own_keys.row(s.own_begin + key - prefix)) +
                       head * width;
      double sum = 0.0;
      for (int64_t e = 0; e < width; ++e) sum += static_cast<double>(q[e]) * k[e];
      return sum / std::sqrt(static_cast<double>(width));
    };
    double largest = -INFINITY;
    for (int64_t key = 0; key < keys; ++key) {
      if (sees(visible, key)) largest = std::max(largest, score(key));
    }
    double total = 0.0;
    for (int64_t key = 0; key < keys; ++key) {
      if (sees(visible, key)) total += std::exp(score(key) - largest);
    }
    for (int64_t key = 0; key < keys; ++key) {
      if (!sees(visible, key)) continue;
      probabilities[key] +=
          static_cast<float>(std::exp(score(key) - largest) / total / static_cast<double>(p.heads));
    }
  }
}

}  // namespace longer
