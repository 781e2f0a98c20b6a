#include <nlohmann/json.hpp>

#include "c_api/guard.hpp"
#include "c_api/handles.hpp"
#include "model/model_folder.hpp"

using namespace longer;  // NOLINT(google-build-using-namespace): this file is the border between
                         // the two namings
using namespace longer::c_api;  // NOLINT(google-build-using-namespace)

namespace {

const LongerModel& unwrap(const longer_model* model) { return *required(model, "model").model; }

}  // namespace

extern "C" {

longer_status longer_config_normalize(const char* json, int64_t json_bytes, char* normalized,
                                      int64_t capacity, int64_t* needed, longer_error* error) {
  return guarded(error, [&] {
    copy_text(Config::parse(text(json, json_bytes, "json")).to_json(), normalized, capacity,
              needed);
    return LONGER_OK;
  });
}

longer_model* longer_model_create(const char* config_json, int64_t config_bytes, uint64_t seed,
                                  const longer_device* device, longer_error* error) {
  return guarded_create<longer_model>(error, [&] {
    const Config config = Config::parse(text(config_json, config_bytes, "config_json"));
    return new longer_model{LongerModel::create(config, seed, make_backend(device_of(device)))};
  });
}

longer_model* longer_model_load(const char* path, const longer_device* device,
                                longer_error* error) {
  return guarded_create<longer_model>(error, [&] {
    auto backend = make_backend(device_of(device));
    return new longer_model{std::make_shared<const LongerModel>(load_model(&required(path, "path")),
                                                                std::move(backend))};
  });
}

longer_status longer_model_save(const longer_model* model, const char* path, longer_error* error) {
  return guarded(error, [&] {
    save_model(unwrap(model).state(), &required(path, "path"));
    return LONGER_OK;
  });
}

void longer_model_destroy(longer_model* model) { destroy(model); }

longer_status longer_model_config(const longer_model* model, char* json, int64_t capacity,
                                  int64_t* needed, longer_error* error) {
  return guarded(error, [&] {
    copy_text(unwrap(model).config().to_json(), json, capacity, needed);
    return LONGER_OK;
  });
}

int64_t longer_model_version(const longer_model* model) {
  return model == nullptr ? 0 : model->model->version();
}

int64_t longer_model_num_parameters(const longer_model* model) {
  return model == nullptr ? 0 : model->model->state().layout.num_elements();
}

int64_t longer_model_num_table_rows(const longer_model* model) {
  return model == nullptr ? 0 : model->model->state().num_table_rows();
}

longer_status longer_model_describe_parameters(const longer_model* model, char* json,
                                               int64_t capacity, int64_t* needed,
                                               longer_error* error) {
  return guarded(error, [&] {
    nlohmann::json list = nlohmann::json::array();
    for (const Parameter& p : unwrap(model).state().layout.parameters()) {
      list.push_back({{"name", p.name}, {"shape", p.shape}});
    }
    copy_text(list.dump(), json, capacity, needed);
    return LONGER_OK;
  });
}

longer_status longer_model_get_parameter(const longer_model* model, const char* name, float* values,
                                         int64_t num_values, longer_error* error) {
  return guarded(error, [&] {
    const ModelState& state = unwrap(model).state();
    const Parameter& p = state.layout.get(&required(name, "name"));
    check_argument(num_values == p.size(), "[model] ", p.name, " has ", p.size(),
                   " elements; got room for ", num_values);
    std::copy_n(state.dense.data() + p.offset, num_values, &required(values, "values"));
    return LONGER_OK;
  });
}

longer_status longer_model_get_table(const longer_model* model, const char* table, int64_t* ids,
                                     float* rows, int64_t capacity, int64_t* num_ids,
                                     longer_error* error) {
  return guarded(error, [&] {
    const ModelState& state = unwrap(model).state();
    const int64_t index = state.config.table_index(&required(table, "table"));
    check_argument(index >= 0 && state.tables[static_cast<size_t>(index)] != nullptr,
                   "[model] no growable table is named \"", table, "\"");
    const EmbeddingTable& t = *state.tables[static_cast<size_t>(index)];
    required(num_ids, "num_ids") = t.num_ids();
    if (capacity < t.num_ids() || rows == nullptr) return LONGER_OK;
    check_argument(ids != nullptr || t.num_ids() == 0, "[c_api] ids must not be null");
    std::copy_n(t.values(), t.width(), rows);
    int64_t i = 0;
    for (const int32_t row : t.rows_by_id()) {
      ids[i] = t.id_of(row);
      ++i;
      std::copy_n(t.values() + row * t.width(), t.width(), rows + i * t.width());
    }
    return LONGER_OK;
  });
}

longer_model_builder* longer_model_builder_create(const char* config_json, int64_t config_bytes,
                                                  longer_error* error) {
  return guarded_create<longer_model_builder>(error, [&] {
    return new longer_model_builder{
        ModelBuilder(Config::parse(text(config_json, config_bytes, "config_json")))};
  });
}

longer_status longer_model_builder_set_parameter(longer_model_builder* builder, const char* name,
                                                 const float* values, int64_t num_values,
                                                 longer_error* error) {
  return guarded(error, [&] {
    required(builder, "builder")
        .builder.set_parameter(&required(name, "name"), &required(values, "values"), num_values);
    return LONGER_OK;
  });
}

longer_status longer_model_builder_set_table(longer_model_builder* builder, const char* table,
                                             const int64_t* ids, const float* rows, int64_t num_ids,
                                             longer_error* error) {
  return guarded(error, [&] {
    check_argument(num_ids >= 0, "[c_api] num_ids must not be negative; got ", num_ids);
    check_argument(ids != nullptr || num_ids == 0, "[c_api] ids must not be null");
    required(builder, "builder")
        .builder.set_table(&required(table, "table"), ids, &required(rows, "rows"), num_ids);
    return LONGER_OK;
  });
}

longer_model* longer_model_builder_build(longer_model_builder* builder, const longer_device* device,
                                         longer_error* error) {
  return guarded_create<longer_model>(error, [&] {
    ModelBuilder& parts = required(builder, "builder").builder;
    auto backend = make_backend(device_of(device));
    return new longer_model{std::make_shared<const LongerModel>(parts.build(), std::move(backend))};
  });
}

void longer_model_builder_destroy(longer_model_builder* builder) { destroy(builder); }

}  // extern "C"
