#include "longer/config.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "longer/error.hpp"

namespace longer {
namespace {

using Json = nlohmann::json;

constexpr int64_t kFormatVersion = 1;
constexpr double kMaxNumber = 1e30;      // of mean and scale: what floats can still be reduced by
constexpr int64_t kMaxTableRows = 4096;  // larger tables take sparse gradients: rows = 0
constexpr int64_t kMaxAdmission = 1 << 30;

template <class... Parts>
[[noreturn]] void reject(const std::string& pointer, Parts&&... parts) {
  fail(Status::kInvalidArgument, "[config] ", pointer.empty() ? "/" : pointer, ": ",
       std::forward<Parts>(parts)...);
}

/// A JSON object being read: every key must be known, every error names its JSON pointer.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string pointer) : json_(json), pointer_(std::move(pointer)) {
    if (!json_.is_object()) reject(pointer_, "must be an object");
  }

  std::string at(const char* key) const { return pointer_ + "/" + key; }

  const Json* find(const char* key) {
    known_.insert(key);
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
  }

  void integer(const char* key, int64_t low, int64_t high, int64_t& value) {
    const Json* json = find(key);
    if (json == nullptr) return;
    if (!json->is_number_integer()) reject(at(key), "must be an integer; got ", json->dump());
    const bool too_large =
        json->is_number_unsigned() &&
        json->get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    const int64_t number = too_large ? std::numeric_limits<int64_t>::max() : json->get<int64_t>();
    if (number < low || number > high) {
      reject(at(key), "must be in ", low, " … ", high, "; got ", json->dump());
    }
    value = number;
  }

  /// `allowed` says in words what `is_allowed` checks.
  template <class IsAllowed>
  void number(const char* key, const char* allowed, const IsAllowed& is_allowed, double& value) {
    const Json* json = find(key);
    if (json == nullptr) return;
    if (!json->is_number() || !is_allowed(json->get<double>())) {
      reject(at(key), "must be a number ", allowed, "; got ", json->dump());
    }
    value = json->get<double>();
  }

  std::string name(const char* key) {
    const Json* json = find(key);
    if (json == nullptr) reject(at(key), "is missing");
    if (!json->is_string()) reject(at(key), "must be a string; got ", json->dump());
    auto text = json->get<std::string>();
    const bool valid =
        !text.empty() && text.size() <= 200 && std::all_of(text.begin(), text.end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '_' || c == '-';
        });
    if (!valid) reject(at(key), "must be 1 … 200 letters, digits, '_' or '-'; got ", json->dump());
    return text;
  }

  /// The index of the value among `names`, or `fallback` when absent.
  size_t one_of(const char* key, const std::vector<const char*>& names, size_t fallback) {
    const Json* json = find(key);
    if (json == nullptr) return fallback;
    std::string listed;
    for (size_t i = 0; i < names.size(); ++i) {
      if (json->is_string() && json->get<std::string>() == names[i]) return i;
      listed += (i == 0 ? "" : ", ") + std::string(names[i]);
    }
    reject(at(key), "must be one of ", listed, "; got ", json->dump());
  }

  template <class Read>
  void array(const char* key, const Read& read) {
    const Json* json = find(key);
    if (json == nullptr) return;
    if (!json->is_array()) reject(at(key), "must be an array");
    for (size_t i = 0; i < json->size(); ++i) {
      ObjectReader element((*json)[i], at(key) + "/" + std::to_string(i));
      read(element);
      element.finish();
    }
  }

  /// Rejects keys that nobody asked for.
  void finish() const {
    for (const auto& item : json_.items()) {
      if (known_.count(item.key()) == 0) reject(pointer_ + "/" + item.key(), "is not a known key");
    }
  }

 private:
  const Json& json_;
  std::string pointer_;
  std::set<std::string> known_;
};

const std::vector<const char*> kKinds = {"categorical", "numeric"};
const std::vector<const char*> kValues = {"one", "many"};
const std::vector<const char*> kAnchors = {"NEWEST", "OLDEST"};
const std::vector<const char*> kPositions = {"LEARNED", "NONE"};
const std::vector<const char*> kTimes = {"REQUEST_RELATIVE", "EVENT_RELATIVE", "NONE"};
const std::vector<const char*> kVisibilities = {"CACHEABLE", "STRICT", "FULL"};
const std::vector<const char*> kStrategies = {"RECENT", "UNIFORM", "RECENT_AND_UNIFORM",
                                              "LEARNABLE"};
