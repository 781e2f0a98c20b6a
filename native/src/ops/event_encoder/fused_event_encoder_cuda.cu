#include <algorithm>

#include "ops/cuda_launch.hpp"
#include "ops/event_encoder/fused_event_encoder_cuda.hpp"
#include "ops/event_encoder/fused_prepare_cuda.hpp"
#include "ops/event_encoder/fused_warp.cuh"

namespace longer {
namespace {

/// Warps of a block, and blocks of a multiprocessor: as many warps as have room for their
/// registers.
template <int kD>
constexpr int kWarps = kD == 64 ? 12 : 8;
template <int kD>
constexpr int kBlocks = kD == 64 ? 1 : 2;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
// Instructions of older generations take some registers more than two blocks leave each other.
template <int kD>
constexpr int kResidentBlocks = 1;
#else
template <int kD>
constexpr int kResidentBlocks = kBlocks<kD>;
#endif

/// The event in `slot` of the batch's groups, −1 in a pad slot.
__device__ __forceinline__ int event_at(const FusedEvents& p, int slot) {
  const int group = slot / p.merge_factor;
  if (group >= p.num_groups) return -1;
  const int in_group = slot % p.merge_factor;
  const int begin = __ldg(p.group_offsets + group);
  const int end = __ldg(p.group_offsets + group + 1);
  const int first = __ldg(p.slots + begin);
  const int last = __ldg(p.slots + end - 1);
  int event = begin + in_group - first;
  if (last - first != end - 1 - begin) {  // pad slots between events
    event = begin;
    while (event < end && __ldg(p.slots + event) < in_group) ++event;
    if (event < end && __ldg(p.slots + event) != in_group) return -1;
  }
  return event >= begin && event < end ? event : -1;
}

/// A block's warps take tiles of 16 · kM slots in turn. Lane l knows the event in slot l of its
/// warp's next tile and its rows; the lines they lie in are fetched while the present tile
/// computes.
template <int kD, int kHeads, int kM, bool kIsWide>
__global__ void __launch_bounds__(kWarps<kD> * 32, kResidentBlocks<kD>)
    forward_kernel(const __grid_constant__ FusedEvents p) {
  using Warp = FusedWarp<kD, kHeads, kM, kIsWide>;
  using Layout = FusedLayout<kD>;
  constexpr int kSlots = 16 * kM;
  constexpr int kTiles = Layout::kTiles;
  extern __shared__ uint4 shared[];
  const int num_units = Layout::units(p.table_steps);
  const int words = (num_units * 256 + Layout::floats(p.merge_factor) * 4) / 16;
  for (int i = static_cast<int>(threadIdx.x); i < words; i += kWarps<kD> * 32)
    shared[i] = p.weights[i];
  __syncthreads();
  const int lane = static_cast<int>(threadIdx.x) & 31;
  const Warp w = {reinterpret_cast<const uint2*>(shared) + lane, shared + lane,
                  reinterpret_cast<const float*>(shared + num_units * 16), lane >> 2, lane & 3};
  const int group_shift = 31 - __clz(p.merge_factor);
  const int num_slots = p.num_groups * p.merge_factor;
  const int num_tiles = (num_slots + kSlots - 1) / kSlots;
  const int stride = static_cast<int>(gridDim.x) * kWarps<kD>;

  // [turn][feature][slot]: rows of the present tile and of the next
  int* rows = reinterpret_cast<int*>(shared + words) +
              static_cast<int>(threadIdx.x) / 32 * (2 * kMaxFusedFeatures * 32);
  int turn = 0;
  int next_event = -1;
  const auto row = [&](int of_turn, int f, int slot) -> int& {
    return rows[(of_turn * kMaxFusedFeatures + f) * 32 + slot];
  };
  const auto find_rows = [&] {
#pragma unroll
    for (int f = 0; f < kMaxFusedFeatures; ++f) {
      if (f < p.num_features) {
        row(turn ^ 1, f, lane) = __ldg(p.features[f].rows + max(next_event, 0));
      }
    }
  };
  const auto fetch_rows = [&] {
#pragma unroll
    for (int f = 0; f < kMaxFusedFeatures; ++f) {
      if (f >= p.num_features) continue;
      const FusedFeature& feature = p.features[f];
      const int64_t next = row(turn ^ 1, f, lane);
      if (next < 0) continue;
      feature.projected != nullptr
          ? prefetch(feature.projected + next * 2 * kD)
          : prefetch(reinterpret_cast<const Bf16*>(feature.table + next * feature.width));
    }
  };
  int tile = static_cast<int>(blockIdx.x) * kWarps<kD> + static_cast<int>(threadIdx.x) / 32;
  next_event = lane < kSlots ? event_at(p, tile * kSlots + lane) : -1;
  find_rows();
  for (; tile < num_tiles; tile += stride) {
    const uint32_t valid = __ballot_sync(~0U, next_event >= 0);
    const bool is_full = valid == (kM == 2 ? ~0U : 0xFFFFU);
    turn ^= 1;
    __syncwarp();
    next_event = lane < kSlots ? event_at(p, (tile + stride) * kSlots + lane) : -1;

    typename Warp::Rows z;
    {
      float hidden[kM][2 * kTiles][4];
#pragma unroll
      for (int n = 0; n < 2 * kTiles; ++n) {
        const float2 bias = w.pair(Layout::kFc1Bias, n);
#pragma unroll
        for (int m = 0; m < kM; ++m) {
          hidden[m][n][0] = hidden[m][n][2] = bias.x;
          hidden[m][n][1] = hidden[m][n][3] = bias.y;
        }
      }
      int unit = Layout::kTables;
#pragma unroll
      for (int f = 0; f < kMaxFusedFeatures; ++f) {
        if (f >= p.num_features) break;
        const FusedFeature& feature = p.features[f];
        if (feature.projected != nullptr) {
#pragma unroll
          for (int m = 0; m < kM; ++m) {
#pragma unroll
            for (int h = 0; h < 2; ++h) {
              const int at = row(turn, f, m * 16 + h * 8 + w.g);
              const auto* from =
                  reinterpret_cast<const uint4*>(feature.projected +
                                                 static_cast<int64_t>(max(at, 0)) * 2 * kD) +
                  w.q * (kTiles / 2);
#pragma unroll
              for (int v = 0; v < kTiles / 2; ++v) {
                const uint4 four = at < 0 ? uint4{0, 0, 0, 0} : __ldg(from + v);
                const uint32_t pairs[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                  hidden[m][v * 4 + i][2 * h] += __uint_as_float(pairs[i] << 16);
                  hidden[m][v * 4 + i][2 * h + 1] += __uint_as_float(pairs[i] & 0xFFFF0000U);
                }
              }
            }
          }
        } else {
          for (int s = 0; s < feature.width / 16; ++s) {
            uint32_t a[kM][4];
#pragma unroll
            for (int m = 0; m < kM; ++m) {
#pragma unroll
              for (int h = 0; h < 2; ++h) {
                const int at = row(turn, f, m * 16 + h * 8 + w.g);
                const auto* pairs =
                    reinterpret_cast<const float2*>(
                        feature.table + static_cast<int64_t>(max(at, 0)) * feature.width) +
                    s * 8 + w.q;
                const float2 low = at < 0 ? float2{0.0F, 0.0F} : __ldg(pairs);
                const float2 high = at < 0 ? float2{0.0F, 0.0F} : __ldg(pairs + 4);
                a[m][h] = pack_bf16(low.x, low.y);
                a[m][2 + h] = pack_bf16(high.x, high.y);
              }
            }
#pragma unroll
            for (int n = 0; n < 2 * kTiles; ++n) {
              const uint2 b = w.unit(unit + n);
#pragma unroll
              for (int m = 0; m < kM; ++m) mma_bf16(hidden[m][n], a[m], b.x, b.y);
            }
            unit += 2 * kTiles;
          }
        }
      }
      // fc2 over gelu; its bias and the slot embedding start the sums.
#pragma unroll
      for (int n = 0; n < kTiles; ++n) {
        const float2 bias = w.pair(Layout::kFc2Bias, n);
#pragma unroll
        for (int h = 0; h < 2; ++h) {
          const int slot = (h * 8 + w.g) & (p.merge_factor - 1);
          const float2 embedding = w.pair(Layout::kSlot + slot * kD, n);
#pragma unroll
          for (int m = 0; m < kM; ++m) {
            z[m][n][2 * h] = bias.x + embedding.x;
            z[m][n][2 * h + 1] = bias.y + embedding.y;
          }
        }
      }
#pragma unroll
      for (int s = 0; s < 2 * Layout::kSteps; ++s)
        w.add_gelu(z, hidden, 2 * s, Layout::kFc2, 2 * Layout::kSteps, s);
    }
    find_rows();
    typename Warp::Fragments normed;
    w.norm(z, normed);
    w.attend(z, normed, valid, is_full, group_shift);
    w.norm(z, normed);
    fetch_rows();
    w.feed_forward(z, normed);
#pragma unroll
    for (int m = 0; m < kM; ++m) {
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int in_tile = m * 16 + h * 8 + w.g;
        const int slot = tile * kSlots + in_tile;
        if (slot >= num_slots) continue;
        const bool is_event = (valid >> in_tile & 1) != 0;
        auto* to = reinterpret_cast<float2*>(p.merged + static_cast<int64_t>(slot) * kD) + w.q;
#pragma unroll
        for (int n = 0; n < kTiles; ++n) {
          to[n * 4] = is_event ? float2{z[m][n][2 * h], z[m][n][2 * h + 1]} : float2{0.0F, 0.0F};
        }
      }
    }
  }
}

template <int kD, int kHeads, int kM, bool kIsWide>
void launch(CudaStream& stream, const FusedEvents& p) {
  int processors = 0;
  check_cuda(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, stream.device()),
             "count multiprocessors");
  const auto kernel = forward_kernel<kD, kHeads, kM, kIsWide>;
  const int bytes = FusedLayout<kD>::bytes(p.table_steps, p.merge_factor) +
                    kWarps<kD> * 2 * kMaxFusedFeatures * 32 * static_cast<int>(sizeof(int));
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
             "set up the event encoder");
  const int64_t slots = static_cast<int64_t>(p.num_groups) * p.merge_factor;
  const int64_t blocks =
      std::min<int64_t>(blocks_for(slots, kWarps<kD> * 16 * kM), processors * kBlocks<kD>);
  kernel<<<static_cast<unsigned>(blocks), kWarps<kD> * 32, bytes, stream.get()>>>(p);
  check_cuda(cudaGetLastError(), "launch the event encoder");
}

