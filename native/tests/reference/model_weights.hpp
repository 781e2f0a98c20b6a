#pragma once
// Names and shapes of a configuration's parameters (native/docs/model.md, "Parameters"), and table
// rows by id ("Tables").
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "longer/config.hpp"
#include "reference/model_math.hpp"
#include "reference/model_rows.hpp"

namespace longer::model_reference {

struct NamedShape {
  std::string name;
  std::vector<int64_t> shape;

  size_t size() const {
    int64_t product = 1;
    for (int64_t extent : shape) product *= extent;
    return static_cast<size_t>(product);
  }
};

inline const TableConfig& table_named(const Config& c, const std::string& name) {
  return c.tables.at(static_cast<size_t>(c.table_index(name)));
}

inline int64_t width_of(const Config& c, const std::vector<FeatureConfig>& features) {
  int64_t width = 0;
  for (const FeatureConfig& f : features)
    width += f.kind == FeatureKind::kNumeric ? 2 : table_named(c, f.table).width;
  return width;
}

/// The features of a token, in its order, out of all of its side.
inline std::vector<FeatureConfig> features_of(const TokenConfig& token,
                                              const std::vector<FeatureConfig>& all) {
  if (token.features.empty()) return all;
  std::vector<FeatureConfig> features;
  for (const std::string& name : token.features) {
    for (const FeatureConfig& feature : all) {
      if (feature.name == name) features.push_back(feature);
    }
  }
  return features;
}

/// Whether a parameter is the weight of a user or candidate token's map.
inline bool is_token_weight(const std::string& name) {
  const std::string end = ".weight";
  return name.rfind("global.", 0) == 0 && name.size() > end.size() &&
         name.compare(name.size() - end.size(), end.size(), end) == 0 &&
         name != "global.query.weight" && name != "global.user_time_bucket.weight";
}

inline void append_linear(std::vector<NamedShape>& all, const std::string& name, int64_t out,
                          int64_t in) {
  all.push_back({name + ".weight", {out, in}});
  all.push_back({name + ".bias", {out}});
}

inline void append_block(std::vector<NamedShape>& all, const std::string& prefix, int64_t width) {
  all.push_back({prefix + "ln1.weight", {width}});
  all.push_back({prefix + "ln1.bias", {width}});
  append_linear(all, prefix + "qkv", 3 * width, width);
  append_linear(all, prefix + "out", width, width);
  all.push_back({prefix + "ln2.weight", {width}});
  all.push_back({prefix + "ln2.bias", {width}});
  append_linear(all, prefix + "fc1", 4 * width, width);
  append_linear(all, prefix + "fc2", width, 4 * width);
}

/// Every dense parameter, in arena order.
inline std::vector<NamedShape> parameter_shapes(const Config& c) {
  const int64_t d = c.event_width;
  const int64_t width = c.merge_factor * d;
  const int64_t x = width_of(c, c.event_features);
  const int64_t time = c.time == TimeMode::kNone ? 0 : c.time_width;
  std::vector<NamedShape> all;
  if (c.position == PositionMode::kLearned) {
    all.push_back({"event_encoder.position.weight", {c.max_history, x}});
  }
  if (time > 0) all.push_back({"event_encoder.time_bucket.weight", {c.time_buckets + 1, time}});
  append_linear(all, "event_encoder.fc1", 2 * d, x + time);
  append_linear(all, "event_encoder.fc2", d, 2 * d);
  if (c.inner_layers > 0) all.push_back({"token_merge.slot.weight", {c.merge_factor, d}});
  for (int64_t i = 0; i < c.inner_layers; ++i) {
    append_block(all, "token_merge.inner." + std::to_string(i) + ".", d);
  }
  if (c.cls_tokens > 0) all.push_back({"global.cls", {c.cls_tokens, width}});
  if (c.query_strategy == QueryStrategy::kLearnable)
    all.push_back({"global.query.weight", {c.queries, width}});
  const auto num_user = static_cast<int64_t>(c.global_tokens.size());
  const auto num_candidate = static_cast<int64_t>(c.candidate_tokens.size());
  if (num_user > 0) {
    all.push_back({"global.user_time_bucket.weight", {c.time_buckets + 1, c.time_width}});
  }
  std::vector<FeatureConfig> user_features = c.user_features;
  user_features.insert(user_features.end(), c.context_features.begin(), c.context_features.end());
  for (const TokenConfig& token : c.global_tokens) {
    append_linear(all, "global." + token.name, width,
                  width_of(c, features_of(token, user_features)) + c.time_width);
  }
  for (const TokenConfig& token : c.candidate_tokens) {
    append_linear(all, "global." + token.name, width,
                  width_of(c, features_of(token, c.candidate_features)));
  }
  for (int64_t l = 0; l <= c.self_layers; ++l)
    append_block(all, "layers." + std::to_string(l) + ".", width);
  all.push_back({"head.ln.weight", {width}});
  all.push_back({"head.ln.bias", {width}});
  const int64_t history_slots = c.head == Head::kAll              ? most_query_rows(c)
                                : c.head == Head::kGlobalsAndPool ? 1
                                                                  : 0;
  append_linear(all, "head.fc1", width,
                (history_slots + c.cls_tokens + num_user + num_candidate) * width);
  append_linear(all, "head.fc2", static_cast<int64_t>(c.tasks.size()), width);
  for (const TableConfig& t : c.tables) {
    if (t.rows > 0) all.push_back({"table." + t.name + ".weight", {t.rows + 1, t.width}});
  }
  return all;
}

/// Zeros for every parameter, and growable tables with no row but the out-of-vocabulary one.
inline Weights zero_weights(const Config& c) {
  Weights zeros;
  for (const NamedShape& p : parameter_shapes(c)) zeros.dense[p.name] = Vector(p.size(), 0.0);
  for (const TableConfig& t : c.tables) {
    if (t.rows == 0)
      zeros.tables[t.name].out_of_vocabulary = Vector(static_cast<size_t>(t.width), 0.0);
  }
  return zeros;
}

/// Element where the row of `id` begins in a dense table.
inline size_t dense_row_begin(const TableConfig& t, int64_t id) {
  const int64_t row = id >= 0 && id < t.rows ? id + 1 : 0;
  return static_cast<size_t>(row * t.width);
}

/// The row that `id` reads.
inline Vector embedding(const Weights& w, const TableConfig& t, int64_t id) {
  if (t.rows > 0) {
    return slice(w.at("table." + t.name + ".weight"), dense_row_begin(t, id),
                 static_cast<size_t>(t.width));
  }
  const Table& table = w.tables.at(t.name);
  const auto found = table.rows.find(id);
  return found == table.rows.end() ? table.out_of_vocabulary : found->second;
}

/// Adds d_row to the gradient of the row that `id` reads.
inline void embedding_backward(const Weights& w, const TableConfig& t, int64_t id,
                               const Vector& d_row, Weights& gradients) {
  if (t.rows > 0) {
    add_to(gradients.at("table." + t.name + ".weight"), d_row, dense_row_begin(t, id));
    return;
  }
  Table& d_table = gradients.tables.at(t.name);
  if (w.tables.at(t.name).rows.count(id) == 0) {
    add_to(d_table.out_of_vocabulary, d_row);
    return;
  }
  Vector& target = d_table.rows[id];
  target.resize(d_row.size(), 0.0);
  add_to(target, d_row);
}

}  // namespace longer::model_reference
