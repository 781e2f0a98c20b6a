#include "model/parameters.hpp"

#include <algorithm>
#include <cmath>

#include "core/random.hpp"
#include "longer/error.hpp"

namespace longer {
namespace {

constexpr int64_t kAlignment = 16;  // elements: one cache line
constexpr float kEmbeddingDeviation = 0.05F;

std::string inner_prefix(int64_t i) { return "token_merge.inner." + std::to_string(i) + "."; }
std::string layer_prefix(int64_t l) { return "layers." + std::to_string(l) + "."; }

/// Columns of each feature in their concatenation.
std::vector<ColumnRange> feature_columns(const Config& c,
                                         const std::vector<FeatureConfig>& features) {
  std::vector<ColumnRange> columns;
  int64_t begin = 0;
  for (const FeatureConfig& feature : features) {
    const int64_t end = begin + c.features_width({feature});
    columns.push_back({begin, end});
    begin = end;
  }
  return columns;
}

/// Columns that a token reads; a user token also reads the time bucket, which stands behind the
/// features.
std::vector<ColumnRange> token_columns(const Config& c, const TokenConfig& token,
                                       const std::vector<FeatureConfig>& features) {
  const std::vector<ColumnRange> all = feature_columns(c, features);
  std::vector<ColumnRange> columns;
  for (size_t f : Config::token_features(token, features)) columns.push_back(all[f]);
  return columns;
}

std::vector<ColumnRange> user_token_columns(const Config& c, const TokenConfig& token) {
  const std::vector<FeatureConfig> features = c.user_side_features();
  std::vector<ColumnRange> columns = token_columns(c, token, features);
  const int64_t time = c.features_width(features);
  columns.push_back({time, time + c.time_width});
  return columns;
}

int64_t width_of(const std::vector<ColumnRange>& columns) {
  int64_t width = 0;
  for (const ColumnRange& range : columns) width += range.end - range.begin;
  return width;
}

std::string token_parameter(const TokenConfig& token) { return "global." + token.name; }

/// Widths of the three parts of head.fc1's input, in order of columns.
struct HeadWidths {
  int64_t history, request, candidate;
  explicit HeadWidths(const Config& c)
      : history(c.num_history_slots() * c.model_width()),
        request(c.num_request_rows() * c.model_width()),
        candidate(c.rows_per_candidate() * c.model_width()) {}
  int64_t sum() const { return history + request + candidate; }
};

/// Looks names up in an arena; the same code binds weights and gradients.
template <class Float, class Linear, class Norm>
struct Binder {
  const ParameterLayout& layout;
  Float* arena;

  Float* at(const std::string& name) const { return layout.at(arena, name); }
  Norm norm(const std::string& name) const { return {at(name + ".weight"), at(name + ".bias")}; }
  Linear linear(const std::string& name) const {
    Linear map;
    map.weight = at(name + ".weight");
    map.bias = at(name + ".bias");
    set_shape(map, layout.get(name + ".weight").shape);
    return map;
  }
  /// Rows [begin, end) of a linear map's outputs.
  Linear linear_rows(const std::string& name, int64_t begin, int64_t end) const {
    const std::vector<int64_t>& shape = layout.get(name + ".weight").shape;
    Linear map;
    map.weight = at(name + ".weight") + begin * shape[1];
    map.bias = at(name + ".bias") + begin;
    set_shape(map, {end - begin, shape[1]});
    return map;
  }

  /// Columns [begin, end) of a linear map's inputs; the bias goes with one such part only.
  Linear linear_columns(const std::string& name, int64_t begin, int64_t end, bool has_bias) const {
    const std::vector<int64_t>& shape = layout.get(name + ".weight").shape;
    Linear map;
    map.weight = at(name + ".weight") + begin;
    map.bias = has_bias ? at(name + ".bias") : nullptr;
    map.stride = shape[1];
    set_shape(map, {shape[0], end - begin});
    return map;
  }

