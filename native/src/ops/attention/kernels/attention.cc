// Scores are kept as [keys, query rows]: query rows lie in the lanes, so that softmax needs no sums
// across lanes, keys are read in place, and every sum over keys is one chain in their order.
#include "core/vec_math.hpp"
#include "ops/attention/attention_kernels.hpp"
#include "ops/linear/kernels/pack.hpp"
#include "ops/linear/kernels/tile.hpp"

namespace longer::LONGER_TIER {
namespace {

static_assert(kPanel == kAttentionRows);

LONGER_INLINE float minus_infinity() { return -__builtin_inff(); }
LONGER_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
LONGER_INLINE ivec ivec_load(const int32_t* p) {
  ivec v;
  __builtin_memcpy(&v, p, sizeof(v));
  return v;
}

/// What the query rows of a block see, by lane; lanes without a row see nothing.
struct Lanes {
  alignas(64) int32_t end[kAttentionRows];
  alignas(64) int32_t own_count[kAttentionRows];  // keys of the second range
  int64_t most = 0;                               // of `end`
  int64_t least = 0;                              // of `end`, over the rows
  int64_t columns = 0;   // rows rounded up to registers; the stride of scores
  int64_t most_own = 0;  // of `own_count`
};

Lanes lanes_of(const AttentionBlock& p) {
  Lanes lanes;
  lanes.columns = (p.rows + kVecLanes - 1) / kVecLanes * kVecLanes;
  lanes.least = p.rows > 0 ? p.visible[0].end : 0;
  for (int64_t m = 0; m < kAttentionRows; ++m) {
    const bool is_row = m < p.rows;
    lanes.end[m] = is_row ? p.visible[m].end : 0;
    lanes.own_count[m] = is_row ? p.visible[m].own_end - p.visible[m].own_begin : 0;
    if (lanes.own_count[m] > lanes.most_own) lanes.most_own = lanes.own_count[m];
    if (is_row && lanes.end[m] > lanes.most) lanes.most = lanes.end[m];
    if (is_row && lanes.end[m] < lanes.least) lanes.least = lanes.end[m];
  }
  return lanes;
}

/// panel[e][m] = scale · rows[m][e]
void pack_block(const AttentionBlock& p, const Lanes& lanes, const float* rows, int64_t stride,
                float scale, float* panel) {
  const int64_t count = p.rows;
  pack_columns([=](int64_t m) { return m < count ? rows + m * stride : nullptr; }, lanes.columns,
               p.width, scale, panel);
}

LONGER_INLINE const float* key_row(const AttentionBlock& p, int64_t key) {
  const AttentionKeys* s = p.segments;
  return key < s[0].count ? s[0].keys + key * s[0].key_stride
                          : s[1].keys + (key - s[0].count) * s[1].key_stride;
}
LONGER_INLINE const float* value_row(const AttentionBlock& p, int64_t key) {
  const AttentionKeys* s = p.segments;
  return key < s[0].count ? s[0].values + key * s[0].value_stride
                          : s[1].values + (key - s[0].count) * s[1].value_stride;
}

/// products[i][m] = panel column m · row_of(p, i-th own key of m), 0 without one; `spare` [width,
/// rows].
template <class RowOf>
void own_products(const AttentionBlock& p, const Lanes& lanes, const float* panel,
                  const RowOf& row_of, float* spare, float* products) {
  for (int64_t i = 0; i < lanes.most_own; ++i) {
    pack_columns(
        [&](int64_t m) {
          return m < p.rows && i < lanes.own_count[m] ? row_of(p, p.visible[m].own_begin + i)
                                                      : nullptr;
        },
        lanes.columns, p.width, 1.0F, spare);
    for (int64_t lane = 0; lane < lanes.columns; lane += kVecLanes) {
      vec sum{};
      for (int64_t e = 0; e < p.width; ++e) {
        sum += vec_load(panel + e * kPanel + lane) * vec_load(spare + e * kPanel + lane);
      }
      vec_store(products + i * lanes.columns + lane, sum);
    }
  }
}

/// body(segment, first, count) for the parts of keys [begin, end) in each segment; `first` counts
/// inside the segment.
template <class Body>
LONGER_INLINE void for_segments(const AttentionBlock& p, int64_t begin, int64_t end,
                                const Body& body) {
  const int64_t border = p.segments[0].count;
  if (begin < smaller(end, border)) body(0, begin, smaller(end, border) - begin);
  const int64_t own = begin > border ? begin : border;
  if (own < end) body(1, own - border, end - own);
}

/// Asks for `rows` rows of `width` floats: rows of one head lie too far apart for the processor to
/// foresee them.
LONGER_INLINE void prefetch_rows(const float* first, int64_t stride, int64_t rows, int64_t width) {
  constexpr int64_t kFloatsPerLine = 16;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t e = 0; e < width; e += kFloatsPerLine) __builtin_prefetch(first + r * stride + e);
  }
}

