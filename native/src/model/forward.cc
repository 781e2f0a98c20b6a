#include "model/forward.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace longer {
namespace {

/// The precision of a pass's layers.
Precision precision_of(const Config& config, const Pass& pass) {
  return layer_precision(pass.precision, config.model_width(), config.heads);
}

/// Geometry of the merged rows in layer l: all of them feed layer 0, the query rows the others; the
/// last layer needs their keys and values only, unless the head reads them.
struct MergedLayer {
  int64_t num_rows;
  int64_t num_query_rows;
  const LayerRows* rows;
};

MergedLayer merged_layer(const Config& config, const PreparedBatch& batch, int64_t layer) {
  const int64_t queries = goes_on(config, layer) ? batch.num_queries() : 0;
  if (layer == 0) return {batch.num_merged_rows(), queries, &batch.merged_cross};
  return {batch.num_queries(), queries, &batch.merged_self};
}

TransformerLayerForward merged_call(const Config& config, const ModelWeights& weights,
                                    const PreparedBatch& batch, int64_t layer,
                                    const UserKeysValues& keys_values, const Activations& a) {
  const MergedLayer m = merged_layer(config, batch, layer);
  const auto l = static_cast<size_t>(layer);
  TransformerLayerForward p;
  p.shape = {m.num_rows,
             m.num_query_rows,
             0,
             config.model_width(),
             config.heads,
             0,
             precision_of(config, a.pass)};
  p.weights = &weights.layers[l];
  p.x = a.merged_rows[l];
  p.query_rows = m.rows->query_rows.placed();
  p.num_spans = m.num_query_rows == 0 ? 0 : static_cast<int64_t>(m.rows->spans.size());
  p.spans = m.rows->spans.placed();
  p.visible = m.rows->visible.placed();
  p.kv_sink = keys_values.layers[l];
  if (m.num_query_rows > 0) p.rows_out = a.merged_rows[l + 1];
  p.saved = a.merged_saved[l];
  if (a.pass.dropout != nullptr) p.dropout = a.pass.dropout->of(a.pass.dropout->queries, layer);
  return p;
}

TransformerLayerForward side_call(const Config& config, const ModelWeights& weights,
                                  const PreparedBatch& batch, int64_t layer,
                                  const UserKeysValues& keys_values, const Activations& a) {
  const LayerRows& rows = layer == 0 ? batch.side_cross : batch.side_self;
  const auto l = static_cast<size_t>(layer);
  TransformerLayerForward p;
  p.shape = {batch.num_side_rows,         batch.num_side_rows, keys_values.layers[l].rows,
             config.model_width(),        config.heads,        0,
             precision_of(config, a.pass)};
  p.weights = &weights.layers[l];
  p.x = a.side_rows[l];
  p.query_rows = rows.query_rows.placed();
  p.prefix_kv = keys_values.layers[l];
  p.num_spans = static_cast<int64_t>(rows.spans.size());
  p.spans = rows.spans.placed();
  p.visible = rows.visible.placed();
  p.kv_sink = a.side_kv[l];
  p.rows_out = a.side_rows[l + 1];
  p.saved = a.side_saved[l];
  if (a.pass.dropout != nullptr) p.dropout = a.pass.dropout->of(a.pass.dropout->side, layer);
  return p;
}

Dropout event_dropout(const Activations& a) {
  return a.pass.dropout != nullptr ? a.pass.dropout->of(a.pass.dropout->events, 0) : Dropout();
}

/// Whether each layer's backward pass runs its forward pass again.
bool recomputes_layers(const Pass& pass) {
  return pass.kind == PassKind::kTraining && pass.recomputation == Recomputation::kFull;
}

/// What each layer keeps for its backward pass: memory of its own, or one memory for all of them
/// when they are computed again. shape_of(layer): its shape.
template <class ShapeOf>
void allocate_saved(Workspace& memory, const Pass& pass, int64_t num_layers,
                    const ShapeOf& shape_of, std::vector<float*>& saved) {
  saved.assign(static_cast<size_t>(num_layers), nullptr);
  if (pass.kind == PassKind::kInference) return;
  int64_t most = 0;
  for (int64_t l = 0; l < num_layers; ++l) {
    const int64_t floats = transformer_layer_saved_floats(shape_of(l));
    most = std::max(most, floats);
    if (!recomputes_layers(pass)) saved[static_cast<size_t>(l)] = memory.allocate<float>(floats);
  }
  if (recomputes_layers(pass)) std::fill(saved.begin(), saved.end(), memory.allocate<float>(most));
}

MatrixView zeros(Stream& stream, Workspace& memory, int64_t rows, int64_t cols) {
  const MatrixView m = memory.matrix(rows, cols);
  stream.zero(m.data, rows * cols);
  return m;
}

}  // namespace