  template <class Block>
  Block inner_block(const std::string& prefix) const {
    Block block;
    block.ln1 = norm(prefix + "ln1");
    block.qkv = linear(prefix + "qkv");
    block.out = linear(prefix + "out");
    block.ln2 = norm(prefix + "ln2");
    block.fc1 = linear(prefix + "fc1");
    block.fc2 = linear(prefix + "fc2");
    return block;
  }
  template <class HeadParts>
  HeadParts head(const Config& c) const {
    const HeadWidths widths(c);
    const int64_t request_end = widths.history + widths.request;
    HeadParts parts;
    parts.ln = norm("head.ln");
    parts.fc1_history = linear_columns("head.fc1", 0, widths.history, false);
    parts.fc1_request = linear_columns("head.fc1", widths.history, request_end, false);
    parts.fc1_candidate = linear_columns("head.fc1", request_end, widths.sum(), true);
    parts.fc2 = linear("head.fc2");
    return parts;
  }
  template <class Layer>
  Layer transformer_layer(const std::string& prefix, int64_t width) const {
    Layer layer;
    layer.ln1 = norm(prefix + "ln1");
    layer.q = linear_rows(prefix + "qkv", 0, width);
    layer.kv = linear_rows(prefix + "qkv", width, 3 * width);
    layer.out = linear(prefix + "out");
    layer.ln2 = norm(prefix + "ln2");
    layer.fc1 = linear(prefix + "fc1");
    layer.fc2 = linear(prefix + "fc2");
    return layer;
  }

