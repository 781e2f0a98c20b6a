// Writes tests/golden/{newest,oldest,features}.json from the double-precision reference, for a
// deliberate change of native/docs/model.md: cmake --build <folder> --target record_goldens, then
// run it.
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "reference/longer_reference.hpp"
#include "support/cases.hpp"
#include "support/golden.hpp"

namespace longer::testing {
namespace {

using Json = nlohmann::json;
using model_reference::Weights;

Json floats_json(const std::vector<float>& floats) {
  Json json = Json::array();
  for (float value : floats) json.push_back(std::isnan(value) ? Json() : Json(value));
  return json;
}

Json columns_json(const OwnedColumns& columns) {
  Json json = Json::array();
  for (const OwnedColumn& column : columns) {
    Json& fields = json.emplace_back(Json::object());
    if (!column.ids.empty()) fields["ids"] = column.ids;
    if (!column.numbers.empty()) fields["numbers"] = floats_json(column.numbers);
    if (!column.offsets.empty()) fields["offsets"] = column.offsets;
    if (!column.valid.empty()) fields["valid"] = column.valid;
  }
  return json;
}

Json batch_json(const OwnedBatch& b) {
  return {{"event_offsets", b.event_offsets},
          {"candidate_offsets", b.candidate_offsets},
          {"event_columns", columns_json(b.event_columns)},
          {"event_times", b.event_times},
          {"first_ordinals", b.first_ordinals},
          {"reference_times", b.reference_times},
          {"user_columns", columns_json(b.user_columns)},
          {"candidate_columns", columns_json(b.candidate_columns)},
          {"labels", floats_json(b.labels)},
          {"weights", b.weights}};
}

void record(const std::string& name, const Config& c) {
  BatchMaker maker(c, 99, IdChoice::kSettled);
  const int64_t k = c.merge_factor;
  const OwnedBatch owned = maker.make(
      {{0, 1}, {2 * k + 1, 3}, {1, 0}, {k * (c.queries + 2), 2}, {c.max_history + 4, 2}});
  const Weights w = golden_weights(c);
  const model_reference::Outcome outcome = model_reference::forward(c, w, owned.view());
  const Json json = {
      {"config", Json::parse(c.to_json())},
      {"batch", batch_json(owned)},
      {"logits", outcome.logits},
      {"loss", outcome.loss},
      {"gradients", checksums(model_reference::backward(c, w, owned.view(), outcome))}};
  std::ofstream(golden_path(name + ".json")) << json.dump(1) << "\n";
}

}  // namespace
}  // namespace longer::testing

int main() {
  using namespace longer::testing;  // NOLINT(google-build-using-namespace)
  record("newest", film_config());
  longer::Config c = film_config();
  c.anchor = longer::Anchor::kOldest;
  c.time = longer::TimeMode::kEventRelative;
  c.merge_factor = 2;
  c.inner_layers = 2;
  c.cls_tokens = 2;
  c.query_block = 2;
  c.self_layers = 2;
  c.tasks = {{"click", 1.0}, {"like", 0.25}};
  record("oldest", c);
  for (const ModelCase& model_case : model_cases()) {
    if (model_case.name == "EveryKindOfFeature") record("features", model_case.config);
  }
}
