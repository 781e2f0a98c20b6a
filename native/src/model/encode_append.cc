#include "model/encode_append.hpp"

#include <algorithm>
#include <vector>

#include "model/window.hpp"

namespace longer {
namespace {

/// One layer over rows x, of which those from `first_query` on go on. The first `num_known` rows'
/// keys and values are the last ones of `prefix`, the others come behind it.
struct LayerCall {
  ConstMatrixView x;
  ConstMatrixView prefix;
  int64_t num_known = 0;
  int64_t first_query = 0;
};

struct LayerResult {
  MatrixView keys_values;  // of the rows that are not known
  MatrixView rows;         // output of the queries
};

LayerResult run(const Config& config, const ModelWeights& weights, Backend& backend, Stream& stream,
                Workspace& memory, int64_t layer, const LayerCall& call) {
  const int64_t width = config.model_width();
  const int64_t queries = call.x.rows - call.first_query;
  const int64_t own = call.x.rows - call.num_known;
  const LayerResult result = {memory.matrix(own, 2 * width), memory.matrix(queries, width)};
  LayerRows rows;
  for (int64_t i = 0; i < queries; ++i) {
    const int64_t row = call.first_query + i;
    const int64_t key = call.prefix.rows - call.num_known + row;
    rows.query_rows.push_back(static_cast<int32_t>(row));
    rows.visible.push_back({static_cast<int32_t>(key + 1), 0, 0});
  }
  rows.spans.push_back({0, queries, 0, call.prefix.rows, 0, own});
  std::vector<Placement> arrays;
  rows.list(arrays);
  stream.place(memory, arrays.data(), arrays.size());
  TransformerLayerForward p;
  p.shape = {call.x.rows, queries, call.prefix.rows, width, config.heads, call.num_known};
  p.weights = &weights.layers[static_cast<size_t>(layer)];
  p.x = call.x;
  p.query_rows = rows.query_rows.placed();
  p.prefix_kv = call.prefix;
  p.num_spans = queries == 0 ? 0 : 1;
  p.spans = rows.spans.placed();
  p.visible = rows.visible.placed();
  p.kv_sink = result.keys_values;
  p.rows_out = result.rows;
  backend.transformer_layer_forward(stream, p);
  return result;
}

/// upper over lower.
ConstMatrixView stacked(Stream& stream, Workspace& memory, ConstMatrixView upper,
                        ConstMatrixView lower) {
  const MatrixView all = memory.matrix(upper.rows + lower.rows, lower.cols);
  stream.copy(all.data, upper.data, upper.rows * upper.cols);
  stream.copy(all.row(upper.rows), lower.data, lower.rows * lower.cols);
  return all;
}

}  // namespace

bool can_append(const Config& config) {
  return config.anchor == Anchor::kOldest && config.time != TimeMode::kRequestRelative &&
         config.query_strategy == QueryStrategy::kRecent;
}

bool needs_query_rows(const Config& config) {
  return can_append(config) && config.num_layers() > 1 && goes_on(config, 1);
}

bool needs_head_rows(const Config& config) {
  return can_append(config) && head_reads_history(config);
}

void encode_append(const Config& config, const ModelWeights& weights, Backend& backend,
                   Stream& stream, Workspace& memory, const PreparedBatch& events,
                   const EncodedHistory& former, AppendedRows& rows) {
  const int64_t unchanged = former.num_unchanged_groups;
  const int64_t groups = events.num_groups();
  rows.num_groups = unchanged + groups;
  const int64_t start = first_recent_query(config, rows.num_groups);
  rows.num_queries = rows.num_groups - start;
  const int64_t former_start = former.num_groups - former.num_queries;
  const bool moves = start != former_start;
  const int64_t keep = std::max<int64_t>(0, unchanged - start);  // query rows that stay
  const int64_t drop = keep > 0 ? start - former_start : 0;
  const int64_t added = rows.num_queries - keep;
  const auto layer_of = [&](int64_t layer, const LayerCall& call) {
    return run(config, weights, backend, stream, memory, layer, call);
  };
  const auto kept_keys = [&](int64_t layer) {
    return former.keys_values->layers[static_cast<size_t>(layer)].slice_rows(drop, drop + keep);
  };

  const MatrixView merged = memory.matrix(groups, config.model_width());
  backend.event_encoder_forward(
      stream, {events.event_tokens(config), &weights.event_encoder, merged, nullptr});
  rows.keys_values.clear();
  LayerResult result = layer_of(0, {merged, former.keys_values->layers[0].slice_rows(0, unchanged),
                                    0, goes_on(config, 0) ? groups - added : groups});
  rows.keys_values.push_back({0, unchanged, result.keys_values});
  rows.query_rows = {drop, keep, result.rows};
  for (int64_t l = 1; l < config.num_layers(); ++l) {
    LayerCall call;
    call.x = result.rows;
    if (l == 1 || !moves) call.prefix = kept_keys(l);
    if (l == 1 && moves && goes_on(config, l)) {
      call.x =
          stacked(stream, memory, former.query_rows.slice_rows(drop, drop + keep), result.rows);
      call.num_known = keep;
    }
    if (!goes_on(config, l)) call.first_query = call.x.rows;
    result = layer_of(l, call);
    const bool stays = l == 1 || !moves;
    rows.keys_values.push_back({stays ? drop : 0, stays ? keep : 0, result.keys_values});
  }
  if (!head_reads_history(config)) return;
  // The cross-causal layer's results stay whatever the start; those of later layers if it stays.
  const bool stays = config.num_layers() == 1 || !moves;
  rows.head_rows = {stays ? drop : 0, stays ? keep : 0, result.rows};
  const RowChange& change = rows.head_rows;
  const ConstMatrixView head_rows =
      stacked(stream, memory, former.head_rows.slice_rows(change.drop, change.drop + change.keep),
              change.added);
  PlacedArray<int32_t> offsets;
  offsets.assign({0, static_cast<int32_t>(head_rows.rows)});
  const Placement placement = offsets.placement();
  stream.place(memory, &placement, 1);
  rows.head_share = memory.matrix(1, config.model_width());
  backend.history_head_forward(
      stream,
      history_head_call(config, weights, memory, 1, offsets.placed(), head_rows, rows.head_share));
}

}  // namespace longer
