#pragma once
#include "core/bf16.hpp"
#include "ops/attention/attention.hpp"
#include "ops/dropout/dropout.hpp"
#include "ops/weights.hpp"

namespace longer {

/// One pass of a pre-norm layer over one set of ragged rows (native/docs/model.md, "Layers"; LONGER
/// §3.5).
///
/// The layer's rows come in two sets that share weights: merged rows, which see only themselves and
/// older ones, and side rows (globals and candidates), which see the merged rows' keys as a prefix.
/// Each set is one call, merged rows first; serving keeps what the first call left in `kv_sink` and
/// repeats only the second.
///
/// x [R, D] all rows of the set. kv_sink [R − Rk, 2D] (keys | values) of all rows but the first Rk
/// is always written. prefix_kv [Rp, 2D]: keys and values of the other set, empty for merged rows;
/// ends with those of the first Rk rows, which an append to a cached history does not compute
/// again; in bf16 they have keys_values_columns and the stages alone read them. query_rows [Q']
/// ascending row numbers that go on to attention, feed-forward and rows_out [Q', D]; Q' may be 0.
/// spans/visible refer to rows_out's rows as queries.
struct TransformerLayerShape {
  int64_t num_rows = 0;         // R
  int64_t num_query_rows = 0;   // Q'
  int64_t num_prefix_rows = 0;  // Rp
  int64_t width = 0;            // D
  int64_t heads = 1;
  int64_t num_known_rows = 0;              // Rk; 0 where there is a backward pass
  Precision precision = Precision::kFp32;  // bf16: CUDA and without known rows only
};

/// The precision that a layer of this width runs in where `wanted` is asked for: bf16 for heads of
/// 16, 32 or 64 columns and rows of at most 1024.
inline Precision layer_precision(Precision wanted, int64_t width, int64_t heads) {
  const bool is_taken =
      width <= 1024 && (width == 16 * heads || width == 32 * heads || width == 64 * heads);
  return is_taken ? wanted : Precision::kFp32;
}
/// Columns of a row of keys and values, and of their gradients, in floats: in bf16 two numbers lie
/// in one.
inline int64_t keys_values_columns(Precision precision, int64_t width) {
  return precision == Precision::kBf16 ? width : 2 * width;
}

struct TransformerLayerWeights {
  NormWeights ln1, ln2;
  LinearWeights q, kv, out, fc1, fc2;  // q and kv are rows [0, D) and [D, 3D) of the qkv parameter
};
struct TransformerLayerGradients {
  NormGradients ln1, ln2;
  LinearGradients q, kv, out, fc1, fc2;
};

struct TransformerLayerForward {
  TransformerLayerShape shape;
  const TransformerLayerWeights* weights = nullptr;
  ConstMatrixView x;
  const int32_t* query_rows = nullptr;
  ConstMatrixView prefix_kv;
  int64_t num_spans = 0;
  const AttentionSpan* spans = nullptr;
  const VisibleKeys* visible = nullptr;
  MatrixView kv_sink;
  MatrixView rows_out;
  float* saved =
      nullptr;  // transformer_layer_saved_floats(shape) floats for backward; null = inference
  Dropout dropout = {};  // of the results of out and fc2; rows as in rows_out
};

/// Backward of one such call. d_x [R, D] is set. d_kv [R, 2D] holds on entry the gradients that
/// other calls sent to this set's keys and values (zeros if none) and is used as scratch;
/// d_prefix_kv is ADDED to.
struct TransformerLayerBackward {
  TransformerLayerForward forward;
  TransformerLayerGradients gradients;
  ConstMatrixView d_rows_out;
  MatrixView d_kv;
  MatrixView d_prefix_kv;
  MatrixView d_x;
};

/// Floats that one forward call keeps for its backward call; only that call reads them.
int64_t transformer_layer_saved_floats(const TransformerLayerShape& shape);

}  // namespace longer