/// products[key][m] = row key of the keys (or values) · panel column m, for keys [0, most). While
/// it computes on some keys it fetches the next ones, and the values that belong to them.
void key_products(const AttentionBlock& p, const Lanes& lanes, bool of_values, const float* panel,
                  float* products) {
  constexpr int64_t kStep = 2 * kTileRows;
  for_segments(p, 0, lanes.most, [&](int64_t s, int64_t first, int64_t count) {
    const AttentionKeys& keys = p.segments[s];
    const int64_t stride = of_values ? keys.value_stride : keys.key_stride;
    const float* rows = (of_values ? keys.values : keys.keys) + first * stride;
    const int64_t c_stride = lanes.columns;
    float* c = products + (s == 0 ? first : first + p.segments[0].count) * c_stride;
    for (int64_t key = 0; key < count; key += kStep) {
      const int64_t step = smaller(kStep, count - key);
      prefetch_rows(rows + (key + step) * stride, stride, smaller(kStep, count - key - step),
                    p.width);
      if (!of_values)
        prefetch_rows(keys.values + (first + key) * keys.value_stride, keys.value_stride, step,
                      p.width);
      multiply<false>({rows + key * stride, stride, panel, kPanel, kPanel, p.width,
                       c + key * c_stride, c_stride, Start::kZero, nullptr},
                      step, lanes.columns);
    }
  });
}

/// to[m] = Σ over the keys that row m sees of weights[key][m] · row key, in their order; to [rows,
/// width]. Keys that only some rows of a tile see are added row by row: a weight of 0 would not
/// hide an infinite or undefined key.
void weighted_rows(const AttentionBlock& p, const Lanes& lanes, bool of_values,
                   const float* weights, float* to, int64_t to_stride) {
  const int64_t tiles = (p.rows + kTileRows - 1) / kTileRows;
  for (int64_t t = 0; t < tiles; ++t) {
    const int64_t begin = p.rows * t / tiles;
    const int64_t end = p.rows * (t + 1) / tiles;
    int64_t common = p.visible[begin].end;
    for (int64_t m = begin; m < end; ++m) common = smaller(common, p.visible[m].end);
    const auto add = [&](int64_t m, int64_t rows, int64_t first_key, int64_t last_key,
                         Start start) {
      for_segments(p, first_key, last_key, [&](int64_t s, int64_t first, int64_t count) {
        const AttentionKeys& keys = p.segments[s];
        const int64_t stride = of_values ? keys.value_stride : keys.key_stride;
        const float* b = (of_values ? keys.values : keys.keys) + first * stride;
        const float* a =
            weights + (s == 0 ? first : first + p.segments[0].count) * lanes.columns + m;
        multiply<true>({a, lanes.columns, b, stride, kPanel, count, to + m * to_stride, to_stride,
                        start, nullptr},
                       rows, p.width);
        start = Start::kOutput;
      });
    };
    if (common > 0) {
      add(begin, end - begin, 0, common, Start::kZero);
    } else {
      for (int64_t m = begin; m < end; ++m) {
        for_vecs(p.width, [&](int64_t e, int64_t count) {
          vec_store(to + m * to_stride + e, vec{}, count);
        });
      }
    }
    for (int64_t m = begin; m < end; ++m) {
      if (p.visible[m].end > common) add(m, 1, common, p.visible[m].end, Start::kOutput);
    }
  }
}