const std::vector<const char*> kHeads = {"GLOBALS", "ALL", "GLOBALS_AND_POOL"};

void read_tables(ObjectReader& root, Config& config) {
  root.array("tables", [&](ObjectReader& reader) {
    TableConfig table;
    table.name = reader.name("name");
    for (const TableConfig& other : config.tables) {
      if (other.name == table.name) reject(reader.at("name"), "\"", table.name, "\" is used twice");
    }
    reader.integer("width", 1, 1024, table.width);
    if (table.width == 0) reject(reader.at("width"), "is missing");
    reader.integer("rows", 0, kMaxTableRows, table.rows);
    reader.integer("admission", 1, kMaxAdmission, table.admission);
    if (table.rows > 0 && table.admission > 1) {
      reject(reader.at("admission"), "needs a growable table (rows 0); got rows ", table.rows);
    }
    config.tables.push_back(table);
  });
}

std::vector<FeatureConfig> read_features(ObjectReader& root, const char* key,
                                         const Config& config) {
  std::vector<FeatureConfig> features;
  root.array(key, [&](ObjectReader& reader) {
    FeatureConfig feature;
    feature.name = reader.name("name");
    for (const FeatureConfig& other : features) {
      if (other.name == feature.name)
        reject(reader.at("name"), "\"", feature.name, "\" is used twice");
    }
    if (reader.one_of("kind", kKinds, 0) == 1) {
      feature.kind = FeatureKind::kNumeric;
      reader.number(
          "mean", "in −1e30 … 1e30", [](double x) { return std::abs(x) <= kMaxNumber; },
          feature.mean);
      reader.number(
          "scale", "in 1e-30 … 1e30",
          [](double x) { return x >= 1.0 / kMaxNumber && x <= kMaxNumber; }, feature.scale);
    } else {
      if (reader.one_of("values", kValues, 0) == 1) feature.kind = FeatureKind::kManyValued;
      feature.table = reader.name("table");
      if (config.table_index(feature.table) < 0) {
        reject(reader.at("table"), "names no table; got \"", feature.table, "\"");
      }
    }
    features.push_back(feature);
  });
  return features;
}

void read_tasks(ObjectReader& root, Config& config) {
  root.array("tasks", [&](ObjectReader& reader) {
    TaskConfig task;
    task.name = reader.name("name");
    for (const TaskConfig& other : config.tasks) {
      if (other.name == task.name) reject(reader.at("name"), "\"", task.name, "\" is used twice");
    }
    reader.number(
        "weight", "in 0 … 1e6", [](double x) { return x >= 0.0 && x <= 1e6; }, task.weight);
    reader.number(
        "negative_sampling_rate", "in (0, 1]", [](double x) { return x > 0.0 && x <= 1.0; },
        task.negative_sampling_rate);
    config.tasks.push_back(task);
  });
}

bool is_named(const std::vector<FeatureConfig>& features, const std::string& name) {
  return std::any_of(features.begin(), features.end(),
                     [&name](const FeatureConfig& f) { return f.name == name; });
}

/// Reads a list of tokens made of `features`; leaves `tokens` as it is when the key is absent.
void read_tokens(ObjectReader& root, const char* key, const std::vector<FeatureConfig>& features,
                 std::vector<TokenConfig>& tokens) {
  if (root.find(key) == nullptr) return;
  tokens.clear();
  root.array(key, [&](ObjectReader& reader) {
    TokenConfig token;
    token.name = reader.name("name");
    const Json* names = reader.find("features");
    if (names != nullptr && !names->is_array()) reject(reader.at("features"), "must be an array");
    if (names != nullptr && names->empty() && !features.empty()) {
      reject(reader.at("features"), "must name at least one feature, or be absent for all");
    }
    for (size_t i = 0; names != nullptr && i < names->size(); ++i) {
      const Json& name = (*names)[i];
      const std::string pointer = reader.at("features") + "/" + std::to_string(i);
      if (!name.is_string() || !is_named(features, name.get<std::string>())) {
        reject(pointer, "names no feature of this side; got ", name.dump());
      }
      const auto text = name.get<std::string>();
      if (std::count(token.features.begin(), token.features.end(), text) > 0) {
        reject(pointer, "\"", text, "\" is used twice");
      }
      token.features.push_back(text);
    }
    tokens.push_back(token);
  });
}

