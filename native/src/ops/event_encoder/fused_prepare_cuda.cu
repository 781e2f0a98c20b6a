#include <algorithm>

#include "ops/cuda_launch.hpp"
#include "ops/event_encoder/fused_prepare_cuda.hpp"
#include "ops/tensor_core.cuh"

namespace longer {
namespace {

constexpr int kThreads = 128;
constexpr int kRowsPerBlock = 32;

__host__ __device__ int64_t stride_of(const LinearWeights& w) {
  return w.stride == 0 ? w.in : w.stride;
}

/// fc1's columns of the tables that are read as they are, in order of features.
struct TableColumns {
  int first[kMaxFusedFeatures];  // column of fc1
  int steps[kMaxFusedFeatures];  // of 16 columns; 0 = projected
};

/// What is packed: the block's and the two event maps, raw.
struct FusedSource {
  LinearWeights fc1, fc2;
  BlockWeights block;
  const float* slot;
  TableColumns columns;
};

/// Element (row, col) of a map, times the norm's scale of its column where there is one.
struct MapElement {
  const float* weight;
  int64_t stride;
  const float* scale;
  float factor;

  __device__ float operator()(int row, int col) const {
    const float value = weight[row * stride + col] * factor;
    return scale != nullptr ? value * scale[col] : value;
  }
  /// The pairs of B fragment (tile of rows, step of columns) that lane (g, q) holds.
  __device__ uint2 unit(int tile, int column, int g, int q) const {
    const int row = tile * 8 + g;
    const int col = column + 2 * q;
    const MapElement& w = *this;
    return {pack_bf16(w(row, col), w(row, col + 1)), pack_bf16(w(row, col + 8), w(row, col + 9))};
  }
};

template <int kD>
__device__ uint2 packed_unit(const FusedSource& p, int unit, int lane) {
  using L = FusedLayout<kD>;
  const int g = lane >> 2;
  const int q = lane & 3;
  const BlockWeights& b = p.block;
  const auto in_map = [&](const MapElement& w, int at, int steps) {
    return w.unit(at / steps, at % steps * 16, g, q);
  };
  const auto map = [](const LinearWeights& w, int first_row, const float* scale, float factor) {
    return MapElement{w.weight + first_row * stride_of(w), stride_of(w), scale, factor};
  };
  if (unit < L::kQuery) return in_map(map(p.fc2, 0, nullptr, 0.5F), unit, 2 * L::kSteps);
  if (unit < L::kValue) {  // queries, then keys
    return in_map(map(b.qkv, 0, b.ln1.weight, 1.0F), unit - L::kQuery, L::kSteps);
  }
  if (unit < L::kOut) {
    // A fragments, 16 bytes a lane: a unit holds those of sixteen lanes.
    const int at = (unit - L::kValue) * 32 + lane;
    const int half = at & 1;
    const int owner = at / 2 % 32;
    const int fragment = at / 64;
    const int row = fragment / L::kSteps * 16 + (owner >> 2);
    const int col = fragment % L::kSteps * 16 + (owner & 3) * 2 + half * 8;
    const MapElement w = map(b.qkv, 2 * kD, b.ln1.weight, 1.0F);
    return {pack_bf16(w(row, col), w(row, col + 1)),
            pack_bf16(w(row + 8, col), w(row + 8, col + 1))};
  }
  if (unit < L::kHidden) return in_map(map(b.out, 0, nullptr, 1.0F), unit - L::kOut, L::kSteps);
  if (unit < L::kResult) {
    return in_map(map(b.fc1, 0, b.ln2.weight, 1.0F), unit - L::kHidden, L::kSteps);
  }
  if (unit < L::kTables) {
    return in_map(map(b.fc2, 0, nullptr, 0.5F), unit - L::kResult, 4 * L::kSteps);
  }
  int step = (unit - L::kTables) / (2 * L::kTiles);
  int f = 0;
  while (step >= p.columns.steps[f]) step -= p.columns.steps[f++];
  return map(p.fc1, 0, nullptr, 1.0F)
      .unit((unit - L::kTables) % (2 * L::kTiles), p.columns.first[f] + step * 16, g, q);
}

/// bias[row] + W[row]·shift.
__device__ float shifted_bias(const LinearWeights& w, int row, const float* shift) {
  float sum = w.bias[row];
  for (int c = 0; c < w.in; ++c) sum = fmaf(w.weight[row * stride_of(w) + c], shift[c], sum);
  return sum;
}

template <int kD>
__device__ float packed_float(const FusedSource& p, int i) {
  using L = FusedLayout<kD>;
  if (i < L::kFc2Bias) return p.fc1.bias[i];
  if (i < L::kQkvBias) return p.fc2.bias[i - L::kFc2Bias];
  if (i < L::kOutBias) return shifted_bias(p.block.qkv, i - L::kQkvBias, p.block.ln1.bias);
  if (i < L::kHiddenBias) return p.block.out.bias[i - L::kOutBias];
  if (i < L::kResultBias) return shifted_bias(p.block.fc1, i - L::kHiddenBias, p.block.ln2.bias);
  if (i < L::kSlot) return p.block.fc2.bias[i - L::kResultBias];
  return p.slot[i - L::kSlot];
}

template <int kD>
void pack(CudaStream& stream, const FusedSource& source, int table_steps, int merge_factor,
          uint4* weights) {
  const int units = FusedLayout<kD>::units(table_steps);
  const int floats = FusedLayout<kD>::floats(merge_factor);
  auto* pairs = reinterpret_cast<uint2*>(weights);
  auto* vectors = reinterpret_cast<float*>(weights + units * 16);
  for_elements(stream.get(), "pack event weights", units * 32 + floats, [=] __device__(int64_t at) {
    const auto i = static_cast<int>(at);
    if (i < units * 32) {
      pairs[i] = packed_unit<kD>(source, i / 32, i % 32);
    } else {
      vectors[i - units * 32] = packed_float<kD>(source, i - units * 32);
    }
  });
}

/// A small table and its columns of fc1.
struct Projection {
  const float* table;  // [num_rows, width]
  int num_rows, width;
  int column;
  Bf16* projected;  // [num_rows, 2d], in lane order
};
struct Projections {
  Projection of[kMaxFusedFeatures];
};

/// Grid: (runs of rows, tables). fc1's columns lie transposed in shared memory.
template <int kD>
__global__ void __launch_bounds__(kThreads)
    project_kernel(const __grid_constant__ Projections projections, LinearWeights fc1) {
  extern __shared__ float columns[];  // [width, 2d]
  constexpr int kOut = 2 * kD;
  constexpr int kLanes = kThreads / kOut;
  const Projection& p = projections.of[blockIdx.y];
  const int first = static_cast<int>(blockIdx.x) * kRowsPerBlock;
  if (first >= p.num_rows) return;
  for (int i = static_cast<int>(threadIdx.x); i < p.width * kOut; i += kThreads) {
    const int row = i / p.width;
    const int col = i % p.width;
    columns[col * kOut + row] = fc1.weight[row * stride_of(fc1) + p.column + col];
  }
  __syncthreads();
  const int place = static_cast<int>(threadIdx.x) % kOut;
  const int out = projected_column<kD>(place);
  for (int r = static_cast<int>(threadIdx.x) / kOut; r < kRowsPerBlock; r += kLanes) {
    const int row = first + r;
    if (row >= p.num_rows) break;
    const float* values = p.table + static_cast<int64_t>(row) * p.width;
    float sum = 0.0F;
    for (int c = 0; c < p.width; ++c) sum = fmaf(__ldg(values + c), columns[c * kOut + out], sum);
    p.projected[static_cast<int64_t>(row) * kOut + place] = {
        static_cast<uint16_t>(pack_bf16(sum, 0.0F))};
  }
}

template <int kD>
void project(CudaStream& stream, const Projections& projections, int count,
             const LinearWeights& fc1) {
  int rows = 0;
  int width = 0;
  for (int i = 0; i < count; ++i) {
    rows = std::max(rows, projections.of[i].num_rows);
    width = std::max(width, projections.of[i].width);
  }
  if (rows == 0) return;
  const auto kernel = project_kernel<kD>;
  const int bytes = width * 2 * kD * 4;
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
             "set up small tables");
  const dim3 grid(blocks_for(rows, kRowsPerBlock), static_cast<unsigned>(count));
  kernel<<<grid, kThreads, bytes, stream.get()>>>(projections, fc1);
  check_cuda(cudaGetLastError(), "launch small tables");
}

/// body(integral constant of the token width).
template <class Body>
void for_width(int64_t d, const Body& body) {
  if (d == 16) return body(std::integral_constant<int, 16>());
  if (d == 32) return body(std::integral_constant<int, 32>());
  return body(std::integral_constant<int, 64>());
}

}  // namespace