/// row += weight · other
LONGER_INLINE void add_scaled(float* row, float weight, const float* other, int64_t width) {
  for_vecs(width, [&](int64_t e, int64_t count) {
    vec_store(row + e, vec_load(row + e, count) + vec_load(other + e, count) * weight, count);
  });
}

struct Scratch {
  float* q;         // [width, rows] scaled
  float* scores;    // [keys, rows], then probabilities
  float* own;       // [own keys, rows], likewise
  float* sum;       // [rows]
  float* spare;     // [rows]
  float* d_scores;  // [keys, rows]
  float* d_own;     // [own keys, rows]
  float* d_out;     // [width, rows]
  float* out;       // [width, rows], then own keys and own values
};

Scratch carve(const AttentionBlock& p, const Lanes& lanes) {
  const int64_t keys = p.segments[0].count + p.segments[1].count;
  Scratch s{};
  s.q = p.scratch;
  s.d_out = s.q + p.width * kPanel;
  s.out = s.d_out + p.width * kPanel;
  s.sum = s.out + p.width * kPanel;
  s.spare = s.sum + kPanel;
  s.own = s.spare + kPanel;
  s.d_own = s.own + lanes.most_own * kPanel;
  s.scores = s.d_own + lanes.most_own * kPanel;
  s.d_scores = s.scores + keys * kPanel;
  return s;
}

float scale_of(const AttentionBlock& p) {
  return 1.0F / __builtin_sqrtf(static_cast<float>(p.width));
}

// Keys whose exponentials are computed side by side.
constexpr unsigned kKeys = 4;

/// body(key, keys as a constant) for keys [begin, end), kKeys at a time where there are as many.
template <unsigned N>
struct KeyCount {
  static constexpr unsigned count = N;
};
template <class Body>
LONGER_INLINE void for_key_groups(int64_t begin, int64_t end, const Body& body) {
  int64_t key = begin;
  for (; key + kKeys <= end; key += kKeys) body(key, KeyCount<kKeys>{});
  for (; key < end; ++key) body(key, KeyCount<1>{});
}

/// Turns scores into exp(score − largest), zero where unseen; `own` alike. Leaves the sum and the
/// largest score.
void exponentials(const Lanes& lanes, float* scores, float* own, float* sums, float* largest) {
  for (int64_t lane = 0; lane < lanes.columns; lane += kVecLanes) {
    const ivec end = ivec_load(lanes.end + lane);
    const ivec own_count = ivec_load(lanes.own_count + lane);
    const vec none = vec_splat(minus_infinity());
    const auto score_of = [&](int64_t key) {
      return vec_load(scores + key * lanes.columns + lane);
    };
    const auto sees = [&](int64_t key) { return end > static_cast<int32_t>(key); };
    Vecs<kKeys> most = vecs_of<kKeys>([&](unsigned) { return none; });
    for_key_groups(0, lanes.least, [&](int64_t key, auto keys) {
#pragma GCC unroll 4
      for (unsigned i = 0; i < keys.count; ++i)
        most.part[i] = vec_max(most.part[i], score_of(key + i));
    });
    for (int64_t key = lanes.least; key < lanes.most; ++key) {
      most.part[0] = vec_max(most.part[0], vec_select(sees(key), score_of(key), none));
    }
    const auto own_of = [&](int64_t i) { return own + i * lanes.columns + lane; };
    const auto has_own = [&](int64_t i) { return own_count > static_cast<int32_t>(i); };
    vec top = none;
    for (int64_t i = 0; i < lanes.most_own; ++i) {
      top = vec_max(top, vec_select(has_own(i), vec_load(own_of(i)), none));
    }
#pragma GCC unroll 4
    for (unsigned i = 0; i < kKeys; ++i) top = vec_max(top, most.part[i]);

    vec sum{};
    const auto turn = [&](int64_t key, auto keys, bool all_see) {
      const auto weights =
          vec_exp(vecs_of<keys.count>([&](unsigned i) { return score_of(key + i) - top; }));
#pragma GCC unroll 4
      for (unsigned i = 0; i < keys.count; ++i) {
        const vec weight =
            all_see ? weights.part[i] : vec_select(sees(key + i), weights.part[i], vec{});
        vec_store(scores + (key + i) * lanes.columns + lane, weight);
        sum += weight;
      }
    };
    // Lanes without a row see nothing, but nobody reads what they hold.
    for_key_groups(0, lanes.least, [&](int64_t key, auto keys) { turn(key, keys, true); });
    for_key_groups(lanes.least, lanes.most,
                   [&](int64_t key, auto keys) { turn(key, keys, false); });
    for (int64_t i = 0; i < lanes.most_own; ++i) {
      const vec weight = vec_select(has_own(i), vec_exp(vec_load(own_of(i)) - top), vec{});
      vec_store(own_of(i), weight);
      sum += weight;
    }
    vec_store(sums + lane, sum);
    vec_store(largest + lane, top);
  }
}

