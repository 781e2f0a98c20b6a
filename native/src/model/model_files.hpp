#pragma once
#include <memory>
#include <string>

#include "core/safetensors.hpp"
#include "longer/config.hpp"
#include "model/model_state.hpp"
#include "model/optimizer_state.hpp"

namespace longer {

/// Names of the tensors in a model folder (native/docs/model-format.md); dense parameters have
/// their own, with a prefix for each of their moments.
namespace model_tensors {
inline constexpr const char* kStep = "step";
inline constexpr const char* kFirstMoment = "adam.m.";
inline constexpr const char* kSecondMoment = "adam.v.";
inline std::string ids(const TableConfig& t) { return "table." + t.name + ".ids"; }
inline std::string rows(const TableConfig& t) { return "table." + t.name + ".rows"; }
inline std::string states(const TableConfig& t) { return "table." + t.name + ".adagrad"; }
inline std::string pending_ids(const TableConfig& t) { return "table." + t.name + ".pending_ids"; }
inline std::string pending_counts(const TableConfig& t) {
  return "table." + t.name + ".pending_counts";
}
}  // namespace model_tensors

/// The readers of a model folder's files, one file at a time. They trust nothing in them: each
/// throws CorruptData naming the file and what is wrong with it.

/// Parses `config.json`. Also throws Unsupported for a later format.
Config read_config(const MappedFile& file);
/// Reads parameters and growable tables of a model; with `optimizer` also Adagrad's states and the
/// counts of ids without a row.
std::unique_ptr<ModelState> read_state(const Config& config, const SafetensorsReader& dense,
                                       const SafetensorsReader& tables,
                                       const SafetensorsReader* optimizer);
/// Reads AdamW's moments and the steps done.
std::unique_ptr<OptimizerState> read_optimizer(const SafetensorsReader& optimizer,
                                               const ParameterLayout& layout);

}  // namespace longer