FusedEvents prepare_fused_events(CudaStream& stream, const EventEncoderForward& p) {
  Workspace& arena = stream.workspace();
  const EventEncoderWeights& w = *p.weights;
  const EventTokens& tokens = p.tokens;
  const int64_t d = w.fc2.out;
  FusedEvents events{};
  events.num_groups = static_cast<int>(tokens.num_groups);
  events.merge_factor = static_cast<int>(tokens.merge_factor);
  events.group_offsets = tokens.group_offsets;
  events.slots = tokens.slots;
  events.merged = p.merged.data;
  FusedSource source = {w.fc1, w.fc2, w.inner[0], w.slot, {}};
  Projections projections{};
  int num_projections = 0;
  const auto add = [&](const int32_t* rows, const TableView& table, int64_t column) {
    FusedFeature& feature = events.features[events.num_features];
    feature = {rows, nullptr, table.rows, static_cast<int>(table.width)};
    if (table.num_rows <= kMaxProjectedRows) {
      Bf16* projected = arena.allocate<Bf16>(table.num_rows * 2 * d);
      projections.of[num_projections++] = {table.rows, static_cast<int>(table.num_rows),
                                           static_cast<int>(table.width), static_cast<int>(column),
                                           projected};
      feature.projected = projected;
    } else {
      const auto steps = static_cast<int>(table.width / 16);
      source.columns.first[events.num_features] = static_cast<int>(column);
      source.columns.steps[events.num_features] = steps;
      events.table_steps += steps;
    }
    ++events.num_features;
  };
  int64_t width = 0;
  for (size_t f = 0; f < w.tables.size(); ++f) {
    add(tokens.features[f].rows, w.tables[f], width);
    width += w.tables[f].width;
  }
  if (w.position != nullptr) add(tokens.positions, {w.position, width, w.num_positions}, 0);
  if (w.time_width > 0) {
    add(tokens.time_buckets, {w.time_bucket, w.time_width, w.num_time_buckets}, width);
  }
  for_width(d, [&](auto constant) {
    constexpr int kD = decltype(constant)::value;
    const int bytes = FusedLayout<kD>::bytes(events.table_steps, events.merge_factor);
    uint4* weights = arena.allocate<uint4>(bytes / 16);
    pack<kD>(stream, source, events.table_steps, events.merge_factor, weights);
    project<kD>(stream, projections, num_projections, w.fc1);
    events.weights = weights;
  });
  return events;
}

}  // namespace longer
