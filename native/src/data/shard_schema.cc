#include "data/shard_schema.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "longer/error.hpp"

namespace longer {
namespace {

using Json = nlohmann::json;

constexpr int kFormatVersion = 1;
constexpr size_t kMaxColumns = 4096;  // of one list
constexpr const char* kCategorical = "categorical";
constexpr const char* kNumericKind = "numeric";
constexpr const char* kOneValue = "one";
constexpr const char* kManyValues = "many";

/// The four lists of columns and their keys.
constexpr std::pair<const char*, std::vector<ShardColumn> ShardSchema::*> kLists[] = {
    {"event_features", &ShardSchema::event},
    {"user_features", &ShardSchema::user},
    {"context_features", &ShardSchema::context},
    {"candidate_features", &ShardSchema::candidate}};

template <class... Parts>
[[noreturn]] void reject(const std::string& pointer, Parts&&... parts) {
  fail(Status::kInvalidArgument, "[shard_schema] ", pointer, ": ", std::forward<Parts>(parts)...);
}

void check_keys(const Json& object, const std::string& pointer,
                std::initializer_list<const char*> known) {
  if (!object.is_object()) reject(pointer, "must be an object");
  for (const auto& item : object.items()) {
    if (std::find(known.begin(), known.end(), item.key()) == known.end())
      reject(pointer + "/" + item.key(), "is not a known key");
  }
}

/// The string at `key`, or `fallback` when it is absent and there is one.
std::string text(const Json& object, const std::string& pointer, const char* key,
                 const char* fallback) {
  const auto found = object.find(key);
  if (found == object.end()) {
    if (fallback == nullptr) reject(pointer + "/" + key, "is missing");
    return fallback;
  }
  if (!found->is_string()) reject(pointer + "/" + key, "must be a string; got ", found->dump());
  return found->get<std::string>();
}

std::string name_of(const Json& object, const std::string& pointer) {
  std::string name = text(object, pointer, "name", nullptr);
  const bool valid =
      !name.empty() && name.size() <= 200 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
      });
  if (!valid) {
    reject(pointer + "/name", "must be 1 … 200 letters, digits, '_' or '-'; got ",
           object["name"].dump());
  }
  return name;
}

ShardColumn read_column(const Json& entry, const std::string& pointer) {
  check_keys(entry, pointer, {"name", "kind", "values"});
  ShardColumn column{name_of(entry, pointer), ColumnKind::kOne};
  const std::string kind = text(entry, pointer, "kind", kCategorical);
  const std::string values = text(entry, pointer, "values", kOneValue);
  if (kind != kCategorical && kind != kNumericKind) {
    reject(pointer + "/kind", "must be one of categorical, numeric; got \"", kind, "\"");
  }
  if (values != kOneValue && (values != kManyValues || kind == kNumericKind)) {
    reject(pointer + "/values", "must be one",
           kind == kNumericKind ? " for a numeric column" : " or many", "; got \"", values, "\"");
  }
  if (kind == kNumericKind) column.kind = ColumnKind::kNumeric;
  if (values == kManyValues) column.kind = ColumnKind::kMany;
  return column;
}

/// Calls read(entry, pointer) for each element and returns what it returned; names must differ.
template <class Element, class Read, class Name>
std::vector<Element> read_list(const Json& root, const char* key, const Read& read,
                               const Name& name) {
  std::vector<Element> list;
  const auto found = root.find(key);
  if (found == root.end()) return list;
  const std::string pointer = std::string("/") + key;
  if (!found->is_array()) reject(pointer, "must be an array");
  if (found->size() > kMaxColumns) {
    reject(pointer, "must have at most ", kMaxColumns, " entries; got ", found->size());
  }
  for (const Json& entry : *found) {
    const std::string at = pointer + "/" + std::to_string(list.size());
    Element element = read(entry, at);
    for (const Element& other : list) {
      if (name(other) == name(element))
        reject(at + "/name", "\"", name(element), "\" is used twice");
    }
    list.push_back(std::move(element));
  }
  return list;
}

Json column_json(const ShardColumn& column) {
  if (column.kind == ColumnKind::kNumeric) return {{"name", column.name}, {"kind", kNumericKind}};
  return {{"name", column.name},
          {"kind", kCategorical},
          {"values", column.kind == ColumnKind::kMany ? kManyValues : kOneValue}};
}

}  // namespace

ShardSchema ShardSchema::parse(std::string_view json) {
  Json root;
  try {
    root = Json::parse(json);
  } catch (const Json::exception& e) {
    reject("/", "is not valid JSON: ", e.what());
  }
  if (!root.is_object()) reject("/", "must be an object");
  const auto version = root.find("format_version");
  if (version == root.end() || !version->is_number_integer())
    reject("/format_version", "must be an integer");
  if (*version != kFormatVersion) {
    fail(Status::kUnsupported, "[shard_schema] /format_version: this version reads ",
         kFormatVersion, "; got ", version->dump());
  }
  check_keys(root, "",
             {"format_version", "event_features", "user_features", "context_features",
              "candidate_features", "tasks"});
  ShardSchema schema;
  for (const auto& [key, list] : kLists) {
    schema.*list = read_list<ShardColumn>(
        root, key, read_column, [](const ShardColumn& c) -> const std::string& { return c.name; });
  }
  schema.tasks = read_list<std::string>(
      root, "tasks",
      [](const Json& entry, const std::string& pointer) {
        check_keys(entry, pointer, {"name"});
        return name_of(entry, pointer);
      },
      [](const std::string& name) -> const std::string& { return name; });
  return schema;
}

std::string ShardSchema::to_json() const {
  Json root = {{"format_version", kFormatVersion}, {"tasks", Json::array()}};
  for (const auto& [key, list] : kLists) {
    root[key] = Json::array();
    for (const ShardColumn& column : this->*list) root[key].push_back(column_json(column));
  }
  for (const std::string& task : tasks) root["tasks"].push_back({{"name", task}});
  return root.dump(2);
}

}  // namespace longer