 private:
  static void set_shape(LinearWeights& map, const std::vector<int64_t>& shape) {
    map.out = shape[0];
    map.in = shape[1];
  }
  static void set_shape(LinearGradients&, const std::vector<int64_t>&) {}
};

std::vector<TableView> views_of(const Config& config, const std::vector<FeatureConfig>& features,
                                const std::vector<TableView>& tables) {
  std::vector<TableView> views;
  for (const FeatureConfig& f : features) {
    views.push_back(f.kind == FeatureKind::kNumeric
                        ? TableView{nullptr, kNumericWidth, 0}
                        : tables[static_cast<size_t>(config.table_index(f.table))]);
  }
  return views;
}

}  // namespace

std::string table_parameter(const TableConfig& table) { return "table." + table.name + ".weight"; }

ParameterLayout::ParameterLayout(const Config& c) {
  const int64_t width = c.model_width();
  const int64_t d = c.event_width;
  const int64_t x = c.features_width(c.event_features);
  const int64_t time = c.time == TimeMode::kNone ? 0 : c.time_width;

  if (c.position == PositionMode::kLearned) {
    add("event_encoder.position.weight", {c.max_history, x}, ParameterKind::kEmbedding);
  }
  if (time > 0) {
    add("event_encoder.time_bucket.weight", {c.time_buckets + 1, time}, ParameterKind::kEmbedding);
  }
  add_linear("event_encoder.fc1", 2 * d, x + time, ParameterKind::kLinearWeight);
  add_linear("event_encoder.fc2", d, 2 * d, ParameterKind::kLinearWeight);
  if (c.inner_layers > 0)
    add("token_merge.slot.weight", {c.merge_factor, d}, ParameterKind::kEmbedding);
  for (int64_t i = 0; i < c.inner_layers; ++i) add_block(inner_prefix(i), d);

  if (c.cls_tokens > 0) add("global.cls", {c.cls_tokens, width}, ParameterKind::kEmbedding);
  if (c.num_learned_queries() > 0)
    add("global.query.weight", {c.queries, width}, ParameterKind::kEmbedding);
  if (!c.global_tokens.empty()) {
    add("global.user_time_bucket.weight", {c.time_buckets + 1, c.time_width},
        ParameterKind::kEmbedding);
  }
  for (const TokenConfig& token : c.global_tokens) {
    add_linear(token_parameter(token), width, width_of(user_token_columns(c, token)),
               ParameterKind::kLinearWeight);
  }
  for (const TokenConfig& token : c.candidate_tokens) {
    add_linear(token_parameter(token), width,
               width_of(token_columns(c, token, c.candidate_features)),
               ParameterKind::kLinearWeight);
  }

  for (int64_t l = 0; l < c.num_layers(); ++l) add_block(layer_prefix(l), width);
  add("head.ln.weight", {width}, ParameterKind::kNormWeight);
  add("head.ln.bias", {width}, ParameterKind::kBias);
  add_linear("head.fc1", width, HeadWidths(c).sum(), ParameterKind::kLinearWeight);
  add_linear("head.fc2", static_cast<int64_t>(c.tasks.size()), width, ParameterKind::kLinearWeight);

  for (const TableConfig& table : c.tables) {
    if (table.rows > 0)
      add(table_parameter(table), {table.rows + 1, table.width}, ParameterKind::kEmbedding);
  }
}

void ParameterLayout::add(std::string name, std::vector<int64_t> shape, ParameterKind kind) {
  Parameter parameter{std::move(name), std::move(shape), kind, arena_size_};
  arena_size_ += (parameter.size() + kAlignment - 1) / kAlignment * kAlignment;
  parameters_.push_back(std::move(parameter));
}

void ParameterLayout::add_linear(const std::string& name, int64_t out, int64_t in,
                                 ParameterKind kind) {
  add(name + ".weight", {out, in}, kind);
  add(name + ".bias", {out}, ParameterKind::kBias);
}

void ParameterLayout::add_block(const std::string& prefix, int64_t width) {
  add(prefix + "ln1.weight", {width}, ParameterKind::kNormWeight);
  add(prefix + "ln1.bias", {width}, ParameterKind::kBias);
  add_linear(prefix + "qkv", 3 * width, width, ParameterKind::kLinearWeight);
  add_linear(prefix + "out", width, width, ParameterKind::kResidualWeight);
  add(prefix + "ln2.weight", {width}, ParameterKind::kNormWeight);
  add(prefix + "ln2.bias", {width}, ParameterKind::kBias);
  add_linear(prefix + "fc1", 4 * width, width, ParameterKind::kLinearWeight);
  add_linear(prefix + "fc2", width, 4 * width, ParameterKind::kResidualWeight);
}

int64_t ParameterLayout::num_elements() const {
  int64_t sum = 0;
  for (const Parameter& p : parameters_) sum += p.size();
  return sum;
}

const Parameter* ParameterLayout::find(std::string_view name) const {
  const auto found = std::find_if(parameters_.begin(), parameters_.end(),
                                  [&](const Parameter& p) { return p.name == name; });
  return found == parameters_.end() ? nullptr : &*found;
}

const Parameter& ParameterLayout::get(std::string_view name) const {
  const Parameter* parameter = find(name);
  check_argument(parameter != nullptr, "[parameters] no parameter is named \"", name, "\"");
  return *parameter;
}

const float* ParameterLayout::at(const float* arena, std::string_view name) const {
  const Parameter* parameter = find(name);
  return parameter == nullptr ? nullptr : arena + parameter->offset;
}

float* ParameterLayout::at(float* arena, std::string_view name) const {
  const Parameter* parameter = find(name);
  return parameter == nullptr ? nullptr : arena + parameter->offset;
}

void initialize_parameters(const Config& config, const ParameterLayout& layout, uint64_t seed,
                           float* arena) {
  std::fill_n(arena, layout.arena_size(), 0.0F);
  // Residual branches start smaller so that the sum over a deep stack keeps its scale (GPT-2's
  // rule).
  const float residual_scale = 1.0F / std::sqrt(2.0F * static_cast<float>(config.num_layers()));
  for (const Parameter& p : layout.parameters()) {
    float* values = arena + p.offset;
    switch (p.kind) {
      case ParameterKind::kLinearWeight:
      case ParameterKind::kResidualWeight: {
        float deviation = std::sqrt(1.0F / static_cast<float>(p.shape[1]));
        if (p.kind == ParameterKind::kResidualWeight) deviation *= residual_scale;
        fill_normal(seed, stream_of(p.name), 0, deviation, values, p.size());
        break;
      }
      case ParameterKind::kEmbedding:
        fill_normal(seed, stream_of(p.name), 0, kEmbeddingDeviation, values, p.size());
        break;
      case ParameterKind::kNormWeight:
        std::fill_n(values, p.size(), 1.0F);
        break;
      case ParameterKind::kBias:
        break;
    }
  }
  for (const TableConfig& table : config.tables) {
    // Out-of-vocabulary rows start at zero in dense tables as in growable ones.
    if (table.rows > 0) std::fill_n(layout.at(arena, table_parameter(table)), table.width, 0.0F);
  }
}

std::vector<LinearWeights*> ModelWeights::linears() {
  std::vector<LinearWeights*> all = {&event_encoder.fc1, &event_encoder.fc2};
  for (TokenWeights& token : global_tokens.user_tokens) all.push_back(&token.linear);
  for (TokenWeights& token : global_tokens.candidate_tokens) all.push_back(&token.linear);
  for (BlockWeights& b : event_encoder.inner)
    all.insert(all.end(), {&b.qkv, &b.out, &b.fc1, &b.fc2});
  for (TransformerLayerWeights& l : layers)
    all.insert(all.end(), {&l.q, &l.kv, &l.out, &l.fc1, &l.fc2});
  all.insert(all.end(), {&head.fc1_history, &head.fc1_request, &head.fc1_candidate, &head.fc2});
  return all;
}

namespace {

void bind_global_tokens(const Config& c,
                        const Binder<const float, LinearWeights, NormWeights>& bind,
                        const std::vector<TableView>& tables, GlobalTokensWeights& w) {
  const std::vector<FeatureConfig> features = c.user_side_features();
  w.cls = bind.at("global.cls");
  w.num_cls = c.cls_tokens;
  w.user_tables = views_of(c, features, tables);
  w.user_time_bucket = bind.at("global.user_time_bucket.weight");
  w.time_width = c.global_tokens.empty() ? 0 : c.time_width;
  w.user_width = c.features_width(features);
  w.candidate_tables = views_of(c, c.candidate_features, tables);
  w.candidate_width = c.features_width(c.candidate_features);
  for (const TokenConfig& token : c.global_tokens) {
    w.user_tokens.push_back({user_token_columns(c, token), bind.linear(token_parameter(token))});
  }
  for (const TokenConfig& token : c.candidate_tokens) {
    w.candidate_tokens.push_back(
        {token_columns(c, token, c.candidate_features), bind.linear(token_parameter(token))});
  }
}

}  // namespace

ModelWeights bind_weights(const Config& c, const ParameterLayout& layout, const float* arena,
                          const std::vector<TableView>& tables) {
  const Binder<const float, LinearWeights, NormWeights> bind{layout, arena};
  ModelWeights w;
  w.event_encoder.tables = views_of(c, c.event_features, tables);
  w.event_encoder.position = bind.at("event_encoder.position.weight");
  w.event_encoder.time_bucket = bind.at("event_encoder.time_bucket.weight");
  w.event_encoder.time_width = c.time == TimeMode::kNone ? 0 : c.time_width;
  w.event_encoder.num_positions = c.max_history;
  w.event_encoder.num_time_buckets = c.time_buckets + 1;
  w.event_encoder.fc1 = bind.linear("event_encoder.fc1");
  w.event_encoder.fc2 = bind.linear("event_encoder.fc2");
  w.event_encoder.slot = bind.at("token_merge.slot.weight");
  w.event_encoder.inner_heads = c.inner_heads;
  for (int64_t i = 0; i < c.inner_layers; ++i) {
    w.event_encoder.inner.push_back(bind.inner_block<BlockWeights>(inner_prefix(i)));
  }

  if (c.num_learned_queries() > 0)
    w.learned_queries = {bind.at("global.query.weight"), c.queries, c.model_width()};
  bind_global_tokens(c, bind, tables, w.global_tokens);

  for (int64_t l = 0; l < c.num_layers(); ++l) {
    w.layers.push_back(
        bind.transformer_layer<TransformerLayerWeights>(layer_prefix(l), c.model_width()));
  }
  w.head = bind.head<PredictionHeadWeights>(c);
  return w;
}

ModelGradients bind_gradients(const Config& c, const ParameterLayout& layout, float* arena) {
  const Binder<float, LinearGradients, NormGradients> bind{layout, arena};
  ModelGradients g;
  g.event_encoder.fc1 = bind.linear("event_encoder.fc1");
  g.event_encoder.fc2 = bind.linear("event_encoder.fc2");
  g.event_encoder.slot = bind.at("token_merge.slot.weight");
  for (int64_t i = 0; i < c.inner_layers; ++i) {
    g.event_encoder.inner.push_back(bind.inner_block<BlockGradients>(inner_prefix(i)));
  }
  if (c.num_learned_queries() > 0)
    g.learned_queries = {bind.at("global.query.weight"), c.queries, c.model_width()};
  g.cls = bind.at("global.cls");
  for (const TokenConfig& token : c.global_tokens)
    g.user_tokens.push_back(bind.linear(token_parameter(token)));
  for (const TokenConfig& token : c.candidate_tokens)
    g.candidate_tokens.push_back(bind.linear(token_parameter(token)));
  for (int64_t l = 0; l < c.num_layers(); ++l) {
    g.layers.push_back(
        bind.transformer_layer<TransformerLayerGradients>(layer_prefix(l), c.model_width()));
  }
  g.head = bind.head<PredictionHeadGradients>(c);
  return g;
}

}  // namespace longer
