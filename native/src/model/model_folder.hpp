#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "model/longer_model.hpp"
#include "model/optimizer_state.hpp"

namespace longer {

/// Writes a model folder (native/docs/model-format.md) that appears whole or not at all. Throws
/// IoError, and InvalidArgument when `path` holds anything but a model folder; what stood at `path`
/// stays as it was then.
void save_model(const ModelState& state, const std::string& path);
/// Reads a model folder. Throws IoError, CorruptData naming the file, Unsupported for a later
/// format.
std::unique_ptr<ModelState> load_model(const std::string& path);

/// A model with its optimizer state, and what the caller's reader needs to go on: text that this
/// library keeps and does not read, at most 16 MiB, empty = none.
struct Checkpoint {
  std::unique_ptr<ModelState> state;
  std::unique_ptr<OptimizerState> optimizer;
  std::string progress;
};
void save_checkpoint(const ModelState& state, const OptimizerState& optimizer,
                     std::string_view progress, const std::string& path);
/// Throws InvalidArgument when the folder is a model without optimizer state.
Checkpoint load_checkpoint(const std::string& path);

}  // namespace longer
