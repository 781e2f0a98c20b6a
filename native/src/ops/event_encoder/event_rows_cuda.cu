#include "ops/cuda_launch.hpp"
#include "ops/event_encoder/event_rows_cuda.hpp"
#include "ops/feature_input/feature_input.cuh"
#include "ops/linear/part_sums_cuda.hpp"
#include "ops/tensor_core.cuh"

namespace longer {
namespace {

constexpr int kGatherColumns = 16;
constexpr int kGatherTokens = 16;
constexpr int kSlotColumns = 32;
constexpr int kSlotLanes = 8;
constexpr int64_t kTokensPerPart = 2048;

/// Grid: runs of tokens. to [N, width] = a feature's input, and the columns of its token's position
/// added where there is one; rows of `position` are `position_stride` apart.
__global__ void gather_kernel(TableView table, FeatureValues values, const float* position,
                              const int32_t* positions, int64_t position_stride, Bf16View to) {
  const int64_t token = static_cast<int64_t>(blockIdx.x) * kGatherTokens + threadIdx.y;
  if (token >= to.rows) return;
  const float* add = position == nullptr ? nullptr : position + positions[token] * position_stride;
  for (int64_t col = threadIdx.x; col < to.cols; col += kGatherColumns) {
    float value = feature_input(table, values, token, col);
    if (add != nullptr) value += add[col];
    to.data[token * to.stride + col] = {static_cast<uint16_t>(pack_bf16(value, 0.0F))};
  }
}

/// The token of group g in `slot`, −1 at a pad slot.
__device__ int64_t token_at(const EventTokens& tokens, int64_t g, int64_t slot) {
  for (int64_t t = tokens.group_offsets[g]; t < tokens.group_offsets[g + 1]; ++t) {
    if (tokens.slots[t] == slot) return t;
  }
  return -1;
}

/// Grid: (parts of the tokens, runs of columns). A thread adds every eighth token of its part, in
/// order, to the sum of its column and the token's slot; then the eight sums are added in order.
__global__ void slot_sums_kernel(const int32_t* slots, ConstMatrixView d_rows, int merge_factor,
                                 float* parts) {
  extern __shared__ float sums[];  // [lanes, K, columns]
  const int64_t column = static_cast<int64_t>(blockIdx.y) * kSlotColumns + threadIdx.x;
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * kTokensPerPart;
  const int64_t end = min(d_rows.rows, begin + kTokensPerPart);
  float* mine = sums + static_cast<int>(threadIdx.y) * merge_factor * kSlotColumns + threadIdx.x;
  for (int slot = 0; slot < merge_factor; ++slot) mine[slot * kSlotColumns] = 0.0F;
  if (column < d_rows.cols) {
    for (int64_t t = begin + threadIdx.y; t < end; t += kSlotLanes) {
      mine[slots[t] * kSlotColumns] += d_rows.data[t * d_rows.stride + column];
    }
  }
  __syncthreads();
  if (column >= d_rows.cols) return;
  for (int slot = static_cast<int>(threadIdx.y); slot < merge_factor; slot += kSlotLanes) {
    float total = 0.0F;
    for (int lane = 0; lane < kSlotLanes; ++lane) {
      total += sums[(lane * merge_factor + slot) * kSlotColumns + threadIdx.x];
    }
    parts[(static_cast<int64_t>(blockIdx.x) * merge_factor + slot) * d_rows.cols + column] = total;
  }
}

}  // namespace

void gather_inputs_bf16(CudaStream& stream, const EventTokens& tokens, const EventEncoderWeights& w,
                        const Bf16View& inputs) {
  const int64_t width = inputs.cols - w.time_width;
  const dim3 threads(kGatherColumns, kGatherTokens);
  const unsigned blocks = blocks_for(inputs.rows, kGatherTokens);
  int64_t first = 0;
  for (size_t f = 0; f < w.tables.size(); ++f) {
    const Bf16View to = inputs.slice_cols(first, first + w.tables[f].width);
    const float* position = w.position == nullptr ? nullptr : w.position + first;
    gather_kernel<<<blocks, threads, 0, stream.get()>>>(w.tables[f], tokens.features[f], position,
                                                        tokens.positions, width, to);
    first += w.tables[f].width;
  }
  if (w.time_width > 0) {
    const TableView times = {w.time_bucket, w.time_width, w.num_time_buckets};
    const FeatureValues values = {tokens.time_buckets, nullptr, nullptr};
    gather_kernel<<<blocks, threads, 0, stream.get()>>>(times, values, nullptr, tokens.positions, 0,
                                                        inputs.slice_cols(width, inputs.cols));
  }
  check_cuda(cudaGetLastError(), "launch gather of events");
}

void merge_tokens(CudaStream& stream, const EventTokens& tokens, ConstMatrixView rows,
                  MatrixView merged) {
  const int64_t d = rows.cols;
  for_elements(stream.get(), "merge", merged.rows * merged.cols, [=] __device__(int64_t i) {
    const int64_t g = i / merged.cols;
    const int64_t col = i % merged.cols;
    const int64_t token = token_at(tokens, g, col / d);
    merged.data[g * merged.stride + col] =
        token < 0 ? 0.0F : rows.data[token * rows.stride + col % d];
  });
}

void unmerge_tokens(CudaStream& stream, const EventTokens& tokens, ConstMatrixView d_merged,
                    MatrixView d_rows) {
  const int64_t d = d_rows.cols;
  for_elements(stream.get(), "unmerge", tokens.num_groups * d, [=] __device__(int64_t i) {
    const int64_t g = i / d;
    const int64_t col = i % d;
    for (int64_t t = tokens.group_offsets[g]; t < tokens.group_offsets[g + 1]; ++t) {
      d_rows.data[t * d + col] = d_merged.data[g * d_merged.stride + tokens.slots[t] * d + col];
    }
  });
}

void add_slot_gradients(CudaStream& stream, const EventTokens& tokens, ConstMatrixView d_rows,
                        float* d_slot) {
  const int64_t size = tokens.merge_factor * d_rows.cols;
  const int64_t num_parts = (d_rows.rows + kTokensPerPart - 1) / kTokensPerPart;
  if (num_parts == 0) return;
  const WorkspaceScope scope(stream.workspace());
  float* parts = stream.workspace().allocate<float>(num_parts * size);
  const int bytes = static_cast<int>(kSlotLanes * tokens.merge_factor * kSlotColumns * 4);
  check_cuda(
      cudaFuncSetAttribute(slot_sums_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
      "set up slots' gradient");
  const dim3 grid(static_cast<unsigned>(num_parts), blocks_for(d_rows.cols, kSlotColumns));
  slot_sums_kernel<<<grid, dim3(kSlotColumns, kSlotLanes), bytes, stream.get()>>>(
      tokens.slots, d_rows, static_cast<int>(tokens.merge_factor), parts);
  check_cuda(cudaGetLastError(), "launch slots' gradient");
  add_part_sums(stream, parts, num_parts, size, 1, size, d_slot, size);
}

}  // namespace longer
