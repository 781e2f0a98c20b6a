#pragma once
// The whole of LONGER in double-precision loops, written from native/docs/model.md and from nothing
// else: what every other implementation is compared with. One request at a time, one event at a
// time; obviously right rather than fast.
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "longer/batch.hpp"
#include "longer/config.hpp"
#include "reference/dropout.hpp"
#include "reference/model_block.hpp"
#include "reference/model_features.hpp"
#include "reference/model_math.hpp"
#include "reference/model_rows.hpp"
#include "reference/model_weights.hpp"
#include "reference/model_window.hpp"

namespace longer::model_reference {

/// D values of the head's input: the sum of the given rows, each times `scale`.
struct Slot {
  std::vector<size_t> rows;
  double scale = 1.0;
};

/// All that one request's forward pass computed; backward reads it, tests look into it.
struct RequestTrace {
  reference::DropoutMasks masks;
  uint32_t request = 0;  // counted over the optimizer step
  Window window;
  Rows event_input;                            // [kept events][X + T] features + position, time
  Rows event_hidden;                           // [kept events][2d] before gelu
  Rows event_tokens;                           // [kept events][d] e
  std::vector<std::vector<size_t>> groups;     // per group: its kept events, oldest first
  std::vector<std::vector<BlockTrace>> inner;  // per group and inner layer
  Rows merged;                                 // [S][D]
  Rows user_input;                             // [user tokens]
  std::vector<Rows> candidate_input;           // [C][candidate tokens]
  std::vector<Row> rows;                       // of layer 0, then those that the last layer leaves
  std::vector<BlockTrace> layers;
  Rows outputs;                          // [rows][D] after the last layer
  Rows normed;                           // [rows][D] after head.ln
  std::vector<std::vector<Slot>> slots;  // [C] what each part of the head's input is made of
  Rows head_input, head_hidden;          // [C]
  Rows logits;                           // [C][tasks]
};

/// Result of a batch. logits and scores [tasks, ΣC]; loss and weight (Σ w·t) only with labels.
struct Outcome {
  Vector logits, scores;
  double loss = 0.0;
  double weight = 0.0;
  std::vector<RequestTrace> requests;
};

inline double sigmoid(double logit) { return 1.0 / (1.0 + std::exp(-logit)); }

/// Probability of a task's logit when a share of the negatives was kept for training.
inline double score_of(const TaskConfig& task, double logit) {
  const double odds = std::exp(logit) * task.negative_sampling_rate;
  return odds / (1.0 + odds);
}

inline std::string layer_name(size_t layer) { return "layers." + std::to_string(layer) + "."; }
inline std::string inner_name(size_t layer) {
  return "token_merge.inner." + std::to_string(layer) + ".";
}
inline size_t to_size(int64_t value) { return static_cast<size_t>(value); }

inline std::vector<FeatureConfig> user_and_context_features(const Config& c) {
  std::vector<FeatureConfig> features = c.user_features;
  features.insert(features.end(), c.context_features.begin(), c.context_features.end());
  return features;
}

// ---- event token and token merge
// ------------------------------------------------------------------------------------------

inline void encode_events(const Config& c, const Weights& w, const BatchView& batch,
                          RequestTrace& t) {
  const size_t x_width = to_size(width_of(c, c.event_features));
  t.groups.resize(to_size(t.window.num_groups));
  for (const WindowEvent& event : t.window.events) {
    t.groups[to_size(event.group)].push_back(t.event_tokens.size());
    Vector x = embed(c, w, c.event_features, batch.event_columns, event.event);
    if (c.position == PositionMode::kLearned) {
      add_to(x, slice(w.at("event_encoder.position.weight"), to_size(event.position) * x_width,
                      x_width));
    }
    if (c.time != TimeMode::kNone) {
      const size_t time_width = to_size(c.time_width);
      x = concat(x, slice(w.at("event_encoder.time_bucket.weight"),
                          to_size(event.time_bucket) * time_width, time_width));
    }
    t.event_input.push_back(x);
    t.event_hidden.push_back(linear(w, "event_encoder.fc1", x));
    t.event_tokens.push_back(linear(w, "event_encoder.fc2", gelu(t.event_hidden.back())));
  }
}

inline void encode_events_backward(const Config& c, const Weights& w, const BatchView& batch,
                                   const RequestTrace& t, const Rows& d_tokens,
                                   Weights& gradients) {
  const size_t x_width = to_size(width_of(c, c.event_features));
  for (size_t i = 0; i < t.window.events.size(); ++i) {
    const WindowEvent& event = t.window.events[i];
    const Vector d_activated =
        linear_backward(w, "event_encoder.fc2", gelu(t.event_hidden[i]), d_tokens[i], gradients);
    const Vector d_input =
        linear_backward(w, "event_encoder.fc1", t.event_input[i],
                        gelu_backward(t.event_hidden[i], d_activated), gradients);
    const Vector d_x = slice(d_input, 0, x_width);
    embed_backward(c, w, c.event_features, batch.event_columns, event.event, d_x, gradients);
    if (c.position == PositionMode::kLearned) {
      add_to(gradients.at("event_encoder.position.weight"), d_x, to_size(event.position) * x_width);
    }
    if (c.time != TimeMode::kNone) {
      add_to(gradients.at("event_encoder.time_bucket.weight"),
             slice(d_input, x_width, to_size(c.time_width)),
             to_size(event.time_bucket * c.time_width));
    }
  }
}

/// The masks of a block whose query i is row ordinals[i] of its request.
inline BlockDropout block_dropout(const RequestTrace& t, int layer,
                                  const std::vector<uint32_t>& ordinals) {
  if (t.masks.probability == 0.0) return {};
  return [masks = t.masks, request = t.request, layer, ordinals](int site, size_t query,
                                                                 size_t column) {
    return masks.factor(layer, site, request, ordinals[query], static_cast<uint32_t>(column));
  };
}

/// Every row of `count` sees all of them.
inline std::vector<std::vector<size_t>> everything_visible(size_t count) {
  std::vector<size_t> all(count);
  std::iota(all.begin(), all.end(), size_t{0});
  return std::vector<std::vector<size_t>>(count, all);
}

inline void merge_tokens(const Config& c, const Weights& w, RequestTrace& t) {
  const size_t d = to_size(c.event_width);
  for (const std::vector<size_t>& group : t.groups) {
    Rows z;
    for (size_t i : group) {
      z.push_back(t.event_tokens[i]);
      if (c.inner_layers > 0) {
        add_to(z.back(),
               slice(w.at("token_merge.slot.weight"), to_size(t.window.events[i].slot) * d, d));
      }
    }
    t.inner.emplace_back();
    for (size_t l = 0; l < to_size(c.inner_layers); ++l) {
      const auto visible = everything_visible(z.size());
      const std::vector<uint32_t> ordinals(group.begin(), group.end());
      t.inner.back().push_back(block_forward(w, inner_name(l), to_size(c.inner_heads), z,
                                             visible.front(), visible,
                                             block_dropout(t, -1 - static_cast<int>(l), ordinals)));
      z = t.inner.back().back().output;
    }
    Vector merged(to_size(c.merge_factor) * d, 0.0);
    for (size_t i = 0; i < group.size(); ++i) {
      add_to(merged, z[i], to_size(t.window.events[group[i]].slot) * d);
    }
    t.merged.push_back(merged);
  }
}

/// Returns the gradient of the event tokens.
inline Rows merge_tokens_backward(const Config& c, const Weights& w, const RequestTrace& t,
                                  const Rows& d_merged, Weights& gradients) {
  const size_t d = to_size(c.event_width);
  Rows d_tokens = zeros_like(t.event_tokens);
  for (size_t g = 0; g < t.groups.size(); ++g) {
    const std::vector<size_t>& group = t.groups[g];
    Rows d_z;
    for (size_t i : group)
      d_z.push_back(slice(d_merged[g], to_size(t.window.events[i].slot) * d, d));
    for (size_t l = to_size(c.inner_layers); l-- > 0;) {
      d_z = block_backward(w, inner_name(l), t.inner[g][l], d_z, gradients);
    }
    for (size_t i = 0; i < group.size(); ++i) {
      add_to(d_tokens[group[i]], d_z[i]);
      if (c.inner_layers > 0) {
        add_to(gradients.at("token_merge.slot.weight"), d_z[i],
               to_size(t.window.events[group[i]].slot) * d);
      }
    }
  }
  return d_tokens;
}

// ---- global and candidate rows
// ------------------------------------------------------------------------------------------

/// Where a feature stands among all of its side.
inline size_t column_of(const std::vector<FeatureConfig>& all, const FeatureConfig& feature) {
  size_t column = 0;
  while (all[column].name != feature.name) ++column;
  return column;
}

/// Input of a token: its features of row i of the columns, side by side.
inline Vector token_features(const Config& c, const Weights& w, const TokenConfig& token,
                             const std::vector<FeatureConfig>& all, const Column* columns,
                             int64_t i) {
  Vector x;
  for (const FeatureConfig& feature : features_of(token, all)) {
    x = concat(x, embed(c, w, {feature}, columns + column_of(all, feature), i));
  }
  return x;
}

inline void token_features_backward(const Config& c, const Weights& w, const TokenConfig& token,
                                    const std::vector<FeatureConfig>& all, const Column* columns,
                                    int64_t i, const Vector& d_x, Weights& gradients) {
  size_t begin = 0;
  for (const FeatureConfig& feature : features_of(token, all)) {
    const size_t width = to_size(width_of(c, {feature}));
    embed_backward(c, w, {feature}, columns + column_of(all, feature), i, slice(d_x, begin, width),
                   gradients);
    begin += width;
  }
}

/// Rows of layer 0 behind those of the history; leaves the tokens' inputs in the trace.
inline Rows side_rows(const Config& c, const Weights& w, const BatchView& batch, int64_t b,
                      RequestTrace& t) {
  const size_t width = to_size(c.merge_factor * c.event_width);
  Rows user_rows;
  for (const TokenConfig& token : c.global_tokens) {
    Vector x = token_features(c, w, token, user_and_context_features(c), batch.user_columns, b);
    x = concat(x,
               slice(w.at("global.user_time_bucket.weight"),
                     to_size(user_time_bucket(c, batch, b) * c.time_width), to_size(c.time_width)));
    t.user_input.push_back(x);
    user_rows.push_back(linear(w, "global." + token.name, x));
  }
  std::vector<Rows> candidate_rows;
  for (int64_t i = batch.candidate_offsets[b]; i < batch.candidate_offsets[b + 1]; ++i) {
    t.candidate_input.emplace_back();
    candidate_rows.emplace_back();
    for (const TokenConfig& token : c.candidate_tokens) {
      t.candidate_input.back().push_back(
          token_features(c, w, token, c.candidate_features, batch.candidate_columns, i));
      candidate_rows.back().push_back(
          linear(w, "global." + token.name, t.candidate_input.back().back()));
    }
  }
  Rows rows;
  for (const Row& row : side_row_list(c, static_cast<int64_t>(candidate_rows.size()))) {
    const size_t i = to_size(row.index);
    if (row.kind == RowKind::kCls) {
      rows.push_back(slice(w.at("global.cls"), i * width, width));
    } else if (row.kind == RowKind::kUser) {
      rows.push_back(user_rows[i]);
    } else {
      rows.push_back(candidate_rows[to_size(row.candidate)][i]);
    }
  }
  return rows;
}

inline void side_rows_backward(const Config& c, const Weights& w, const BatchView& batch, int64_t b,
                               const RequestTrace& t, const Rows& d_rows, Weights& gradients) {
  // Table rows that no token reads have a gradient too: 0.
  const std::vector<FeatureConfig> user_features = user_and_context_features(c);
  embed_backward(c, w, user_features, batch.user_columns, b,
                 Vector(to_size(width_of(c, user_features)), 0.0), gradients);
  for (int64_t i = batch.candidate_offsets[b]; i < batch.candidate_offsets[b + 1]; ++i) {
    embed_backward(c, w, c.candidate_features, batch.candidate_columns, i,
                   Vector(to_size(width_of(c, c.candidate_features)), 0.0), gradients);
  }
  const std::vector<Row> rows = side_row_list(c, static_cast<int64_t>(t.candidate_input.size()));
  for (size_t r = 0; r < rows.size(); ++r) {
    const size_t i = to_size(rows[r].index);
    if (rows[r].kind == RowKind::kCls) {
      add_to(gradients.at("global.cls"), d_rows[r], i * d_rows[r].size());
    } else if (rows[r].kind == RowKind::kUser) {
      const TokenConfig& token = c.global_tokens[i];
      const Vector d_x =
          linear_backward(w, "global." + token.name, t.user_input[i], d_rows[r], gradients);
      token_features_backward(c, w, token, user_and_context_features(c), batch.user_columns, b, d_x,
                              gradients);
      const size_t time_width = to_size(c.time_width);
      add_to(gradients.at("global.user_time_bucket.weight"),
             slice(d_x, d_x.size() - time_width, time_width),
             to_size(user_time_bucket(c, batch, b)) * time_width);
    } else {
      const TokenConfig& token = c.candidate_tokens[i];
      const Vector d_x =
          linear_backward(w, "global." + token.name,
                          t.candidate_input[to_size(rows[r].candidate)][i], d_rows[r], gradients);
      token_features_backward(c, w, token, c.candidate_features, batch.candidate_columns,
                              batch.candidate_offsets[b] + rows[r].candidate, d_x, gradients);
    }
  }
}

// ---- layers
// -------------------------------------------------------------------------------------------------------------

/// Rows of layer 0 on the side of the history: merged tokens, then learned queries.
inline Rows history_inputs(const Config& c, const Weights& w, const RequestTrace& t) {
  Rows inputs = t.merged;
  const size_t width = to_size(c.merge_factor * c.event_width);
  for (const Row& row : history_rows(c, t.window.num_groups)) {
    if (row.kind == RowKind::kLearned) {
      inputs.push_back(slice(w.at("global.query.weight"), to_size(row.index) * width, width));
    }
  }
  return inputs;
}

inline void run_layers(const Config& c, const Weights& w, const Rows& side, RequestTrace& t) {
  t.rows = history_rows(c, t.window.num_groups);
  const std::vector<Row> side_list =
      side_row_list(c, static_cast<int64_t>(t.candidate_input.size()));
  t.rows.insert(t.rows.end(), side_list.begin(), side_list.end());
  t.outputs = history_inputs(c, w, t);
  t.outputs.insert(t.outputs.end(), side.begin(), side.end());
  for (int64_t l = 0; l <= c.self_layers; ++l) {
    const bool is_needed = l < c.self_layers || c.head != Head::kGlobals;
    std::vector<size_t> queries;
    std::vector<std::vector<size_t>> visible;
    std::vector<uint32_t> ordinals;  // merged rows: their number in layer 0; side rows: from 2³¹ on
    std::vector<Row> left;
    for (size_t r = 0; r < t.rows.size(); ++r) {
      const Row& row = t.rows[r];
      if (row.is_history() && !(is_needed && is_query(c, t.window.num_groups, row))) continue;
      queries.push_back(r);
      left.push_back(row);
      const size_t side_begin = t.rows.size() - side.size();
      const int64_t merged =
          row.kind == RowKind::kLearned ? t.window.num_groups + row.index : row.index;
      ordinals.push_back(static_cast<uint32_t>(
          row.is_history() ? to_size(merged) : (size_t{1} << 31) + r - side_begin));
      visible.emplace_back();
      for (size_t other = 0; other < t.rows.size(); ++other) {
        if (sees(c, row, t.rows[other])) visible.back().push_back(other);
      }
    }
    t.layers.push_back(block_forward(w, layer_name(to_size(l)), to_size(c.heads), t.outputs,
                                     queries, visible,
                                     block_dropout(t, static_cast<int>(l), ordinals)));
    t.outputs = t.layers.back().output;
    t.rows = left;
  }
}

/// Returns the gradient of the merged tokens and of the side rows that entered layer 0.
inline std::pair<Rows, Rows> run_layers_backward(const Config& c, const Weights& w,
                                                 const RequestTrace& t, const Rows& d_outputs,
                                                 Weights& gradients) {
  Rows d_rows = d_outputs;
  for (size_t l = t.layers.size(); l-- > 0;) {
    d_rows = block_backward(w, layer_name(l), t.layers[l], d_rows, gradients);
  }
  const std::vector<Row> history = history_rows(c, t.window.num_groups);
  const auto end = d_rows.begin() + static_cast<std::ptrdiff_t>(history.size());
  Rows d_merged;
  for (size_t r = 0; r < history.size(); ++r) {
    if (history[r].kind == RowKind::kGroup) {
      d_merged.push_back(d_rows[r]);
    } else {
      add_to(gradients.at("global.query.weight"), d_rows[r],
             to_size(history[r].index) * d_rows[r].size());
    }
  }
  return {d_merged, Rows(end, d_rows.end())};
}

// ---- head
// ---------------------------------------------------------------------------------------------------------------

/// The head's hidden activations, or their gradient, after dropout.
inline Vector drop_hidden(const RequestTrace& t, size_t candidate, const Vector& x) {
  Vector y = x;
  for (size_t i = 0; i < y.size(); ++i) {
    y[i] *=
        t.masks.factor(0, 2, t.request, static_cast<uint32_t>(candidate), static_cast<uint32_t>(i));
  }
  return y;
}

/// What the input of one candidate is made of, by rows that the last layer leaves.
inline std::vector<Slot> head_slots(const Config& c, const std::vector<Row>& rows,
                                    int64_t candidate) {
  std::vector<size_t> queries;
  for (size_t r = 0; r < rows.size(); ++r) {
    if (rows[r].is_history()) queries.push_back(r);
  }
  std::vector<Slot> slots;
  if (c.head == Head::kAll) {
    slots.resize(to_size(most_query_rows(c)));
    for (size_t i = 0; i < queries.size(); ++i)
      slots[slots.size() - queries.size() + i].rows = {queries[i]};
  } else if (c.head == Head::kGlobalsAndPool) {
    slots.push_back({queries, queries.empty() ? 0.0 : 1.0 / static_cast<double>(queries.size())});
  }
  for (const RowKind kind : {RowKind::kCls, RowKind::kUser, RowKind::kCandidate}) {
    for (size_t r = 0; r < rows.size(); ++r) {
      const bool is_read = rows[r].candidate < 0 || rows[r].candidate == candidate;
      if (rows[r].kind == kind && is_read) slots.push_back({{r}});
    }
  }
  return slots;
}

inline void predict(const Config& c, const Weights& w, RequestTrace& t) {
  const size_t width = to_size(c.merge_factor * c.event_width);
  for (const Vector& row : t.outputs) t.normed.push_back(layer_norm(w, "head.ln", row));
  int64_t num_candidates = 0;
  for (const Row& row : t.rows) num_candidates = std::max(num_candidates, row.candidate + 1);
  for (int64_t candidate = 0; candidate < num_candidates; ++candidate) {
    t.slots.push_back(head_slots(c, t.rows, candidate));
    Vector input;
    for (const Slot& slot : t.slots.back()) {
      Vector part(width, 0.0);
      for (size_t r : slot.rows) {
        for (size_t i = 0; i < width; ++i) part[i] += slot.scale * t.normed[r][i];
      }
      input = concat(input, part);
    }
    t.head_input.push_back(input);
    t.head_hidden.push_back(linear(w, "head.fc1", t.head_input.back()));
    const Vector hidden = drop_hidden(t, t.logits.size(), gelu(t.head_hidden.back()));
    t.logits.push_back(linear(w, "head.fc2", hidden));
  }
}

/// Returns the gradient of the rows that the last layer leaves.
inline Rows predict_backward(const Weights& w, const RequestTrace& t, const Rows& d_logits,
                             Weights& gradients) {
  Rows d_normed = zeros_like(t.normed);
  for (size_t i = 0; i < t.logits.size(); ++i) {
    const Vector hidden = drop_hidden(t, i, gelu(t.head_hidden[i]));
    const Vector d_activated =
        drop_hidden(t, i, linear_backward(w, "head.fc2", hidden, d_logits[i], gradients));
    const Vector d_input = linear_backward(w, "head.fc1", t.head_input[i],
                                           gelu_backward(t.head_hidden[i], d_activated), gradients);
    const size_t width = d_normed.front().size();
    for (size_t s = 0; s < t.slots[i].size(); ++s) {
      const Slot& slot = t.slots[i][s];
      for (size_t r : slot.rows) {
        for (size_t e = 0; e < width; ++e) d_normed[r][e] += slot.scale * d_input[s * width + e];
      }
    }
  }
  Rows d_outputs;
  for (size_t r = 0; r < t.outputs.size(); ++r) {
    d_outputs.push_back(layer_norm_backward(w, "head.ln", t.outputs[r], d_normed[r], gradients));
  }
  return d_outputs;
}

// ---- batch
// --------------------------------------------------------------------------------------------------------------

inline RequestTrace forward_request(const Config& c, const Weights& w, const BatchView& batch,
                                    int64_t b, const reference::DropoutMasks& masks,
                                    uint32_t request) {
  RequestTrace t;
  t.masks = masks;
  t.request = request;
  t.window = window_of(c, batch, b);
  encode_events(c, w, batch, t);
  merge_tokens(c, w, t);
  run_layers(c, w, side_rows(c, w, batch, b, t), t);
  predict(c, w, t);
  return t;
}

inline void backward_request(const Config& c, const Weights& w, const BatchView& batch, int64_t b,
                             const RequestTrace& t, const Rows& d_logits, Weights& gradients) {
  const Rows d_outputs = predict_backward(w, t, d_logits, gradients);
  const auto [d_merged, d_side] = run_layers_backward(c, w, t, d_outputs, gradients);
  side_rows_backward(c, w, batch, b, t, d_side, gradients);
  encode_events_backward(c, w, batch, t, merge_tokens_backward(c, w, t, d_merged, gradients),
                         gradients);
}

/// w·t of a label; 0 where it is missing.
inline double label_weight(const Config& c, const BatchView& batch, size_t task,
                           int64_t candidate) {
  const float label = batch.labels[static_cast<int64_t>(task) * batch.num_candidates + candidate];
  if (std::isnan(label)) return 0.0;
  const double weight =
      batch.weights == nullptr ? 1.0 : static_cast<double>(batch.weights[candidate]);
  return weight * c.tasks[task].weight;
}

/// Without `masks`, no dropout. `first_request`: the batch's first request's number in its
/// optimizer step.
inline Outcome forward(const Config& c, const Weights& w, const BatchView& batch,
                       const reference::DropoutMasks& masks = {}, uint32_t first_request = 0) {
  Outcome outcome;
  outcome.logits.resize(c.tasks.size() * to_size(batch.num_candidates));
  for (int64_t b = 0; b < batch.num_requests; ++b) {
    outcome.requests.push_back(
        forward_request(c, w, batch, b, masks, first_request + static_cast<uint32_t>(b)));
    const Rows& logits = outcome.requests.back().logits;
    for (size_t i = 0; i < logits.size(); ++i) {
      for (size_t task = 0; task < c.tasks.size(); ++task) {
        outcome.logits[task * to_size(batch.num_candidates) + to_size(batch.candidate_offsets[b]) +
                       i] = logits[i][task];
      }
    }
  }
  for (size_t i = 0; i < outcome.logits.size(); ++i) {
    const TaskConfig& task = c.tasks[i / to_size(batch.num_candidates)];
    outcome.scores.push_back(score_of(task, outcome.logits[i]));
  }
  if (batch.labels == nullptr) return outcome;

  double sum_of_losses = 0.0;
  for (size_t task = 0; task < c.tasks.size(); ++task) {
    for (int64_t i = 0; i < batch.num_candidates; ++i) {
      const double weight = label_weight(c, batch, task, i);
      if (weight == 0.0) continue;
      const size_t at = task * to_size(batch.num_candidates) + to_size(i);
      const double z = outcome.logits[at];
      const double y = static_cast<double>(batch.labels[at]);
      // −y·log σ(z) − (1 − y)·log(1 − σ(z))
      sum_of_losses += weight * (std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - y * z);
      outcome.weight += weight;
    }
  }
  outcome.loss = outcome.weight > 0.0 ? sum_of_losses / outcome.weight : 0.0;
  return outcome;
}

/// Gradients of the loss of `outcome`, which forward() computed from the same arguments. Growable
/// tables: the rows that the batch read (whose gradient may be 0), and the out-of-vocabulary row.
inline Weights backward(const Config& c, const Weights& w, const BatchView& batch,
                        const Outcome& outcome) {
  Weights gradients = zero_weights(c);
  for (int64_t b = 0; b < batch.num_requests; ++b) {
    const RequestTrace& t = outcome.requests[to_size(b)];
    Rows d_logits;
    for (int64_t i = batch.candidate_offsets[b]; i < batch.candidate_offsets[b + 1]; ++i) {
      d_logits.emplace_back(c.tasks.size(), 0.0);
      for (size_t task = 0; task < c.tasks.size(); ++task) {
        const double weight = label_weight(c, batch, task, i);
        if (weight == 0.0) continue;
        const size_t at = task * to_size(batch.num_candidates) + to_size(i);
        d_logits.back()[task] =
            weight / outcome.weight *
            (sigmoid(outcome.logits[at]) - static_cast<double>(batch.labels[at]));
      }
    }
    backward_request(c, w, batch, b, t, d_logits, gradients);
  }
  return gradients;
}

}  // namespace longer::model_reference