void forward(const AttentionBlock& p) {
  const Lanes lanes = lanes_of(p);
  const Scratch s = carve(p, lanes);
  pack_block(p, lanes, p.q, p.q_stride, scale_of(p), s.q);
  key_products(p, lanes, false, s.q, s.scores);
  own_products(p, lanes, s.q, key_row, s.out, s.own);
  exponentials(lanes, s.scores, s.own, s.sum, s.spare);
  weighted_rows(p, lanes, true, s.scores, p.out, p.out_stride);
  for (int64_t m = 0; m < p.rows; ++m) {
    float* out = p.out + m * p.out_stride;
    for (int64_t i = 0; i < lanes.own_count[m]; ++i) {
      add_scaled(out, s.own[i * lanes.columns + m], value_row(p, p.visible[m].own_begin + i),
                 p.width);
    }
    const float sum = s.sum[m];
    const float inverse = sum == 0.0F ? 0.0F : 1.0F / sum;
    for_vecs(p.width, [&](int64_t e, int64_t count) {
      vec_store(out + e, vec_load(out + e, count) * inverse, count);
    });
    if (p.lse != nullptr) {
      p.lse[m * p.lse_stride] = sum == 0.0F ? minus_infinity() : s.spare[m] + __builtin_logf(sum);
    }
  }
}

/// Probabilities from scores and lse, and the scores' gradients p · (d_p − Σ d_out · out) · scale;
/// zero where unseen.
void score_gradients(const Lanes& lanes, float scale, const Scratch& s, const float* lse) {
  for (int64_t lane = 0; lane < lanes.columns; lane += kVecLanes) {
    const ivec end = ivec_load(lanes.end + lane);
    const vec base = vec_load(lse + lane);
    const vec delta = vec_load(s.sum + lane);
    const auto turn = [&](float* scores, float* d_scores, auto keys, auto sees) {
      const auto weights = vec_exp(vecs_of<keys.count>(
          [&](unsigned i) { return vec_load(scores + i * lanes.columns) - base; }));
#pragma GCC unroll 4
      for (unsigned i = 0; i < keys.count; ++i) {
        const vec weight = vec_select(sees(i), weights.part[i], vec{});
        const vec d =
            vec_finished(weight * (vec_load(d_scores + i * lanes.columns) - delta)) * scale;
        vec_store(scores + i * lanes.columns, weight);
        vec_store(d_scores + i * lanes.columns, vec_select(sees(i), d, vec{}));
      }
    };
    for_key_groups(0, lanes.most, [&](int64_t key, auto keys) {
      turn(s.scores + key * lanes.columns + lane, s.d_scores + key * lanes.columns + lane, keys,
           [&](unsigned i) { return end > static_cast<int32_t>(key + i); });
    });
    const ivec own_count = ivec_load(lanes.own_count + lane);
    for (int64_t i = 0; i < lanes.most_own; ++i) {
      turn(s.own + i * lanes.columns + lane, s.d_own + i * lanes.columns + lane, KeyCount<1>{},
           [&](unsigned) { return own_count > static_cast<int32_t>(i); });
    }
  }
}