template <int kD, int kHeads, int kM>
void launch(CudaStream& stream, const FusedEvents& p) {
  // A row of a wide group meets sixteen keys: fewer tiles, so that all stays in registers.
  p.merge_factor == 16 ? launch<kD, kHeads, 1, true>(stream, p)
                       : launch<kD, kHeads, kM, false>(stream, p);
}

}  // namespace

bool event_encoder_is_fused(const EventEncoderForward& p) {
  const EventEncoderWeights& w = *p.weights;
  const EventTokens& tokens = p.tokens;
  const int64_t d = w.fc2.out;
  const int64_t k = tokens.merge_factor;
  const bool takes_width = (d == 16 && w.inner_heads == 1) || (d == 32 && w.inner_heads == 2) ||
                           (d == 64 && w.inner_heads == 2);
  const bool takes_group = k == 2 || k == 4 || k == 8 || k == 16;
  if (!takes_width || !takes_group || w.inner.size() != 1 || w.slot == nullptr) return false;
  if (p.dropout.is_on() || p.event_tokens != nullptr || p.merged.stride != k * d) return false;
  if (tokens.num_groups * k > int64_t{1} << 30) return false;
  int64_t features = (w.position != nullptr ? 1 : 0) + (w.time_width > 0 ? 1 : 0);
  int64_t steps = 0;
  for (size_t f = 0; f < w.tables.size(); ++f, ++features) {
    const FeatureValues& values = tokens.features[f];
    if (values.numbers != nullptr || values.offsets != nullptr) return false;
    if (w.tables[f].num_rows <= kMaxProjectedRows) continue;
    if (w.tables[f].width % 16 != 0) return false;
    steps += w.tables[f].width / 16;
  }
  return features <= kMaxFusedFeatures && w.num_positions <= kMaxProjectedRows && steps <= 16;
}

void event_encoder_forward_fused(CudaStream& stream, const EventEncoderForward& p) {
  const WorkspaceScope scope(stream.workspace());
  const FusedEvents events = prepare_fused_events(stream, p);
  switch (p.weights->fc2.out) {
    case 16:
      return launch<16, 1, 2>(stream, events);
    case 32:
      return launch<32, 2, 2>(stream, events);
    default:
      return launch<64, 2, 1>(stream, events);
  }
}

}  // namespace longer
