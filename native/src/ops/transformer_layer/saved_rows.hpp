#pragma once
#include "ops/transformer_layer/transformer_layer.hpp"

namespace longer {

/// What a forward call keeps, as views into its `saved` floats.
struct SavedRows {
  MatrixView q, attended, middle;  // [Q', D]
  MatrixView hidden_pre;           // [Q', 4D]
  float *mean1, *rstd1;            // [R]
  float *mean2, *rstd2;            // [Q']
  float* lse;                      // [Q', H]

  SavedRows(float* memory, const TransformerLayerShape& s) {
    auto take = [&memory](int64_t count) {
      float* begin = memory;
      memory += count;
      return begin;
    };
    const int64_t queries = s.num_query_rows;
    q = {take(queries * s.width), queries, s.width};
    attended = {take(queries * s.width), queries, s.width};
    middle = {take(queries * s.width), queries, s.width};
    hidden_pre = {take(queries * 4 * s.width), queries, 4 * s.width};
    mean1 = take(s.num_rows);
    rstd1 = take(s.num_rows);
    mean2 = take(queries);
    rstd2 = take(queries);
    lse = take(queries * s.heads);
  }

  /// The attention of the call these rows belong to.
  AttentionForward attention(const TransformerLayerForward& p) const {
    const int64_t width = p.shape.width;
    AttentionForward a;
    a.num_spans = p.num_spans;
    a.spans = p.spans;
    a.visible = p.visible;
    a.heads = p.shape.heads;
    a.q = q;
    if (p.prefix_kv.data != nullptr) {
      a.prefix_keys = p.prefix_kv.slice_cols(0, width);
      a.prefix_values = p.prefix_kv.slice_cols(width, 2 * width);
    }
    a.own_keys = p.kv_sink.slice_cols(0, width);
    a.own_values = p.kv_sink.slice_cols(width, 2 * width);
    a.out = attended;
    a.lse = lse;
    return a;
  }
};

}  // namespace longer
