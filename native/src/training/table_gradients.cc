#include "training/table_gradients.hpp"

namespace longer {

/// One stage's reads of one table, and the columns of its input gradients that belong to them.
struct TableGradients::Read {
  size_t table;
  RowSource rows;
  MatrixView InputGradients::*input;
  int64_t column;
  const FeatureValues* bags;  // many-valued: the gradient of a mean is spread over its values
};

TableGradients::TableGradients(const ModelState& state, Backend& backend)
    : config_(state.config), layout_(state.layout), backend_(backend) {
  for (size_t t = 0; t < config_.tables.size(); ++t) {
    const TableConfig& table = config_.tables[t];
    const bool is_growable = state.tables[t] != nullptr;
    tables_.push_back({is_growable ? "" : table_parameter(table), table.width, table.rows + 1});
    growable_.push_back(is_growable ? backend.make_table_gradient(table.width) : nullptr);
  }
  const auto add = [this](const char* parameter, int64_t width, int64_t num_rows) {
    tables_.push_back({parameter, width, num_rows});
    return tables_.size() - 1;
  };
  if (config_.position == PositionMode::kLearned) {
    positions_ = add("event_encoder.position.weight",
                     config_.features_width(config_.event_features), config_.max_history);
  }
  if (config_.time != TimeMode::kNone) {
    time_buckets_ =
        add("event_encoder.time_bucket.weight", config_.time_width, config_.time_buckets + 1);
  }
  if (!config_.global_tokens.empty()) {
    user_time_buckets_ =
        add("global.user_time_bucket.weight", config_.time_width, config_.time_buckets + 1);
  }
}

std::vector<TableGradients::Read> TableGradients::reads(const PreparedBatch& batch) const {
  std::vector<Read> reads;
  const auto add_features = [&](const std::vector<FeatureConfig>& features,
                                const PreparedFeatures& prepared, size_t first, int64_t count,
                                MatrixView InputGradients::*input, int64_t column) {
    for (size_t f = 0; f < features.size(); ++f) {
      if (features[f].kind == FeatureKind::kNumeric) {
        column += kNumericWidth;
        continue;
      }
      const FeatureValues& host = prepared.values()[first + f];
      const FeatureValues& placed = prepared.placed()[first + f];
      const bool is_bag = features[f].kind == FeatureKind::kManyValued;
      const auto table = static_cast<size_t>(config_.table_index(features[f].table));
      reads.push_back({table,
                       {placed.rows, count, placed.offsets, is_bag ? host.offsets[count] : count},
                       input,
                       column,
                       is_bag ? &placed : nullptr});
      column += tables_[table].width;
    }
    return column;
  };
  const int64_t tokens = batch.num_tokens();
  const int64_t requests = batch.num_requests;
  add_features(config_.event_features, batch.event_features, 0, tokens, &InputGradients::features,
               0);
  const int64_t context_column = add_features(config_.user_features, batch.user_features, 0,
                                              requests, &InputGradients::user_input, 0);
  const int64_t time_column =
      add_features(config_.context_features, batch.user_features, config_.user_features.size(),
                   requests, &InputGradients::user_input, context_column);
  add_features(config_.candidate_features, batch.candidate_features, 0, batch.num_candidates,
               &InputGradients::candidate_input, 0);
  const auto add_rows = [&reads](size_t table, const int32_t* rows, int64_t count,
                                 MatrixView InputGradients::*input, int64_t column) {
    if (table != 0) reads.push_back({table, {rows, count, nullptr, count}, input, column, nullptr});
  };
  add_rows(positions_, batch.positions.placed(), tokens, &InputGradients::features, 0);
  add_rows(time_buckets_, batch.time_buckets.placed(), tokens, &InputGradients::time, 0);
  add_rows(user_time_buckets_, batch.user_time_buckets.placed(), requests,
           &InputGradients::user_input, time_column);
  return reads;
}

void TableGradients::group(Stream& stream, const PreparedBatch& batch,
                           const std::vector<int64_t>& num_rows, Groups& groups) const {
  std::vector<std::vector<RowSource>> sources(tables_.size());
  for (const Read& read : reads(batch)) sources[read.table].push_back(read.rows);
  groups.resize(tables_.size());
  for (size_t t = 0; t < tables_.size(); ++t) {
    const int64_t rows = tables_[t].parameter.empty() ? num_rows[t] : tables_[t].num_rows;
    backend_.group_rows(stream, sources[t], rows, groups[t]);
  }
}

void TableGradients::clear(Stream& stream) {
  for (const auto& table : growable_)
    if (table != nullptr) table->clear(stream);
}

void TableGradients::reserve(Stream& stream, const Groups& groups, bool is_first) {
  for (size_t t = 0; t < growable_.size(); ++t)
    if (growable_[t] != nullptr) growable_[t]->reserve(stream, *groups[t], is_first);
}

void TableGradients::add(Stream& stream, Workspace& memory, const PreparedBatch& batch,
                         const Groups& groups, const InputGradients& inputs,
                         float* dense_gradients) {
  std::vector<std::vector<GradientRows>> rows(tables_.size());
  for (const Read& read : reads(batch)) {
    const MatrixView& input = inputs.*read.input;
    const int64_t width = tables_[read.table].width;
    MatrixView d_rows = input.slice_cols(read.column, read.column + width);
    if (read.bags != nullptr) {
      const MatrixView d_mean = d_rows;
      d_rows = memory.matrix(read.rows.count, width);
      backend_.spread_mean_gradient(stream, *read.bags, d_mean, d_rows);
    }
    rows[read.table].push_back({d_rows.data, d_rows.stride});
  }
  for (size_t t = 0; t < tables_.size(); ++t) {
    const Table& table = tables_[t];
    if (table.parameter.empty()) {
      growable_[t]->add(stream, *groups[t], rows[t]);
    } else {
      backend_.add_to_rows(stream, *groups[t], rows[t], table.width,
                           layout_.at(dense_gradients, table.parameter));
    }
  }
}

void TableGradients::add_squares(Stream& stream, double* sum) {
  for (const auto& table : growable_)
    if (table != nullptr) table->add_squares(stream, sum);
}

void TableGradients::update(Stream& stream, PlacedState& state, const StepNumbers* numbers) {
  for (size_t t = 0; t < growable_.size(); ++t) {
    if (growable_[t] == nullptr) continue;
    RowWiseAdagradStep step;
    step.table = state.table_values(t);
    step.states = state.table_states(t);
    step.numbers = numbers;
    growable_[t]->update(stream, step);
  }
}

int64_t TableGradients::bytes() const {
  int64_t sum = 0;
  for (const auto& table : growable_) sum += table != nullptr ? table->bytes() : 0;
  return sum;
}

}  // namespace longer
