#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "longer/config.hpp"
#include "ops/event_encoder/event_encoder.hpp"
#include "ops/global_tokens/global_tokens.hpp"
#include "ops/prediction_head/prediction_head.hpp"
#include "ops/transformer_layer/transformer_layer.hpp"

namespace longer {

/// How a parameter starts and whether weight decay acts on it.
enum class ParameterKind { kLinearWeight, kResidualWeight, kBias, kNormWeight, kEmbedding };

/// One named dense parameter: a row-major block of the flat arena (names and shapes:
/// native/docs/model.md).
struct Parameter {
  std::string name;
  std::vector<int64_t> shape;
  ParameterKind kind = ParameterKind::kBias;
  int64_t offset = 0;  // elements from the start of the arena; a multiple of 16

  int64_t size() const {
    int64_t product = 1;
    for (int64_t extent : shape) product *= extent;
    return product;
  }
};

/// Where every dense parameter of a configuration stands in its arena. Parameters, gradients and
/// moments share it.
class ParameterLayout {
 public:
  explicit ParameterLayout(const Config& config);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Elements of the arena, gaps for alignment included.
  int64_t arena_size() const { return arena_size_; }
  /// Elements of all parameters.
  int64_t num_elements() const;
  /// The parameter of that name, null when there is none.
  const Parameter* find(std::string_view name) const;
  /// As find; throws InvalidArgument naming the parameter.
  const Parameter& get(std::string_view name) const;
  /// Start of a parameter in an arena, null when the configuration has none of that name.
  const float* at(const float* arena, std::string_view name) const;
  float* at(float* arena, std::string_view name) const;

 private:
  void add(std::string name, std::vector<int64_t> shape, ParameterKind kind);
  void add_linear(const std::string& name, int64_t out, int64_t in, ParameterKind kind);
  void add_block(const std::string& prefix, int64_t width);

  std::vector<Parameter> parameters_;
  int64_t arena_size_ = 0;
};

/// Fills an arena with the values training starts from; element i of a parameter depends on (seed,
/// name, i) only.
void initialize_parameters(const Config& config, const ParameterLayout& layout, uint64_t seed,
                           float* arena);

/// All weights as the stages take them: views into one arena and the tables.
struct ModelWeights {
  EventEncoderWeights event_encoder;
  ConstMatrixView learned_queries;  // [k, D]; empty unless queries are learned
  GlobalTokensWeights global_tokens;
  std::vector<TransformerLayerWeights> layers;
  PredictionHeadWeights head;

  /// Every linear map, for Backend::prepare.
  std::vector<LinearWeights*> linears();
};

/// All gradients as the stages take them: views into one arena laid out as the parameters.
struct ModelGradients {
  EventEncoderGradients event_encoder;
  MatrixView learned_queries;
  float* cls = nullptr;
  std::vector<LinearGradients> user_tokens, candidate_tokens;
  std::vector<TransformerLayerGradients> layers;
  PredictionHeadGradients head;
};

/// `tables`: one view per configured table. Growable tables' views are refreshed by the caller when
/// they move.
ModelWeights bind_weights(const Config& config, const ParameterLayout& layout, const float* arena,
                          const std::vector<TableView>& tables);
ModelGradients bind_gradients(const Config& config, const ParameterLayout& layout, float* arena);

/// Name of a dense table's parameter.
std::string table_parameter(const TableConfig& table);

}  // namespace longer