bool head_reads_history(const Config& config) { return config.num_history_slots() > 0; }

bool goes_on(const Config& config, int64_t layer) {
  return layer + 1 < config.num_layers() || head_reads_history(config);
}

HistoryHeadForward history_head_call(const Config& config, const ModelWeights& weights,
                                     Workspace& memory, int64_t num_requests,
                                     const int32_t* query_offsets, ConstMatrixView rows,
                                     MatrixView share) {
  HistoryHeadForward head;
  head.weights = &weights.head;
  head.num_slots = config.head == Head::kAll ? config.num_history_slots() : 0;
  head.num_requests = num_requests;
  head.query_offsets = query_offsets;
  head.rows = rows;
  head.normed = memory.matrix(rows.rows, config.model_width());
  head.input = memory.matrix(num_requests, weights.head.fc1_history.in);
  head.mean = memory.allocate<float>(rows.rows);
  head.rstd = memory.allocate<float>(rows.rows);
  head.share = share;
  return head;
}

void sigmoid_scores(const Config& config, ConstMatrixView logits, float* scores) {
  for (int64_t t = 0; t < logits.cols; ++t) {
    const double correction = std::log(config.tasks[static_cast<size_t>(t)].negative_sampling_rate);
    for (int64_t c = 0; c < logits.rows; ++c) {
      const double z = static_cast<double>(logits.row(c)[t]) + correction;
      scores[t * logits.rows + c] = static_cast<float>(1.0 / (1.0 + std::exp(-z)));
    }
  }
}

void allocate_keys_values(const Config& config, const PreparedBatch& batch, Workspace& memory,
                          UserKeysValues& keys_values, Precision precision) {
  const int64_t columns = keys_values_columns(
      layer_precision(precision, config.model_width(), config.heads), config.model_width());
  keys_values.layers.clear();
  for (int64_t l = 0; l < config.num_layers(); ++l) {
    const int64_t rows = merged_layer(config, batch, l).num_rows;
    keys_values.layers.push_back(memory.matrix(rows, columns));
  }
  keys_values.head_share = head_reads_history(config)
                               ? memory.matrix(batch.num_requests, config.model_width())
                               : MatrixView{};
}

void encode_user(const Config& config, const ModelWeights& weights, Backend& backend,
                 Stream& stream, Workspace& memory, const PreparedBatch& batch, const Pass& pass,
                 UserKeysValues& keys_values, Activations& a, float* event_tokens) {
  a.pass = pass;
  a.merged_rows.clear();
  a.merged_rows.push_back(memory.matrix(batch.num_merged_rows(), config.model_width()));
  const bool is_learned = config.num_learned_queries() > 0;
  const MatrixView groups =
      is_learned ? memory.matrix(batch.num_groups(), config.model_width()) : a.merged_rows[0];
  backend.event_encoder_forward(stream, {batch.event_tokens(config), &weights.event_encoder, groups,
                                         event_tokens, event_dropout(a), pass.precision});
  if (is_learned) {
    a.learned_queries = {batch.num_requests, batch.group_offsets.placed(), groups,
                         weights.learned_queries, a.merged_rows[0]};
    backend.learned_queries_forward(stream, a.learned_queries);
  }
  const auto shape_of = [&](int64_t l) -> TransformerLayerShape {
    const MergedLayer m = merged_layer(config, batch, l);
    return {m.num_rows, m.num_query_rows,          0, config.model_width(), config.heads,
            0,          precision_of(config, pass)};
  };
  allocate_saved(memory, pass, config.num_layers(), shape_of, a.merged_saved);
  for (int64_t l = 0; l < config.num_layers(); ++l) {
    if (goes_on(config, l)) {
      a.merged_rows.push_back(memory.matrix(batch.num_queries(), config.model_width()));
    }
    backend.transformer_layer_forward(stream,
                                      merged_call(config, weights, batch, l, keys_values, a));
  }
  if (!head_reads_history(config)) return;
  a.history_head =
      history_head_call(config, weights, memory, batch.num_requests, batch.query_offsets.placed(),
                        a.merged_rows.back(), keys_values.head_share);
  backend.history_head_forward(stream, a.history_head);
}