/// to[key] += Σ over rows m of weights[key][m] · rows[m], for `count` keys.
void add_key_gradients(const float* weights, const Lanes& lanes, const float* rows, int64_t stride,
                       int64_t num_rows, int64_t count, int64_t width, float* to,
                       int64_t to_stride) {
  constexpr int64_t kStep = 2 * kTileRows;
  for (int64_t key = 0; key < count; key += kStep) {
    const int64_t step = smaller(kStep, count - key);
    prefetch_rows(to + (key + step) * to_stride, to_stride, smaller(kStep, count - key - step),
                  width);
    multiply<false>({weights + key * lanes.columns, lanes.columns, rows, stride, kPanel, num_rows,
                     to + key * to_stride, to_stride, Start::kOutput, nullptr},
                    step, width);
  }
}

void backward(const AttentionGradientBlock& g) {
  const AttentionBlock& p = g.forward;
  const Lanes lanes = lanes_of(p);
  const Scratch s = carve(p, lanes);
  const float scale = scale_of(p);
  pack_block(p, lanes, p.q, p.q_stride, scale, s.q);
  pack_block(p, lanes, g.d_out, g.d_out_stride, 1.0F, s.d_out);
  pack_block(p, lanes, p.out, p.out_stride, 1.0F, s.out);
  for (int64_t lane = 0; lane < lanes.columns; lane += kVecLanes) {
    vec delta{};
    for (int64_t e = 0; e < p.width; ++e) {
      delta += vec_load(s.d_out + e * kPanel + lane) * vec_load(s.out + e * kPanel + lane);
    }
    vec_store(s.sum + lane, delta);
  }
  for (int64_t m = 0; m < kAttentionRows; ++m)
    s.spare[m] = m < p.rows ? p.lse[m * p.lse_stride] : 0.0F;
  key_products(p, lanes, false, s.q, s.scores);
  key_products(p, lanes, true, s.d_out, s.d_scores);
  own_products(p, lanes, s.q, key_row, s.out, s.own);
  own_products(p, lanes, s.d_out, value_row, s.out, s.d_own);
  score_gradients(lanes, scale, s, s.spare);
  weighted_rows(p, lanes, false, s.d_scores, g.d_q, g.d_q_stride);
  for_segments(p, 0, lanes.most, [&](int64_t segment, int64_t first, int64_t count) {
    const int64_t scores = (segment == 0 ? first : first + p.segments[0].count) * lanes.columns;
    add_key_gradients(s.d_scores + scores, lanes, p.q, p.q_stride, p.rows, count, p.width,
                      g.d_keys[segment] + first * g.d_key_stride[segment], g.d_key_stride[segment]);
    add_key_gradients(s.scores + scores, lanes, g.d_out, g.d_out_stride, p.rows, count, p.width,
                      g.d_values[segment] + first * g.d_value_stride[segment],
                      g.d_value_stride[segment]);
  });
  for (int64_t m = 0; m < p.rows; ++m) {
    for (int64_t i = 0; i < lanes.own_count[m]; ++i) {
      const int64_t key = p.visible[m].own_begin + i;
      const int64_t segment = key < p.segments[0].count ? 0 : 1;
      const int64_t row = segment == 0 ? key : key - p.segments[0].count;
      const float d_score = s.d_own[i * lanes.columns + m];
      add_scaled(g.d_q + m * g.d_q_stride, d_score, key_row(p, key), p.width);
      add_scaled(g.d_keys[segment] + row * g.d_key_stride[segment], d_score, p.q + m * p.q_stride,
                 p.width);
      add_scaled(g.d_values[segment] + row * g.d_value_stride[segment],
                 s.own[i * lanes.columns + m], g.d_out + m * g.d_out_stride, p.width);
    }
  }
}

}  // namespace

const AttentionKernels kAttentionKernels = {forward, backward};

}  // namespace longer::LONGER_TIER