void read_architecture(ObjectReader& root, Config& c) {
  root.integer("max_history", 1, 1 << 20, c.max_history);
  root.integer("event_width", 1, 1024, c.event_width);
  root.integer("merge_factor", 1, 16, c.merge_factor);
  root.integer("inner_layers", 0, 8, c.inner_layers);
  root.integer("inner_heads", 1, 64, c.inner_heads);
  root.integer("heads", 1, 256, c.heads);
  root.integer("queries", 1, 1 << 20, c.queries);
  root.integer("query_block", 1, 4096, c.query_block);
  root.integer("self_layers", 0, 64, c.self_layers);
  root.integer("cls_tokens", 0, 64, c.cls_tokens);
  root.integer("time_buckets", 1, 63, c.time_buckets);
  root.integer("time_width", 1, 1024, c.time_width);
  root.number(
      "dropout", "in [0, 1)", [](double x) { return x >= 0.0 && x < 1.0; }, c.dropout);
  c.anchor = static_cast<Anchor>(root.one_of("anchor", kAnchors, 0));
  c.position = static_cast<PositionMode>(root.one_of("position", kPositions, 0));
  c.time = static_cast<TimeMode>(root.one_of("time", kTimes, 0));
  c.query_strategy = static_cast<QueryStrategy>(root.one_of("query_strategy", kStrategies, 0));
  c.global_visibility =
      static_cast<GlobalVisibility>(root.one_of("global_visibility", kVisibilities, 0));
  c.head = static_cast<Head>(root.one_of("head", kHeads, 0));
}

void validate_tokens(const Config& c) {
  if (c.candidate_tokens.empty()) reject("/candidate_tokens", "must name at least one token");
  std::set<std::string> names = {"cls", "query", "user_time_bucket"};
  const auto add = [&names](const char* key, const std::vector<TokenConfig>& tokens) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (!names.insert(tokens[i].name).second) {
        reject(std::string(key) + "/" + std::to_string(i) + "/name", "\"", tokens[i].name,
               "\" is taken");
      }
    }
  };
  add("/global_tokens", c.global_tokens);
  add("/candidate_tokens", c.candidate_tokens);
}

void validate(const Config& c) {
  if (c.tables.empty()) reject("/tables", "must name at least one table");
  if (c.event_features.empty()) reject("/event_features", "must name at least one feature");
  if (c.candidate_features.empty()) reject("/candidate_features", "must name at least one feature");
  if (c.tasks.empty()) reject("/tasks", "must name at least one task");
  if (c.inner_layers > 0 && c.event_width % c.inner_heads != 0) {
    reject("/inner_heads", "must divide event_width; got ", c.inner_heads, " and ", c.event_width);
  }
  if (c.model_width() % c.heads != 0) {
    reject("/heads", "must divide merge_factor · event_width; got ", c.heads, " and ",
           c.model_width());
  }
  if (c.query_block != 1 && c.query_strategy != QueryStrategy::kRecent) {
    reject("/query_block", "must be 1 unless query_strategy is \"RECENT\"; got ", c.query_block);
  }
  validate_tokens(c);
  for (const FeatureConfig& feature : c.context_features) {
    for (const FeatureConfig& user : c.user_features) {
      if (user.name == feature.name)
        reject("/context_features", "\"", feature.name, "\" is a user feature too");
    }
  }
}

Json features_json(const std::vector<FeatureConfig>& features) {
  Json array = Json::array();
  for (const FeatureConfig& f : features) {
    if (f.kind == FeatureKind::kNumeric) {
      array.push_back(
          {{"name", f.name}, {"kind", kKinds[1]}, {"mean", f.mean}, {"scale", f.scale}});
    } else {
      array.push_back({{"name", f.name},
                       {"kind", kKinds[0]},
                       {"table", f.table},
                       {"values", kValues[f.kind == FeatureKind::kManyValued ? 1 : 0]}});
    }
  }
  return array;
}

Json tokens_json(const Config& config, const std::vector<TokenConfig>& tokens,
                 const std::vector<FeatureConfig>& features) {
  Json array = Json::array();
  for (const TokenConfig& token : tokens) {
    Json names = Json::array();
    for (size_t f : config.token_features(token, features)) names.push_back(features[f].name);
    array.push_back({{"name", token.name}, {"features", names}});
  }
  return array;
}

}  // namespace

