#pragma once
#include <memory>
#include <string>
#include <unordered_set>

#include "model/longer_model.hpp"

namespace longer {

/// Puts a model together from numbers that were made elsewhere. One thread at a time.
class ModelBuilder {
 public:
  explicit ModelBuilder(const Config& config);

  /// Copies a dense parameter, row-major. Throws InvalidArgument for another name or size.
  void set_parameter(const std::string& name, const float* values, int64_t count);
  /// Copies a growable table: distinct ids [n], rows [n + 1, width], the out-of-vocabulary row
  /// first. Throws InvalidArgument when there is no such table or an id comes twice.
  void set_table(const std::string& name, const int64_t* ids, const float* rows, int64_t num_ids);
  /// The finished state; the builder is of no use afterwards. Throws InvalidState naming what was
  /// not set.
  std::unique_ptr<ModelState> build();

 private:
  ModelState& state();

  std::unique_ptr<ModelState> state_;
  std::unordered_set<std::string> missing_;  // parameters, and tables as "table.<name>"
};

}  // namespace longer
