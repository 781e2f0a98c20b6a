#include <algorithm>
#include <cmath>

#include "ops/attention/attention_cuda.hpp"
#include "ops/cuda_launch.hpp"

namespace longer {
namespace {

constexpr int kWarp = 32;
constexpr int kWarpsPerBlock = 4;
constexpr int kMaxColumns = 4;                      // per lane
constexpr int kBlockColumns = kMaxColumns * kWarp;  // of a head, by one block
constexpr unsigned kFull = 0xFFFFFFFF;

__device__ float warp_sum(float value) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2)
    value += __shfl_xor_sync(kFull, value, offset);
  return value;
}

__device__ float warp_max(float value) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2)
    value = fmaxf(value, __shfl_xor_sync(kFull, value, offset));
  return value;
}

__device__ int64_t num_keys(const AttentionSpan& s) {
  return (s.prefix_end - s.prefix_begin) + (s.own_end - s.own_begin);
}

/// Row j of a span's prefix ++ own rows.
__device__ const float* span_row(ConstMatrixView prefix, ConstMatrixView own,
                                 const AttentionSpan& s, int64_t j, int64_t column) {
  const int64_t num_prefix = s.prefix_end - s.prefix_begin;
  return j < num_prefix ? prefix.data + (s.prefix_begin + j) * prefix.stride + column
                        : own.data + (s.own_begin + j - num_prefix) * own.stride + column;
}

__device__ float* span_row(MatrixView prefix, MatrixView own, const AttentionSpan& s, int64_t j,
                           int64_t column) {
  const int64_t num_prefix = s.prefix_end - s.prefix_begin;
  return j < num_prefix ? prefix.data + (s.prefix_begin + j) * prefix.stride + column
                        : own.data + (s.own_begin + j - num_prefix) * own.stride + column;
}

__device__ float dot(const float* a, const float* b, int64_t width) {
  float sum = 0.0F;
  for (int64_t e = 0; e < width; ++e) sum = fmaf(a[e], b[e], sum);
  return sum;
}

__device__ bool sees(const VisibleKeys& v, int64_t key) {
  return key < v.end || (key >= v.own_begin && key < v.own_end);
}

/// The keys that a row sees, in order: it computes with them alone, so that nothing else changes
/// its bits.
struct SeenKeys {
  VisibleKeys visible;
  __device__ int64_t count() const {
    return visible.end + max(0, visible.own_end - visible.own_begin);
  }
  __device__ int64_t key(int64_t i) const {
    return i < visible.end ? i : visible.own_begin + (i - visible.end);
  }
};

/// What a block computes: one head of one span, a run of kBlockColumns of the head's columns, and
/// of the span's rows (or keys) those of its piece, which its warps take one at a time.
struct BlockWork {
  AttentionSpan span;
  int64_t head, width, column, first;
  int64_t begin, step;

  __device__ explicit BlockWork(const AttentionForward& p)
      : span(p.spans[blockIdx.x]),
        head(blockIdx.y % p.heads),
        width(p.q.cols / p.heads),
        column(head * width),
        first(blockIdx.y / p.heads * kBlockColumns),
        begin(static_cast<int64_t>(blockIdx.z) * kWarpsPerBlock + threadIdx.y),
        step(static_cast<int64_t>(gridDim.z) * kWarpsPerBlock) {}
};

