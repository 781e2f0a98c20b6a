#include <algorithm>
#include <cmath>

#include "longer/error.hpp"
#include "serving/ranker.hpp"
#include "serving/ranker_context.hpp"

namespace longer {
namespace {

/// |gradient · event token| of each kept event.
std::vector<double> saliency(const float* gradient, const float* tokens, int64_t count, int64_t width) {
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) {
    double product = 0;
    for (int64_t c = 0; c < width; ++c) {
      product += static_cast<double>(gradient[i * width + c]) * static_cast<double>(tokens[i * width + c]);
    }
    values.push_back(std::abs(product));
  }
  return values;
}

}  // namespace

void Ranker::explain(const RankRequest& request, int64_t candidate, int64_t task, float* attribution) {
  check_request(request);
  const Config& config = model_->config();
  const auto tasks = static_cast<int64_t>(config.tasks.size());
  check_argument(candidate >= 0 && candidate < request.batch.num_candidates, "[explain] candidate must be in 0 … ",
                 request.batch.num_candidates - 1, "; got ", candidate);
  check_argument(task >= 0 && task < tasks, "[explain] task must be in 0 … ", tasks - 1, "; got ", task);
  check_argument(request.cache_mode != CacheMode::kOnly, "[explain] needs the history");

  ContextLease lease(*this);
  Context& c = *lease;
  std::fill_n(attribution, request.batch.num_events, 0.0F);
  ReadOnlyLookup lookup(model_->state());
  prepare_batch(config, request.batch, lookup, c.batch);
  const int64_t kept = c.batch.num_tokens();
  if (kept == 0) return;

  const ModelWeights& weights = model_->weights();
  Backend& backend = model_->backend();
  const MatrixView tokens = c.memory.matrix(kept, config.event_width);
  const MatrixView d_tokens = c.memory.matrix(kept, config.event_width);
  allocate_keys_values(config, c.batch, c.memory, c.keys_values);
  encode_user(config, weights, backend, *c.stream, c.memory, c.batch, PassKind::kTraining, c.keys_values,
              c.activations, tokens.data);
  score_candidates(config, weights, backend, *c.stream, c.memory, c.batch, PassKind::kTraining, c.keys_values,
                   c.activations);

  const MatrixView d_logits = c.memory.matrix(request.batch.num_candidates, tasks);
  std::fill_n(d_logits.data, d_logits.rows * d_logits.cols, 0.0F);
  d_logits.row(candidate)[task] = 1.0F;
  AlignedBuffer gradients(model_->state().layout.arena_size());
  InputGradients inputs;
  inputs.event_tokens = d_tokens.data;
  backward(config, weights, backend, *c.stream, c.memory, c.batch, c.keys_values, c.activations, d_logits,
           bind_gradients(config, model_->state().layout, gradients.data()), inputs);

  const int64_t row = config.num_globals() + candidate;
  std::vector<float> attention(static_cast<size_t>(c.batch.num_groups() + c.batch.num_side_rows));
  cross_attention_probabilities(config, weights, backend, *c.stream, c.batch, c.keys_values, c.activations, 0, row,
                                attention.data());

  const std::vector<double> weight = saliency(d_tokens.data, tokens.data, kept, config.event_width);
  std::vector<double> shares(static_cast<size_t>(kept));
  double total = 0;
  for (int64_t g = 0; g < c.batch.num_groups(); ++g) {
    const auto begin = static_cast<size_t>(c.batch.event_group_offsets[static_cast<size_t>(g)]);
    const auto end = static_cast<size_t>(c.batch.event_group_offsets[static_cast<size_t>(g) + 1]);
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += weight[i];
    for (size_t i = begin; i < end; ++i) {
      const double share = sum > 0 ? weight[i] / sum : 1.0 / static_cast<double>(end - begin);
      shares[i] = share * static_cast<double>(attention[static_cast<size_t>(g)]);
      total += shares[i];
    }
  }
  float* first = attribution + c.batch.first_kept[0];
  for (int64_t i = 0; i < kept; ++i) {
    first[i] = static_cast<float>(total > 0 ? shares[static_cast<size_t>(i)] / total : 1.0 / static_cast<double>(kept));
  }
}

}  // namespace longer
