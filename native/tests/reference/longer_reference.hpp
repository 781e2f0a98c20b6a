#pragma once
// The whole of LONGER in double-precision loops, written from native/docs/model.md and from nothing
// else: what every other implementation is compared with. One request at a time, one event at a
// time; obviously right rather than fast.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "longer/batch.hpp"
#include "longer/config.hpp"
#include "reference/dropout.hpp"
#include "reference/model_block.hpp"
#include "reference/model_math.hpp"
#include "reference/model_weights.hpp"
#include "reference/model_window.hpp"

namespace longer::model_reference {

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
  Vector user_input;
  Rows candidate_input;          // [C]
  size_t first_query_group = 0;  // start
  std::vector<BlockTrace> layers;
  Rows side;                     // [G + C][D] rows after the last layer
  Rows normed;                   // [G + C][D] after head.ln
  Rows head_input, head_hidden;  // [C]
  Rows logits;                   // [C][tasks]
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

/// Inputs of all features of one event, candidate or request (a row of the columns), side by side.
inline Vector embed(const Config& c, const Weights& w, const std::vector<FeatureConfig>& features,
                    const Column* columns, int64_t row) {
  Vector x;
  for (size_t f = 0; f < features.size(); ++f) {
    x = concat(x, embedding(w, table_named(c, features[f].table), columns[f].ids[row]));
  }
  return x;
}

inline void embed_backward(const Config& c, const Weights& w,
                           const std::vector<FeatureConfig>& features, const Column* columns,
                           int64_t row, const Vector& d_x, Weights& gradients) {
  size_t begin = 0;
  for (size_t f = 0; f < features.size(); ++f) {
    const TableConfig& table = table_named(c, features[f].table);
    embedding_backward(w, table, columns[f].ids[row], slice(d_x, begin, to_size(table.width)),
                       gradients);
    begin += to_size(table.width);
  }
}

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
    add_to(x, slice(w.at("event_encoder.position.weight"), to_size(event.position) * x_width,
                    x_width));
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
    add_to(gradients.at("event_encoder.position.weight"), d_x, to_size(event.position) * x_width);
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

/// CLS rows, the user global, candidates.
inline Rows side_rows(const Config& c, const Weights& w, const BatchView& batch, int64_t b,
                      RequestTrace& t) {
  const size_t width = to_size(c.merge_factor * c.event_width);
  Rows rows;
  for (size_t i = 0; i < to_size(c.cls_tokens); ++i)
    rows.push_back(slice(w.at("global.cls"), i * width, width));
  t.user_input = embed(c, w, user_and_context_features(c), batch.user_columns, b);
  t.user_input = concat(t.user_input, slice(w.at("global.user_time_bucket.weight"),
                                            to_size(user_time_bucket(c, batch, b) * c.time_width),
                                            to_size(c.time_width)));
  rows.push_back(linear(w, "global.user", t.user_input));
  for (int64_t i = batch.candidate_offsets[b]; i < batch.candidate_offsets[b + 1]; ++i) {
    t.candidate_input.push_back(embed(c, w, c.candidate_features, batch.candidate_columns, i));
    rows.push_back(linear(w, "global.candidate", t.candidate_input.back()));
  }
  return rows;
}

inline void side_rows_backward(const Config& c, const Weights& w, const BatchView& batch, int64_t b,
                               const RequestTrace& t, const Rows& d_rows, Weights& gradients) {
  const size_t num_cls = to_size(c.cls_tokens);
  for (size_t i = 0; i < num_cls; ++i)
    add_to(gradients.at("global.cls"), d_rows[i], i * d_rows[i].size());
  const Vector d_user = linear_backward(w, "global.user", t.user_input, d_rows[num_cls], gradients);
  embed_backward(c, w, user_and_context_features(c), batch.user_columns, b, d_user, gradients);
  const size_t time_width = to_size(c.time_width);
  add_to(gradients.at("global.user_time_bucket.weight"),
         slice(d_user, d_user.size() - time_width, time_width),
         to_size(user_time_bucket(c, batch, b)) * time_width);
  for (size_t i = 0; i < t.candidate_input.size(); ++i) {
    const Vector d_candidate = linear_backward(w, "global.candidate", t.candidate_input[i],
                                               d_rows[num_cls + 1 + i], gradients);
    embed_backward(c, w, c.candidate_features, batch.candidate_columns,
                   batch.candidate_offsets[b] + static_cast<int64_t>(i), d_candidate, gradients);
  }
}

// ---- layers
// -------------------------------------------------------------------------------------------------------------

/// Rows that row `row` sees, of a request's rows: merged | CLS | user global | candidates.
inline std::vector<size_t> visible_rows(size_t row, size_t num_merged, size_t num_globals) {
  std::vector<size_t> rows;
  const bool is_candidate = row >= num_merged + num_globals;
  const size_t causal_end = is_candidate ? num_merged + num_globals : row;
  for (size_t j = 0; j < causal_end; ++j) rows.push_back(j);
  rows.push_back(row);
  return rows;
}

/// The group whose merged token is the oldest query.
inline int64_t first_query_group(const Config& c, int64_t num_groups) {
  if (num_groups <= c.queries) return 0;
  return (num_groups - c.queries) / c.query_block * c.query_block;
}

inline void run_layers(const Config& c, const Weights& w, const Rows& side, RequestTrace& t) {
  const size_t num_globals = to_size(c.cls_tokens) + 1;
  const size_t num_layers = to_size(c.self_layers) + 1;
  t.first_query_group = to_size(first_query_group(c, t.window.num_groups));
  Rows rows = t.merged;
  rows.insert(rows.end(), side.begin(), side.end());
  for (size_t l = 0; l < num_layers; ++l) {
    const size_t num_merged = rows.size() - side.size();
    const size_t first_query = l + 1 == num_layers ? num_merged : l == 0 ? t.first_query_group : 0;
    std::vector<size_t> queries;
    std::vector<std::vector<size_t>> visible;
    std::vector<uint32_t> ordinals;  // merged rows: their group; side rows: from 2³¹ on
    for (size_t r = first_query; r < rows.size(); ++r) {
      queries.push_back(r);
      const size_t group = l == 0 ? r : t.first_query_group + r;
      ordinals.push_back(
          static_cast<uint32_t>(r < num_merged ? group : (size_t{1} << 31) + r - num_merged));
      visible.push_back(visible_rows(r, num_merged, num_globals));
    }
    t.layers.push_back(block_forward(w, layer_name(l), to_size(c.heads), rows, queries, visible,
                                     block_dropout(t, static_cast<int>(l), ordinals)));
    rows = t.layers.back().output;
  }
  t.side = rows;
}

/// Returns the gradient of all rows that entered layer 0: merged, then side rows.
inline Rows run_layers_backward(const Weights& w, const RequestTrace& t, const Rows& d_side,
                                Weights& gradients) {
  Rows d_rows = d_side;
  for (size_t l = t.layers.size(); l-- > 0;) {
    d_rows = block_backward(w, layer_name(l), t.layers[l], d_rows, gradients);
  }
  return d_rows;
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

inline void predict(const Config& c, const Weights& w, RequestTrace& t) {
  const size_t num_globals = to_size(c.cls_tokens) + 1;
  for (const Vector& row : t.side) t.normed.push_back(layer_norm(w, "head.ln", row));
  for (size_t r = num_globals; r < t.side.size(); ++r) {
    Vector input;
    for (size_t g = 0; g < num_globals; ++g) input = concat(input, t.normed[g]);
    t.head_input.push_back(concat(input, t.normed[r]));
    t.head_hidden.push_back(linear(w, "head.fc1", t.head_input.back()));
    const Vector hidden = drop_hidden(t, t.logits.size(), gelu(t.head_hidden.back()));
    t.logits.push_back(linear(w, "head.fc2", hidden));
  }
}

/// Returns the gradient of the side rows after the last layer.
inline Rows predict_backward(const Config& c, const Weights& w, const RequestTrace& t,
                             const Rows& d_logits, Weights& gradients) {
  const size_t num_globals = to_size(c.cls_tokens) + 1;
  Rows d_normed = zeros_like(t.normed);
  for (size_t i = 0; i < t.logits.size(); ++i) {
    const Vector hidden = drop_hidden(t, i, gelu(t.head_hidden[i]));
    const Vector d_activated =
        drop_hidden(t, i, linear_backward(w, "head.fc2", hidden, d_logits[i], gradients));
    const Vector d_input = linear_backward(w, "head.fc1", t.head_input[i],
                                           gelu_backward(t.head_hidden[i], d_activated), gradients);
    const size_t width = t.side.front().size();
    for (size_t g = 0; g < num_globals; ++g) add_to(d_normed[g], slice(d_input, g * width, width));
    add_to(d_normed[num_globals + i], slice(d_input, num_globals * width, width));
  }
  Rows d_side;
  for (size_t r = 0; r < t.side.size(); ++r) {
    d_side.push_back(layer_norm_backward(w, "head.ln", t.side[r], d_normed[r], gradients));
  }
  return d_side;
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
  const Rows d_side = predict_backward(c, w, t, d_logits, gradients);
  const Rows d_rows = run_layers_backward(w, t, d_side, gradients);
  const auto side_begin = d_rows.begin() + static_cast<std::ptrdiff_t>(t.merged.size());
  side_rows_backward(c, w, batch, b, t, Rows(side_begin, d_rows.end()), gradients);
  const Rows d_merged(d_rows.begin(), side_begin);
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
