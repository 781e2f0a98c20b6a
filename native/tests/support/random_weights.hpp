#pragma once
#include <cmath>
#include <random>
#include <string>

#include "longer/config.hpp"
#include "reference/model_weights.hpp"
#include "support/cases.hpp"

namespace longer::testing {

/// Weights with no zero anywhere (biases, norms and the out-of-vocabulary rows included), so that
/// no term of the model can be lost unseen. Growable tables hold `known_ids()`. Every value is a
/// float's.
inline model_reference::Weights random_weights(const Config& c, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto draw = [&random](double mean, double deviation) {
    return static_cast<double>(
        static_cast<float>(std::normal_distribution<double>(mean, deviation)(random)));
  };
  model_reference::Weights w = model_reference::zero_weights(c);
  for (const model_reference::NamedShape& p : model_reference::parameter_shapes(c)) {
    const bool is_norm_weight = p.shape.size() == 1 && p.name.find("ln") != std::string::npos &&
                                p.name.rfind(".weight") == p.name.size() - 7;
    const bool is_linear_weight =
        model_reference::is_token_weight(p.name) || p.name.find("fc") != std::string::npos ||
        p.name.find("qkv") != std::string::npos || p.name.find("out") != std::string::npos;
    const double mean = is_norm_weight ? 1.0 : 0.0;
    const double deviation = p.shape.size() == 1 ? 0.2
                             : is_linear_weight  ? 1.0 / std::sqrt(static_cast<double>(p.shape[1]))
                                                 : 0.5;
    for (double& value : w.at(p.name)) value = draw(mean, deviation);
  }
  for (auto& [name, table] : w.tables) {
    for (double& value : table.out_of_vocabulary) value = draw(0.0, 0.5);
    for (int64_t id : known_ids()) {
      model_reference::Vector row(table.out_of_vocabulary.size());
      for (double& value : row) value = draw(0.0, 0.5);
      table.rows[id] = row;
    }
  }
  return w;
}

}  // namespace longer::testing