/// A warp takes a query row at a time: keys in lanes for the scores, columns in lanes for the sums.
__global__ void attention_forward_kernel(AttentionForward p, float scale) {
  const BlockWork work(p);
  const AttentionSpan& s = work.span;
  const int64_t width = work.width;
  const int64_t column = work.column;
  const int64_t first = work.first;
  const int lane = threadIdx.x;
  for (int64_t row = s.query_begin + work.begin; row < s.query_end; row += work.step) {
    const SeenKeys seen{p.visible[row]};
    const int64_t keys = seen.count();
    const float* q = p.q.data + row * p.q.stride + column;
    float maximum = -INFINITY;
    float sum = 0.0F;
    float out[kMaxColumns] = {};
    for (int64_t begin = 0; begin < keys; begin += kWarp) {
      const bool is_key = begin + lane < keys;
      const float score =
          is_key
              ? scale * dot(q,
                            span_row(p.prefix_keys, p.own_keys, s, seen.key(begin + lane), column),
                            width)
              : -INFINITY;
      const float next = fmaxf(maximum, warp_max(score));
      const float shrink = expf(maximum - next);
      const float share = is_key ? expf(score - next) : 0.0F;
      sum = sum * shrink + warp_sum(share);
      for (float& value : out) value *= shrink;
      for (int j = 0; j < kWarp && begin + j < keys; ++j) {
        const float weight = __shfl_sync(kFull, share, j);
        const float* value =
            span_row(p.prefix_values, p.own_values, s, seen.key(begin + j), column);
        for (int c = 0; c < kMaxColumns; ++c) {
          const int64_t e = first + lane + c * kWarp;
          if (e < width) out[c] = fmaf(weight, value[e], out[c]);
        }
      }
      maximum = next;
    }
    for (int c = 0; c < kMaxColumns; ++c) {
      const int64_t e = first + lane + c * kWarp;
      if (e < width) p.out.data[row * p.out.stride + column + e] = keys > 0 ? out[c] / sum : 0.0F;
    }
    if (lane == 0 && first == 0 && p.lse != nullptr) {
      p.lse[row * p.heads + work.head] = keys > 0 ? maximum + logf(sum) : -INFINITY;
    }
  }
}

/// Grid as forward: d_q, and delta = Σ d_out · out for the other pass.
__global__ void attention_backward_query_kernel(AttentionBackward b, float* delta_out,
                                                float scale) {
  const AttentionForward& p = b.forward;
  const BlockWork work(p);
  const AttentionSpan& s = work.span;
  const int64_t width = work.width;
  const int64_t column = work.column;
  const int64_t first = work.first;
  const int lane = threadIdx.x;
  for (int64_t row = s.query_begin + work.begin; row < s.query_end; row += work.step) {
    const SeenKeys seen{p.visible[row]};
    const int64_t keys = seen.count();
    const float* q = p.q.data + row * p.q.stride + column;
    const float* d_out = b.d_out.data + row * b.d_out.stride + column;
    const float lse = p.lse[row * p.heads + work.head];
    const float delta = dot(d_out, p.out.data + row * p.out.stride + column, width);
    if (lane == 0 && first == 0) delta_out[row * p.heads + work.head] = delta;
    float d_q[kMaxColumns] = {};
    for (int64_t begin = 0; begin < keys; begin += kWarp) {
      float d_score = 0.0F;
      if (begin + lane < keys) {
        const int64_t key = seen.key(begin + lane);
        const float score =
            scale * dot(q, span_row(p.prefix_keys, p.own_keys, s, key, column), width);
        const float d_share =
            dot(d_out, span_row(p.prefix_values, p.own_values, s, key, column), width);
        d_score = expf(score - lse) * (d_share - delta) * scale;
      }
      for (int j = 0; j < kWarp && begin + j < keys; ++j) {
        const float weight = __shfl_sync(kFull, d_score, j);
        const float* key_row = span_row(p.prefix_keys, p.own_keys, s, seen.key(begin + j), column);
        for (int c = 0; c < kMaxColumns; ++c) {
          const int64_t e = first + lane + c * kWarp;
          if (e < width) d_q[c] = fmaf(weight, key_row[e], d_q[c]);
        }
      }
    }
    for (int c = 0; c < kMaxColumns; ++c) {
      const int64_t e = first + lane + c * kWarp;
      if (e < width) b.d_q.data[row * b.d_q.stride + column + e] = d_q[c];
    }
  }
}