void score_candidates(const Config& config, const ModelWeights& weights, Backend& backend,
                      Stream& stream, Workspace& memory, const PreparedBatch& batch,
                      const Pass& pass, const UserKeysValues& keys_values, Activations& a) {
  const int64_t width = config.model_width();
  const int64_t kv_columns = keys_values_columns(precision_of(config, pass), width);
  const int64_t rows = batch.num_side_rows;
  a.pass = pass;
  a.side_rows.clear();
  a.side_kv.clear();
  a.side_rows.push_back(memory.matrix(rows, width));
  const GlobalTokensWeights& tokens = weights.global_tokens;
  a.global_tokens = {batch.global_inputs(config), &tokens,
                     memory.matrix(batch.num_requests, tokens.user_width + tokens.time_width),
                     memory.matrix(batch.num_candidates, tokens.candidate_width), a.side_rows[0]};
  backend.global_tokens_forward(stream, a.global_tokens);

  const auto shape_of = [&](int64_t l) -> TransformerLayerShape {
    return {rows,
            rows,
            keys_values.layers[static_cast<size_t>(l)].rows,
            width,
            config.heads,
            0,
            precision_of(config, pass)};
  };
  allocate_saved(memory, pass, config.num_layers(), shape_of, a.side_saved);
  for (int64_t l = 0; l < config.num_layers(); ++l) {
    const bool is_shared = l > 0 && recomputes_layers(pass);
    a.side_kv.push_back(is_shared ? a.side_kv[0] : memory.matrix(rows, kv_columns));
    a.side_rows.push_back(memory.matrix(rows, width));
    backend.transformer_layer_forward(stream, side_call(config, weights, batch, l, keys_values, a));
  }

  PredictionHeadForward& head = a.head;
  head.weights = &weights.head;
  head.layout = batch.side_layout(config);
  head.user_rows = config.num_globals() - config.num_request_rows();
  head.history_share = keys_values.head_share;
  head.side = a.side_rows.back();
  head.normed = memory.matrix(rows, width);
  head.request_input = memory.matrix(batch.num_requests, weights.head.fc1_request.in);
  head.candidate_input = memory.matrix(batch.num_candidates, weights.head.fc1_candidate.in);
  head.hidden_pre = memory.matrix(batch.num_candidates, width);
  head.mean = memory.allocate<float>(rows);
  head.rstd = memory.allocate<float>(rows);
  head.logits = memory.matrix(batch.num_candidates, static_cast<int64_t>(config.tasks.size()));
  head.dropout =
      pass.dropout != nullptr ? pass.dropout->of(pass.dropout->candidates, 0) : Dropout();
  backend.prediction_head_forward(stream, head);
}

void cross_attention_probabilities(const Config& config, const ModelWeights& weights,
                                   Backend& backend, Stream& stream, const PreparedBatch& batch,
                                   const UserKeysValues& keys_values, const Activations& a,
                                   int64_t request, int64_t side_row, float* probabilities) {
  backend.transformer_layer_probabilities(stream,
                                          side_call(config, weights, batch, 0, keys_values, a),
                                          request, side_row, probabilities);
}

