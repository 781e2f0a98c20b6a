#pragma once
// Groups in lanes: token i, column c of as many groups as a register has lanes becomes one
// register, so that attention inside a group is arithmetic between whole registers, with no sum
// across lanes and no lane idle because a group or a head is narrower than a register.
#include "core/vec.hpp"
#include "ops/event_encoder/event_encoder_kernels.hpp"

namespace longer::LONGER_TIER {

inline constexpr int64_t kQuad = 4;  // columns that one transposition moves
inline constexpr int64_t kQuads = kVecLanes / kQuad;
/// Columns of a panel [tokens of a group, kPanelColumns] of registers.
inline constexpr int64_t kPanelColumns = 16;
using quad = float __attribute__((vector_size(kQuad * 4)));

/// kVecLanes consecutive groups, group g in lane g.
struct GroupLanes {
  int64_t group_size = 1;
  bool is_full = true;                   // every lane holds a group of group_size tokens
  alignas(64) int32_t sizes[kVecLanes];  // tokens of each lane's group, 0 = no group
  /// First element of token i of lane g in a [tokens, width] matrix. A missing token takes its
  /// group's last one, a missing group the last group: what is read there is multiplied by 0.
  int64_t offsets[kMaxGroup][kVecLanes];

  GroupLanes(const InnerAttention& p, int64_t first_group) : group_size(p.group_size) {
    for (int64_t lane = 0; lane < kVecLanes; ++lane) {
      const int64_t last = p.num_groups - 1;
      const int64_t group = first_group + lane < last ? first_group + lane : last;
      const int64_t begin = p.group_offsets[group] - p.group_offsets[0];
      const int32_t size = p.group_offsets[group + 1] - p.group_offsets[group];
      sizes[lane] = first_group + lane <= last ? size : 0;
      is_full = is_full && sizes[lane] == group_size;
      for (int64_t i = 0; i < group_size; ++i) {
        offsets[i][lane] = (begin + (i < size ? i : size - 1)) * p.width;
      }
    }
  }
  /// Lanes whose group has a token i.
  ivec has(int64_t i) const {
    ivec size;
    __builtin_memcpy(&size, sizes, sizeof(size));
    return size > static_cast<int32_t>(i);
  }
};

/// The 4 × 4 blocks of four registers, each transposed.
LONGER_INLINE void transpose_quads(vec (&rows)[kQuad]) {
  ivec low, high, first, second;
#pragma GCC unroll 16
  for (int32_t i = 0; i < kVecLanes; ++i) {
    const auto other = static_cast<int32_t>(kVecLanes);
    const int32_t base = i / 4 * 4;
    low[i] = base + i % 4 / 2 + (i % 2) * other;
    high[i] = base + i % 4 / 2 + 2 + (i % 2) * other;
    first[i] = base + i % 2 + (i % 4 / 2) * other;
    second[i] = base + i % 2 + 2 + (i % 4 / 2) * other;
  }
  const vec a = vec_shuffle(rows[0], rows[1], low);
  const vec b = vec_shuffle(rows[2], rows[3], low);
  const vec c = vec_shuffle(rows[0], rows[1], high);
  const vec d = vec_shuffle(rows[2], rows[3], high);
  rows[0] = vec_shuffle(a, b, first);
  rows[1] = vec_shuffle(a, b, second);
  rows[2] = vec_shuffle(c, d, first);
  rows[3] = vec_shuffle(c, d, second);
}

LONGER_INLINE vec join(const quad (&parts)[kQuads]) {
  vec v;
#if defined(__AVX512F__)
  v = (vec)_mm512_castps128_ps512((__m128)parts[0]);
  v = (vec)_mm512_maskz_insertf32x4(kAllLanes, (__m512)v, (__m128)parts[1], 1);
  v = (vec)_mm512_maskz_insertf32x4(kAllLanes, (__m512)v, (__m128)parts[2], 2);
  v = (vec)_mm512_maskz_insertf32x4(kAllLanes, (__m512)v, (__m128)parts[3], 3);
#elif defined(__AVX2__)
  v = (vec)_mm256_insertf128_ps(_mm256_castps128_ps256((__m128)parts[0]), (__m128)parts[1], 1);
#else
  v = parts[0];
#endif
  return v;
}

LONGER_INLINE quad load_quad(const float* from, int64_t count) {
  quad q{};
  if (count == kQuad) {
    __builtin_memcpy(&q, from, sizeof(q));
  } else {
    for (int64_t i = 0; i < count; ++i) q[i] = from[i];
  }
  return q;
}

/// panel[i · kPanelColumns + c] = column c of token i of every lane's group, for `columns` columns;
/// those up to the next multiple of four are 0. Rows are kStride · width apart.
template <int64_t kStride>
void load_panel(const GroupLanes& groups, const float* matrix, int64_t columns, vec* panel) {
  for (int64_t i = 0; i < groups.group_size; ++i) {
    const int64_t* offsets = groups.offsets[i];
    for (int64_t c = 0; c < columns; c += kQuad) {
      const int64_t count = columns - c < kQuad ? columns - c : kQuad;
      vec rows[kQuad];
#pragma GCC unroll 4
      for (int64_t r = 0; r < kQuad; ++r) {
        quad parts[kQuads];
#pragma GCC unroll 4
        for (int64_t q = 0; q < kQuads; ++q) {
          parts[q] = load_quad(matrix + kStride * offsets[kQuad * q + r] + c, count);
        }
        rows[r] = join(parts);
      }
      transpose_quads(rows);
#pragma GCC unroll 4
      for (int64_t r = 0; r < kQuad; ++r) panel[i * kPanelColumns + c + r] = rows[r];
    }
  }
}

/// The way back, for tokens that exist.
template <int64_t kStride>
void store_panel(const GroupLanes& groups, const vec* panel, int64_t columns, float* matrix) {
  for (int64_t i = 0; i < groups.group_size; ++i) {
    const int64_t* offsets = groups.offsets[i];
    for (int64_t c = 0; c < columns; c += kQuad) {
      const int64_t count = columns - c < kQuad ? columns - c : kQuad;
      vec rows[kQuad];
#pragma GCC unroll 4
      for (int64_t r = 0; r < kQuad; ++r) rows[r] = panel[i * kPanelColumns + c + r];
      transpose_quads(rows);
      alignas(64) float values[kQuad * kVecLanes];
#pragma GCC unroll 4
      for (int64_t r = 0; r < kQuad; ++r) vec_store(values + r * kVecLanes, rows[r]);
#pragma GCC unroll 16
      for (int64_t lane = 0; lane < kVecLanes; ++lane) {
        if (!groups.is_full && groups.sizes[lane] <= i) continue;
        const float* from = values + lane % kQuad * kVecLanes + lane / kQuad * kQuad;
        float* to = matrix + kStride * offsets[lane] + c;
        if (count == kQuad) {
          __builtin_memcpy(to, from, kQuad * sizeof(float));
        } else {
          for (int64_t e = 0; e < count; ++e) to[e] = from[e];
        }
      }
    }
  }
}

}  // namespace longer::LONGER_TIER
