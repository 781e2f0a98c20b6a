#include "model/model_builder.hpp"

#include <algorithm>

#include "longer/error.hpp"

namespace longer {
namespace {

std::string item_of(const TableConfig& table) { return "table." + table.name; }

}  // namespace

ModelBuilder::ModelBuilder(const Config& config) : state_(std::make_unique<ModelState>(config)) {
  for (const Parameter& p : state_->layout.parameters()) missing_.insert(p.name);
  for (const TableConfig& table : config.tables) {
    if (table.rows == 0) missing_.insert(item_of(table));
  }
}

void ModelBuilder::set_parameter(const std::string& name, const float* values, int64_t count) {
  ModelState& model = state();
  const Parameter& p = model.layout.get(name);
  check_argument(count == p.size(), "[model_builder] ", name, " has ", p.size(), " elements; got ",
                 count);
  std::copy_n(values, count, model.dense.data() + p.offset);
  missing_.erase(name);
}

void ModelBuilder::set_table(const std::string& name, const int64_t* ids, const float* rows,
                             int64_t num_ids) {
  ModelState& model = state();
  const auto& tables = model.config.tables;
  const auto found = std::find_if(tables.begin(), tables.end(), [&](const TableConfig& table) {
    return table.name == name && table.rows == 0;
  });
  check_argument(found != tables.end(), "[model_builder] no growable table is named \"", name,
                 "\"");
  const TableConfig& config = *found;
  auto table = std::make_unique<EmbeddingTable>(config.name, config.width, 0, config.admission);
  std::copy_n(rows, config.width, table->values());
  for (int64_t i = 0; i < num_ids; ++i) {
    table->insert_or_assign(ids[i], rows + (i + 1) * config.width, 0.0F);
    check_argument(table->num_ids() == i + 1, "[model_builder] ids of table \"", name,
                   "\" must differ; got ", ids[i], " twice");
  }
  model.tables[static_cast<size_t>(found - tables.begin())] = std::move(table);
  missing_.erase(item_of(config));
}

std::unique_ptr<ModelState> ModelBuilder::build() {
  state();
  if (!missing_.empty()) {
    fail(Status::kInvalidState, "[model_builder] ", missing_.size(),
         " of a model's parts are not set, \"", *std::min_element(missing_.begin(), missing_.end()),
         "\" among them");
  }
  return std::move(state_);
}

ModelState& ModelBuilder::state() {
  if (state_ == nullptr) {
    fail(Status::kInvalidState, "[model_builder] has built its model already");
  }
  return *state_;
}

}  // namespace longer