Config Config::parse(std::string_view text) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception& e) {
    reject("", "is not valid JSON: ", e.what());
  }
  ObjectReader root(json, "");
  int64_t version = 0;
  root.integer("format_version", std::numeric_limits<int64_t>::min(),
               std::numeric_limits<int64_t>::max(), version);
  if (version != kFormatVersion) {
    fail(Status::kUnsupported, "[config] /format_version: this version reads ", kFormatVersion,
         "; got ", version);
  }
  Config config;
  read_tables(root, config);
  config.event_features = read_features(root, "event_features", config);
  config.user_features = read_features(root, "user_features", config);
  config.context_features = read_features(root, "context_features", config);
  config.candidate_features = read_features(root, "candidate_features", config);
  read_tasks(root, config);
  read_architecture(root, config);
  read_tokens(root, "global_tokens", config.user_side_features(), config.global_tokens);
  read_tokens(root, "candidate_tokens", config.candidate_features, config.candidate_tokens);
  root.finish();
  validate(config);
  return config;
}

std::string Config::to_json() const {
  Json json;
  json["format_version"] = kFormatVersion;
  json["tables"] = Json::array();
  for (const TableConfig& t : tables) {
    json["tables"].push_back(
        {{"name", t.name}, {"width", t.width}, {"rows", t.rows}, {"admission", t.admission}});
  }
  json["event_features"] = features_json(event_features);
  json["user_features"] = features_json(user_features);
  json["context_features"] = features_json(context_features);
  json["candidate_features"] = features_json(candidate_features);
  json["tasks"] = Json::array();
  for (const TaskConfig& t : tasks) {
    json["tasks"].push_back({{"name", t.name},
                             {"weight", t.weight},
                             {"negative_sampling_rate", t.negative_sampling_rate}});
  }
  json["max_history"] = max_history;
  json["event_width"] = event_width;
  json["merge_factor"] = merge_factor;
  json["inner_layers"] = inner_layers;
  json["inner_heads"] = inner_heads;
  json["heads"] = heads;
  json["queries"] = queries;
  json["query_block"] = query_block;
  json["self_layers"] = self_layers;
  json["cls_tokens"] = cls_tokens;
  json["time_buckets"] = time_buckets;
  json["time_width"] = time_width;
  json["dropout"] = dropout;
  json["anchor"] = kAnchors[static_cast<size_t>(anchor)];
  json["position"] = kPositions[static_cast<size_t>(position)];
  json["time"] = kTimes[static_cast<size_t>(time)];
  json["query_strategy"] = kStrategies[static_cast<size_t>(query_strategy)];
  json["global_visibility"] = kVisibilities[static_cast<size_t>(global_visibility)];
  json["head"] = kHeads[static_cast<size_t>(head)];
  json["global_tokens"] = tokens_json(*this, global_tokens, user_side_features());
  json["candidate_tokens"] = tokens_json(*this, candidate_tokens, candidate_features);
  return json.dump(2);
}

int64_t Config::table_index(std::string_view name) const {
  for (size_t i = 0; i < tables.size(); ++i) {
    if (tables[i].name == name) return static_cast<int64_t>(i);
  }
  return -1;
}

std::vector<FeatureConfig> Config::user_side_features() const {
  std::vector<FeatureConfig> features = user_features;
  features.insert(features.end(), context_features.begin(), context_features.end());
  return features;
}

std::vector<size_t> Config::token_features(const TokenConfig& token,
                                           const std::vector<FeatureConfig>& features) {
  std::vector<size_t> indices;
  if (token.features.empty()) {
    indices.resize(features.size());
    std::iota(indices.begin(), indices.end(), size_t{0});
  }
  for (const std::string& name : token.features) {
    const auto found = std::find_if(features.begin(), features.end(),
                                    [&name](const FeatureConfig& f) { return f.name == name; });
    indices.push_back(static_cast<size_t>(found - features.begin()));
  }
  return indices;
}

int64_t Config::features_width(const std::vector<FeatureConfig>& features) const {
  int64_t width = 0;
  for (const FeatureConfig& f : features) {
    width += f.kind == FeatureKind::kNumeric
                 ? kNumericWidth
                 : tables[static_cast<size_t>(table_index(f.table))].width;
  }
  return width;
}

}  // namespace longer
