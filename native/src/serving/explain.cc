#include <algorithm>
#include <cmath>

#include "longer/error.hpp"
#include "model/column_values.hpp"
#include "serving/ranker.hpp"
#include "serving/ranker_context.hpp"

namespace longer {
namespace {

/// |gradient · event token| of each kept event.
std::vector<double> saliency(ConstMatrixView gradient, ConstMatrixView tokens) {
  std::vector<double> values;
  for (int64_t i = 0; i < tokens.rows; ++i) {
    double product = 0;
    for (int64_t c = 0; c < tokens.cols; ++c) {
      product += static_cast<double>(gradient.row(i)[c]) * static_cast<double>(tokens.row(i)[c]);
    }
    values.push_back(std::abs(product));
  }
  return values;
}

/// Spreads each group's attention over its events in proportion to their saliency (evenly where all
/// are 0) and scales the shares to a sum of 1.
std::vector<double> shares_of(const std::vector<float>& attention,
                              const std::vector<double>& saliency,
                              const std::vector<int32_t>& group_offsets) {
  std::vector<double> shares(saliency.size());
  double total = 0;
  for (size_t g = 0; g + 1 < group_offsets.size(); ++g) {
    const auto begin = static_cast<size_t>(group_offsets[g]);
    const auto end = static_cast<size_t>(group_offsets[g + 1]);
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += saliency[i];
    for (size_t i = begin; i < end; ++i) {
      const double share = sum > 0 ? saliency[i] / sum : 1.0 / static_cast<double>(end - begin);
      shares[i] = share * static_cast<double>(attention[g]);
      total += shares[i];
    }
  }
  for (double& share : shares)
    share = total > 0 ? share / total : 1.0 / static_cast<double>(shares.size());
  return shares;
}

/// The request with one of its candidates. Scores do not depend on the others, so neither does the
/// explanation.
class OneCandidate {
 public:
  OneCandidate(const Config& config, const BatchView& batch, int64_t candidate) : view(batch) {
    const size_t num_features = config.candidate_features.size();
    rows_.resize(num_features);  // the columns point into it
    for (size_t f = 0; f < num_features; ++f) {
      columns_.push_back(row_of(batch.candidate_columns[f], candidate, rows_[f]));
    }
    view.num_candidates = 1;
    view.candidate_offsets = kOffsets;
    view.candidate_columns = columns_.data();
  }

  BatchView view;

 private:
  static constexpr int64_t kOffsets[2] = {0, 1};
  struct Row {
    int64_t offsets[2];
    uint8_t valid;
  };
  /// Row i of a column as a column of one row.
  static Column row_of(const Column& column, int64_t i, Row& row) {
    Column one{};
    if (column.offsets != nullptr) {
      row.offsets[0] = 0;
      row.offsets[1] = column.offsets[i + 1] - column.offsets[i];
      one.offsets = row.offsets;
      one.ids = column.ids + column.offsets[i];
    } else if (column.numbers != nullptr) {
      one.numbers = column.numbers + i;
    } else {
      row.valid = is_valid(column, i) ? 1 : 0;
      one.valid = &row.valid;
      one.ids = column.ids + i;
    }
    return one;
  }

  std::vector<Row> rows_;
  std::vector<Column> columns_;
};

}  // namespace

void Ranker::explain(const RankRequest& request, int64_t candidate, int64_t task,
                     float* attribution) {
  check_request(request);
  const Config& config = model_->config();
  const auto tasks = static_cast<int64_t>(config.tasks.size());
  check_argument(candidate >= 0 && candidate < request.batch.num_candidates,
                 "[explain] candidate must be in 0 … ", request.batch.num_candidates - 1, "; got ",
                 candidate);
  check_argument(task >= 0 && task < tasks, "[explain] task must be in 0 … ", tasks - 1, "; got ",
                 task);
  check_argument(request.cache_mode != CacheMode::kOnly,
                 "[explain] needs the history; got CACHE_ONLY");

  ContextLease lease(*this);
  Context& c = *lease;
  std::fill_n(attribution, request.batch.num_events, 0.0F);
  const OneCandidate one(config, request.batch, candidate);
  ReadOnlyLookup lookup(model_->state());
  prepare_batch(config, one.view, lookup, c.batch);
  const int64_t kept = c.batch.num_tokens();
  if (kept == 0) return;

  const MatrixView tokens = c.memory.matrix(kept, config.event_width);
  const MatrixView d_tokens = c.memory.matrix(kept, config.event_width);
  encode_and_score(c, PassKind::kTraining, tokens.data);

  const MatrixView d_logits = c.memory.matrix(1, tasks);
  std::vector<float> one_logit(static_cast<size_t>(tasks), 0.0F);
  one_logit[static_cast<size_t>(task)] = 1.0F;
  c.stream->copy(d_logits.data, one_logit.data(), tasks);
  const ParameterLayout& layout = model_->state().layout;
  AlignedBuffer gradients(layout.arena_size(), model_->backend().memory());
  InputGradients inputs;
  inputs.event_tokens = d_tokens.data;
  backward(config, model_->weights(), model_->backend(), *c.stream, c.memory, c.batch,
           c.keys_values, c.activations, d_logits, bind_gradients(config, layout, gradients.data()),
           inputs);

  const int64_t keys = c.batch.num_merged_rows() + c.batch.num_side_rows;
  std::vector<float> attention(static_cast<size_t>(keys));  // summed over the candidate's tokens
  const MatrixView of_one = c.memory.matrix(1, keys);
  for (size_t t = 0; t < config.candidate_tokens.size(); ++t) {
    cross_attention_probabilities(config, model_->weights(), model_->backend(), *c.stream, c.batch,
                                  c.keys_values, c.activations, 0,
                                  config.num_request_rows() + static_cast<int64_t>(t), of_one.data);
    const float* shares = c.stream->fetch(of_one, c.fetched).data;
    for (int64_t i = 0; i < keys; ++i) attention[static_cast<size_t>(i)] += shares[i];
  }
  std::vector<float> copy;
  const std::vector<double> shares = shares_of(
      attention, saliency(c.stream->fetch(d_tokens, copy), c.stream->fetch(tokens, c.fetched)),
      c.batch.event_group_offsets);
  float* first = attribution + c.batch.kept_events[0].begin;
  for (size_t i = 0; i < shares.size(); ++i) first[i] = static_cast<float>(shares[i]);
}

}  // namespace longer
