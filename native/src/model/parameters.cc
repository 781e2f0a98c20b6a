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

int64_t user_width(const Config& c) {
  return c.features_width(c.user_features) + c.features_width(c.context_features) + c.time_width;
}

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
    views.push_back(tables[static_cast<size_t>(config.table_index(f.table))]);
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

  add("event_encoder.position.weight", {c.max_history, x}, ParameterKind::kEmbedding);
  if (time > 0) {
    add("event_encoder.time_bucket.weight", {c.time_buckets + 1, time}, ParameterKind::kEmbedding);
  }
  add_linear("event_encoder.fc1", 2 * d, x + time, ParameterKind::kLinearWeight);
  add_linear("event_encoder.fc2", d, 2 * d, ParameterKind::kLinearWeight);
  if (c.inner_layers > 0)
    add("token_merge.slot.weight", {c.merge_factor, d}, ParameterKind::kEmbedding);
  for (int64_t i = 0; i < c.inner_layers; ++i) add_block(inner_prefix(i), d);

  if (c.cls_tokens > 0) add("global.cls", {c.cls_tokens, width}, ParameterKind::kEmbedding);
  add("global.user_time_bucket.weight", {c.time_buckets + 1, c.time_width},
      ParameterKind::kEmbedding);
  add_linear("global.user", width, user_width(c), ParameterKind::kLinearWeight);
  add_linear("global.candidate", width, c.features_width(c.candidate_features),
             ParameterKind::kLinearWeight);

  for (int64_t l = 0; l < c.num_layers(); ++l) add_block(layer_prefix(l), width);
  add("head.ln.weight", {width}, ParameterKind::kNormWeight);
  add("head.ln.bias", {width}, ParameterKind::kBias);
  add_linear("head.fc1", width, (c.num_globals() + 1) * width, ParameterKind::kLinearWeight);
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
  std::vector<LinearWeights*> all = {&event_encoder.fc1, &event_encoder.fc2, &global_tokens.user,
                                     &global_tokens.candidate};
  for (BlockWeights& b : event_encoder.inner)
    all.insert(all.end(), {&b.qkv, &b.out, &b.fc1, &b.fc2});
  for (TransformerLayerWeights& l : layers)
    all.insert(all.end(), {&l.q, &l.kv, &l.out, &l.fc1, &l.fc2});
  all.insert(all.end(), {&head.fc1, &head.fc2});
  return all;
}

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

  w.global_tokens.cls = bind.at("global.cls");
  w.global_tokens.num_cls = c.cls_tokens;
  w.global_tokens.user_tables = views_of(c, c.user_features, tables);
  for (const TableView& view : views_of(c, c.context_features, tables)) {
    w.global_tokens.user_tables.push_back(view);
  }
  w.global_tokens.user_time_bucket = bind.at("global.user_time_bucket.weight");
  w.global_tokens.time_width = c.time_width;
  w.global_tokens.user = bind.linear("global.user");
  w.global_tokens.candidate_tables = views_of(c, c.candidate_features, tables);
  w.global_tokens.candidate = bind.linear("global.candidate");

  for (int64_t l = 0; l < c.num_layers(); ++l) {
    w.layers.push_back(
        bind.transformer_layer<TransformerLayerWeights>(layer_prefix(l), c.model_width()));
  }
  w.head = {bind.norm("head.ln"), bind.linear("head.fc1"), bind.linear("head.fc2")};
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
  g.cls = bind.at("global.cls");
  g.user = bind.linear("global.user");
  g.candidate = bind.linear("global.candidate");
  for (int64_t l = 0; l < c.num_layers(); ++l) {
    g.layers.push_back(
        bind.transformer_layer<TransformerLayerGradients>(layer_prefix(l), c.model_width()));
  }
  g.head = {bind.norm("head.ln"), bind.linear("head.fc1"), bind.linear("head.fc2")};
  return g;
}

}  // namespace longer
