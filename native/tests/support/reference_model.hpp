#pragma once
// Bridges between the library's models and the reference's weights.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "model/longer_model.hpp"
#include "reference/model_weights.hpp"
#include "support/test_backend.hpp"
#include "training/trainer.hpp"

namespace longer::testing {

inline std::vector<float> to_floats(const model_reference::Vector& values) {
  std::vector<float> floats;
  for (double value : values) floats.push_back(static_cast<float>(value));
  return floats;
}

/// A model of the library that holds `w`, whose values are floats'.
inline std::shared_ptr<const LongerModel> model_of(
    const Config& c, const model_reference::Weights& w,
    std::shared_ptr<Backend> backend = test_backend()) {
  auto state = fresh_state(c, 0);
  for (const Parameter& p : state->layout.parameters()) {
    const std::vector<float> values = to_floats(w.at(p.name));
    std::copy(values.begin(), values.end(), state->dense.data() + p.offset);
  }
  for (size_t t = 0; t < c.tables.size(); ++t) {
    if (c.tables[t].rows > 0) continue;
    const model_reference::Table& table = w.tables.at(c.tables[t].name);
    const std::vector<float> oov = to_floats(table.out_of_vocabulary);
    std::copy(oov.begin(), oov.end(), state->tables[t]->values());
    for (const auto& [id, row] : table.rows) {
      state->tables[t]->insert_or_assign(id, to_floats(row).data(), 0.0F);
    }
  }
  return std::make_shared<const LongerModel>(std::move(state), std::move(backend));
}

/// The numbers a state holds.
inline model_reference::Weights weights_of(const ModelState& state) {
  model_reference::Weights w;
  for (const Parameter& p : state.layout.parameters()) {
    const float* values = state.dense.data() + p.offset;
    w.dense[p.name].assign(values, values + p.size());
  }
  for (const auto& table : state.tables) {
    if (table == nullptr) continue;
    const auto row = [&](int32_t r) {
      const float* values = table->values() + r * table->width();
      return model_reference::Vector(values, values + table->width());
    };
    model_reference::Table& target = w.tables[table->name()];
    target.out_of_vocabulary = row(0);
    for (int32_t r : table->rows_by_id()) target.rows[table->id_of(r)] = row(r);
  }
  return w;
}

/// The gradients a trainer computed last.
inline model_reference::Weights gradients_of(const Trainer& trainer) {
  const ModelState& state = trainer.state();
  model_reference::Weights gradients = model_reference::zero_weights(state.config);
  for (const Parameter& p : state.layout.parameters()) {
    const float* values = trainer.gradient(p.name);
    gradients.dense[p.name].assign(values, values + p.size());
  }
  for (size_t t = 0; t < state.tables.size(); ++t) {
    if (state.tables[t] == nullptr) continue;
    const TableGradient::Rows gradient = trainer.table_gradient(static_cast<int64_t>(t));
    const int64_t width = state.tables[t]->width();
    model_reference::Table& target = gradients.tables.at(state.tables[t]->name());
    for (size_t i = 0; i < gradient.rows->size(); ++i) {
      const float* values = gradient.sums.row(static_cast<int64_t>(i));
      model_reference::Vector row(values, values + width);
      const int32_t r = (*gradient.rows)[i];
      if (r == 0) {
        target.out_of_vocabulary = row;
      } else {
        target.rows[state.tables[t]->id_of(r)] = row;
      }
    }
  }
  return gradients;
}

}  // namespace longer::testing