/// Grid as forward; a warp takes a key at a time and sums over the span's query rows in order: no
/// atomics, same bits.
__global__ void attention_backward_key_kernel(AttentionBackward b, const float* delta,
                                              float scale) {
  const AttentionForward& p = b.forward;
  const BlockWork work(p);
  const AttentionSpan& s = work.span;
  const int64_t width = work.width;
  const int64_t column = work.column;
  const int64_t first = work.first;
  const int lane = threadIdx.x;
  const int64_t keys = num_keys(s);
  for (int64_t key = work.begin; key < keys; key += work.step) {
    const float* key_row = span_row(p.prefix_keys, p.own_keys, s, key, column);
    const float* value_row = span_row(p.prefix_values, p.own_values, s, key, column);
    float d_key[kMaxColumns] = {};
    float d_value[kMaxColumns] = {};
    for (int64_t begin = s.query_begin; begin < s.query_end; begin += kWarp) {
      const int64_t row = begin + lane;
      float share = 0.0F;
      float d_score = 0.0F;
      if (row < s.query_end && sees(p.visible[row], key)) {
        const float score = scale * dot(p.q.data + row * p.q.stride + column, key_row, width);
        share = expf(score - p.lse[row * p.heads + work.head]);
        const float d_share = dot(b.d_out.data + row * b.d_out.stride + column, value_row, width);
        d_score = share * (d_share - delta[row * p.heads + work.head]) * scale;
      }
      for (int j = 0; j < kWarp && begin + j < s.query_end; ++j) {
        const float weight = __shfl_sync(kFull, share, j);
        const float d_weight = __shfl_sync(kFull, d_score, j);
        const float* q = p.q.data + (begin + j) * p.q.stride + column;
        const float* d_out = b.d_out.data + (begin + j) * b.d_out.stride + column;
        for (int c = 0; c < kMaxColumns; ++c) {
          const int64_t e = first + lane + c * kWarp;
          if (e >= width) continue;
          d_key[c] = fmaf(d_weight, q[e], d_key[c]);
          d_value[c] = fmaf(weight, d_out[e], d_value[c]);
        }
      }
    }
    float* d_key_row = span_row(b.d_prefix_keys, b.d_own_keys, s, key, column);
    float* d_value_row = span_row(b.d_prefix_values, b.d_own_values, s, key, column);
    for (int c = 0; c < kMaxColumns; ++c) {
      const int64_t e = first + lane + c * kWarp;
      if (e >= width) continue;
      d_key_row[e] += d_key[c];
      d_value_row[e] += d_value[c];
    }
  }
}

float scale_of(const AttentionForward& p) {
  return 1.0F / std::sqrt(static_cast<float>(p.q.cols / p.heads));
}

/// `rows`: of all spans together, in pieces that give each warp a few.
dim3 grid_of(const AttentionForward& p, int64_t rows) {
  constexpr int64_t kRowsPerWarp = 4;
  constexpr int64_t kMostPieces = 64;
  const int64_t pieces = rows / (p.num_spans * kWarpsPerBlock * kRowsPerWarp);
  const auto runs = blocks_for(p.q.cols / p.heads, kBlockColumns);
  return dim3(static_cast<unsigned>(p.num_spans), static_cast<unsigned>(p.heads) * runs,
              static_cast<unsigned>(std::clamp<int64_t>(pieces, 1, kMostPieces)));
}

}  // namespace

void attention_probabilities_cuda(cudaStream_t stream, const AttentionForward& p, int64_t span,
                                  int64_t query_row, float* probabilities) {
  const float scale = scale_of(p);
  for_request_elements(
      stream, "attention probabilities", 1,
      [=] __device__(int64_t) { return num_keys(p.spans[span]); },
      [=] __device__(int64_t, int64_t key) {
        const AttentionSpan& s = p.spans[span];
        const int64_t width = p.q.cols / p.heads;
        const float* q = p.q.data + query_row * p.q.stride;
        float sum = 0.0F;
        for (int64_t head = 0; head < p.heads && sees(p.visible[query_row], key); ++head) {
          const float* k = span_row(p.prefix_keys, p.own_keys, s, key, head * width);
          const float score = scale * dot(q + head * width, k, width);
          sum += expf(score - p.lse[query_row * p.heads + head]);
        }
        probabilities[key] = sum / static_cast<float>(p.heads);
      });
}

void attention_forward_cuda(cudaStream_t stream, const AttentionForward& p) {
  if (p.num_spans == 0) return;
  attention_forward_kernel<<<grid_of(p, p.q.rows), dim3(kWarp, kWarpsPerBlock), 0, stream>>>(
      p, scale_of(p));
  check_cuda(cudaGetLastError(), "launch attention");
}

void attention_backward_cuda(cudaStream_t stream, const AttentionBackward& p, float* delta) {
  if (p.forward.num_spans == 0) return;
  const float scale = scale_of(p.forward);
  const dim3 threads(kWarp, kWarpsPerBlock);
  const int64_t num_keys = p.forward.prefix_keys.rows + p.forward.own_keys.rows;
  attention_backward_query_kernel<<<grid_of(p.forward, p.forward.q.rows), threads, 0, stream>>>(
      p, delta, scale);
  attention_backward_key_kernel<<<grid_of(p.forward, num_keys), threads, 0, stream>>>(p, delta,
                                                                                      scale);
  check_cuda(cudaGetLastError(), "launch attention gradient");
}

}  // namespace longer
