#pragma once
// Optimizer steps of the whole-model reference (native/docs/model.md, "Optimizer").
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "reference/model_math.hpp"
#include "reference/model_weights.hpp"

namespace longer::model_reference {

struct OptimizerOptions {
  double learning_rate = 1e-3;
  double table_learning_rate = 1e-2;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0.0;
  double table_epsilon = 1e-8;
  double clip_norm = 0.0;
  int64_t warmup_steps = 0;
  int64_t decay_steps = 0;
  double decay_floor = 0.0;
};

/// AdamW moments of dense parameters; Adagrad sums of table rows by table and id, the
/// out-of-vocabulary row's apart.
struct OptimizerState {
  int64_t step = 0;
  std::map<std::string, Vector> m, v;
  std::map<std::string, std::map<int64_t, double>> row_sums;
  std::map<std::string, double> out_of_vocabulary_sums;
};

/// L2 norm over dense gradients and table rows.
inline double gradient_norm(const Weights& gradients) {
  double squares = 0.0;
  const auto add = [&squares](const Vector& g) {
    for (double value : g) squares += value * value;
  };
  for (const auto& [name, g] : gradients.dense) add(g);
  for (const auto& [name, table] : gradients.tables) {
    add(table.out_of_vocabulary);
    for (const auto& [id, row] : table.rows) add(row);
  }
  return std::sqrt(squares);
}

/// Factor of the learning rates at step t, counted from 1.
inline double rate_factor(const OptimizerOptions& o, int64_t step) {
  const auto t = static_cast<double>(step);
  double factor = 1.0;
  if (o.warmup_steps > 0) factor *= std::min(1.0, t / static_cast<double>(o.warmup_steps));
  if (o.decay_steps > 0) {
    const double progress = std::min(1.0, t / static_cast<double>(o.decay_steps));
    factor *=
        o.decay_floor + (1.0 - o.decay_floor) * 0.5 * (1.0 + std::cos(std::acos(-1.0) * progress));
  }
  return factor;
}

inline bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

inline bool has_weight_decay(const std::string& name) {
  for (const char* end : {".qkv.weight", ".out.weight", ".fc1.weight", ".fc2.weight"}) {
    if (ends_with(name, end)) return true;
  }
  return is_token_weight(name);
}

inline void adagrad_row(Vector& row, const Vector& gradient, double scale, double rate,
                        double epsilon, double& sum_of_squares) {
  double mean = 0.0;
  for (double g : gradient) mean += scale * g * scale * g / static_cast<double>(gradient.size());
  sum_of_squares += mean;
  for (size_t i = 0; i < row.size(); ++i) {
    row[i] -= rate * scale * gradient[i] / (std::sqrt(sum_of_squares) + epsilon);
  }
}

/// target += factor · gradients, rows that only one of them has included.
inline void add_gradients(Weights& target, const Weights& gradients, double factor) {
  const auto add = [factor](Vector& to, const Vector& from) {
    to.resize(from.size(), 0.0);
    for (size_t i = 0; i < from.size(); ++i) to[i] += factor * from[i];
  };
  for (const auto& [name, g] : gradients.dense) add(target.dense[name], g);
  for (const auto& [name, table] : gradients.tables) {
    add(target.tables[name].out_of_vocabulary, table.out_of_vocabulary);
    for (const auto& [id, row] : table.rows) add(target.tables[name].rows[id], row);
  }
}

/// One step; returns the norm before clipping.
inline double optimizer_step(const OptimizerOptions& o, const Weights& gradients, Weights& weights,
                             OptimizerState& state) {
  const double norm = gradient_norm(gradients);
  const double scale = o.clip_norm > 0.0 && norm > 0.0 ? std::min(1.0, o.clip_norm / norm) : 1.0;
  ++state.step;
  const double factor = rate_factor(o, state.step);
  const auto t = static_cast<double>(state.step);
  for (auto& [name, w] : weights.dense) {
    const Vector& gradient = gradients.at(name);
    Vector& m = state.m[name];
    Vector& v = state.v[name];
    m.resize(w.size(), 0.0);
    v.resize(w.size(), 0.0);
    const double decay = has_weight_decay(name) ? o.weight_decay : 0.0;
    for (size_t i = 0; i < w.size(); ++i) {
      const double g = scale * gradient[i];
      m[i] = o.beta1 * m[i] + (1.0 - o.beta1) * g;
      v[i] = o.beta2 * v[i] + (1.0 - o.beta2) * g * g;
      const double m_hat = m[i] / (1.0 - std::pow(o.beta1, t));
      const double v_hat = v[i] / (1.0 - std::pow(o.beta2, t));
      w[i] -= o.learning_rate * factor * (m_hat / (std::sqrt(v_hat) + o.epsilon) + decay * w[i]);
    }
  }
  const double table_rate = o.table_learning_rate * factor;
  for (auto& [name, table] : weights.tables) {
    const Table& d_table = gradients.tables.at(name);
    adagrad_row(table.out_of_vocabulary, d_table.out_of_vocabulary, scale, table_rate,
                o.table_epsilon, state.out_of_vocabulary_sums[name]);
    for (const auto& [id, d_row] : d_table.rows) {
      adagrad_row(table.rows.at(id), d_row, scale, table_rate, o.table_epsilon,
                  state.row_sums[name][id]);
    }
  }
  return norm;
}

}  // namespace longer::model_reference
