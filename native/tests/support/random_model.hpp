#pragma once
#include <memory>

#include "model/longer_model.hpp"
#include "support/cases.hpp"
#include "support/random_data.hpp"
#include "support/test_backend.hpp"

namespace longer::testing {

/// A state with no zero anywhere, biases and out-of-vocabulary rows included, whose growable tables
/// hold `known_ids()`.
inline std::unique_ptr<ModelState> random_state(const Config& config, uint64_t seed) {
  auto state = fresh_state(config, seed);
  for (const Parameter& p : state->layout.parameters()) {
    const std::vector<float> noise =
        random_floats(p.size(), seed ^ static_cast<uint64_t>(p.offset), 0.1F);
    for (int64_t i = 0; i < p.size(); ++i)
      state->dense.data()[p.offset + i] += noise[static_cast<size_t>(i)];
  }
  for (size_t t = 0; t < state->tables.size(); ++t) {
    EmbeddingTable* table = state->tables[t].get();
    if (table == nullptr) continue;
    // Whatever occurrences the table asks for.
    const std::vector<float> none(static_cast<size_t>(table->width()));
    for (const int64_t id : known_ids()) table->insert_or_assign(id, none.data(), 0.0F);
    const std::vector<float> values =
        random_floats(table->num_rows() * table->width(), seed + t, 0.5F);
    std::copy(values.begin(), values.end(), table->values());
  }
  return state;
}

inline std::shared_ptr<const LongerModel> random_model(const Config& config, uint64_t seed,
                                                       int num_threads = 1) {
  return std::make_shared<const LongerModel>(random_state(config, seed), test_backend(num_threads));
}

}  // namespace longer::testing