void backward(const Config& config, const ModelWeights& weights, Backend& backend, Stream& stream,
              Workspace& memory, const PreparedBatch& batch, const UserKeysValues& keys_values,
              const Activations& a, ConstMatrixView d_logits, const ModelGradients& gradients,
              InputGradients& inputs) {
  const int64_t width = config.model_width();
  const int64_t kv_columns = keys_values_columns(precision_of(config, a.pass), width);
  const int64_t layers = config.num_layers();

  // Side rows, from the head down; each layer adds to the gradients of the merged rows' keys and
  // values.
  std::vector<MatrixView> d_merged_kv;
  for (int64_t l = 0; l < layers; ++l) {
    d_merged_kv.push_back(
        zeros(stream, memory, keys_values.layers[static_cast<size_t>(l)].rows, kv_columns));
  }
  MatrixView d_rows = memory.matrix(batch.num_side_rows, width);
  MatrixView d_next = memory.matrix(batch.num_side_rows, width);
  const MatrixView d_side_kv = memory.matrix(batch.num_side_rows, kv_columns);
  const MatrixView d_head_share =
      head_reads_history(config) ? memory.matrix(batch.num_requests, width) : MatrixView{};
  backend.prediction_head_backward(stream,
                                   {a.head, d_logits, gradients.head, d_rows, d_head_share});
  // The last layer's forward pass left its own rows in the shared memory.
  const auto is_overwritten = [&](int64_t l) {
    return recomputes_layers(a.pass) && l + 1 < layers;
  };
  for (int64_t l = layers - 1; l >= 0; --l) {
    const auto i = static_cast<size_t>(l);
    const TransformerLayerForward call = side_call(config, weights, batch, l, keys_values, a);
    if (is_overwritten(l)) backend.transformer_layer_forward(stream, call);
    stream.zero(d_side_kv.data, d_side_kv.rows * d_side_kv.cols);
    backend.transformer_layer_backward(
        stream, {call, gradients.layers[i], d_rows, d_side_kv, d_merged_kv[i], d_next});
    std::swap(d_rows, d_next);
  }
  inputs.user_input = memory.matrix(batch.num_requests, a.global_tokens.user_input.cols);
  inputs.candidate_input =
      memory.matrix(batch.num_candidates, a.global_tokens.candidate_input.cols);
  backend.global_tokens_backward(
      stream, {a.global_tokens, d_rows, gradients.cls, &gradients.user_tokens,
               &gradients.candidate_tokens, inputs.user_input, inputs.candidate_input});

  // Merged rows, from the head and the last layer down to the event encoder.
  MatrixView d_merged;
  if (head_reads_history(config)) {
    d_merged = memory.matrix(batch.num_queries(), width);
    backend.history_head_backward(stream, {a.history_head, d_head_share, gradients.head, d_merged});
  }
  for (int64_t l = layers - 1; l >= 0; --l) {
    const auto i = static_cast<size_t>(l);
    const TransformerLayerForward call = merged_call(config, weights, batch, l, keys_values, a);
    if (is_overwritten(l)) backend.transformer_layer_forward(stream, call);
    const MatrixView d_x = memory.matrix(a.merged_rows[i].rows, width);
    backend.transformer_layer_backward(
        stream, {call, gradients.layers[i], d_merged, d_merged_kv[i], {}, d_x});
    d_merged = d_x;
  }
  if (config.num_learned_queries() > 0) {
    const MatrixView d_groups = memory.matrix(batch.num_groups(), width);
    backend.learned_queries_backward(
        stream, {a.learned_queries, d_merged, d_groups, gradients.learned_queries});
    d_merged = d_groups;
  }
  const int64_t tokens = batch.num_tokens();
  inputs.features = memory.matrix(tokens, config.features_width(config.event_features));
  inputs.time = memory.matrix(tokens, weights.event_encoder.time_width);
  EventEncoderBackward encoder;
  encoder.tokens = batch.event_tokens(config);
  encoder.weights = &weights.event_encoder;
  encoder.dropout = event_dropout(a);
  encoder.precision = a.pass.precision;
  encoder.d_merged = d_merged;
  encoder.gradients = gradients.event_encoder;
  encoder.d_features = inputs.features.data;
  encoder.d_time = weights.event_encoder.time_width > 0 ? inputs.time.data : nullptr;
  encoder.d_event_tokens = inputs.event_tokens;
  backend.event_encoder_backward(stream, encoder);
}

}  // namespace longer
