#pragma once
// What tests/golden holds: batches as JSON, weights that need no file, checksums of gradients.
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/model_weights.hpp"
#include "support/cases.hpp"
#include "support/owned_batch.hpp"

namespace longer::testing {

/// A file or folder of tests/golden.
inline std::string golden_path(const std::string& name) {
  return std::string(LONGER_GOLDEN_FOLDER) + "/" + name;
}

/// Weights from integer arithmetic alone, the same on every platform: element i of the tensor
/// numbered n is
/// ((i + 1)·40503 + n·30011 mod 65536) / 65536 − ½, norm weights 1 more.
inline model_reference::Weights golden_weights(const Config& c) {
  uint64_t tensor = 0;
  const auto fill = [&tensor](model_reference::Vector& values, double mean) {
    ++tensor;
    for (size_t i = 0; i < values.size(); ++i) {
      const uint64_t bits = ((i + 1) * 40503 + tensor * 30011) % 65536;
      values[i] = mean + static_cast<double>(bits) / 65536.0 - 0.5;
    }
  };
  model_reference::Weights w = model_reference::zero_weights(c);
  for (const model_reference::NamedShape& p : model_reference::parameter_shapes(c)) {
    const bool is_norm =
        p.name.find("ln") != std::string::npos && p.name.find(".weight") != std::string::npos;
    fill(w.at(p.name), is_norm ? 1.0 : 0.0);
  }
  for (auto& [name, table] : w.tables) {
    fill(table.out_of_vocabulary, 0.0);
    for (int64_t id : known_ids()) {
      table.rows[id].resize(table.out_of_vocabulary.size());
      fill(table.rows[id], 0.0);
    }
  }
  return w;
}

/// Three numbers of a tensor: Σg, Σ|g| and Σ(i mod 7 − 3)·g, which sees elements change places.
inline model_reference::Vector checksum(const model_reference::Vector& g) {
  model_reference::Vector sums(3, 0.0);
  for (size_t i = 0; i < g.size(); ++i) {
    sums[0] += g[i];
    sums[1] += std::abs(g[i]);
    sums[2] += (static_cast<double>(i % 7) - 3.0) * g[i];
  }
  return sums;
}

/// Checksums by tensor name; a growable table's rows count in order of id behind its
/// out-of-vocabulary row.
inline std::map<std::string, model_reference::Vector> checksums(
    const model_reference::Weights& gradients) {
  std::map<std::string, model_reference::Vector> sums;
  for (const auto& [name, g] : gradients.dense) sums[name] = checksum(g);
  for (const auto& [name, table] : gradients.tables) {
    model_reference::Vector all = table.out_of_vocabulary;
    for (const auto& [id, row] : table.rows) all = model_reference::concat(all, row);
    sums["table " + name] = checksum(all);
  }
  return sums;
}

inline std::vector<float> floats_of(const nlohmann::json& json) {
  std::vector<float> floats;
  for (const nlohmann::json& value : json)
    floats.push_back(value.is_null() ? NAN : value.get<float>());
  return floats;
}

inline OwnedColumns columns_of(const nlohmann::json& json) {
  OwnedColumns columns;
  for (const nlohmann::json& fields : json) {
    OwnedColumn& column = columns.emplace_back();
    column.ids = fields.value("ids", column.ids);
    if (fields.contains("numbers")) column.numbers = floats_of(fields.at("numbers"));
    column.offsets = fields.value("offsets", column.offsets);
    column.valid = fields.value("valid", column.valid);
  }
  return columns;
}

inline OwnedBatch batch_of(const nlohmann::json& json) {
  OwnedBatch b;
  json.at("event_offsets").get_to(b.event_offsets);
  json.at("candidate_offsets").get_to(b.candidate_offsets);
  b.event_columns = columns_of(json.at("event_columns"));
  json.at("event_times").get_to(b.event_times);
  json.at("first_ordinals").get_to(b.first_ordinals);
  json.at("reference_times").get_to(b.reference_times);
  b.user_columns = columns_of(json.at("user_columns"));
  b.candidate_columns = columns_of(json.at("candidate_columns"));
  json.at("weights").get_to(b.weights);
  b.labels = floats_of(json.at("labels"));
  return b;
}

inline nlohmann::json read_golden_json(const std::string& file_name) {
  std::ifstream file(golden_path(file_name));
  if (!file.good()) throw std::runtime_error("cannot read " + golden_path(file_name));
  return nlohmann::json::parse(file);
}

}  // namespace longer::testing
