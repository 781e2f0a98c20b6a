#include "data/shard_schema.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/shard_files.hpp"
#include "support/thrown_error.hpp"

namespace longer {
namespace {

using testing::expect_error;

std::string with_events(const std::string& events) {
  return R"({"format_version": 1, "event_features": )" + events + "}";
}

TEST(ShardSchema, RoundTrip) {
  const ShardSchema schema = ShardSchema::parse(testing::kShardSchemaJson);
  ASSERT_EQ(schema.event.size(), 3U);
  EXPECT_EQ(schema.event[0].kind, ColumnKind::kOne);
  EXPECT_EQ(schema.event[1].kind, ColumnKind::kMany);
  EXPECT_EQ(schema.event[2].kind, ColumnKind::kNumeric);
  EXPECT_EQ(schema.event[2].name, "price");
  EXPECT_EQ(schema.context[0].name, "hours");
  EXPECT_EQ(schema.tasks[1], "buy");
  const std::string normal = schema.to_json();
  EXPECT_EQ(ShardSchema::parse(normal).to_json(), normal);
}

TEST(ShardSchema, ErrorsNameTheJsonPointer) {
  const auto rejected = [](const std::string& json, const std::string& part) {
    SCOPED_TRACE(json);
    expect_error(Status::kInvalidArgument, part, [&] { ShardSchema::parse(json); });
  };
  rejected("{", "[shard_schema] /: is not valid JSON");
  rejected("[]", "/: must be an object");
  rejected("{}", "/format_version: must be an integer");
  rejected(R"({"format_version": 1, "events": []})", "/events: is not a known key");
  rejected(with_events("{}"), "/event_features: must be an array");
  rejected(with_events("[3]"), "/event_features/0: must be an object");
  rejected(with_events("[{}]"), "/event_features/0/name: is missing");
  rejected(with_events(R"([{"name": "a.b"}])"), "/event_features/0/name: must be 1 … 200");
  rejected(with_events(R"([{"name": "a"}, {"name": "a"}])"),
           "/event_features/1/name: \"a\" is used twice");
  rejected(with_events(R"([{"name": "a", "kind": "text"}])"), "/event_features/0/kind");
  rejected(with_events(R"([{"name": "a", "values": "some"}])"), "/event_features/0/values");
  rejected(with_events(R"([{"name": "a", "kind": "numeric", "values": "many"}])"),
           "/event_features/0/values: must be one for a numeric column");
  rejected(with_events(R"([{"name": "a", "table": "t"}])"), "/event_features/0/table: is not");
  expect_error(Status::kUnsupported, "/format_version: this version reads 1; got 2",
               [] { ShardSchema::parse(R"({"format_version": 2})"); });
}

}  // namespace
}  // namespace longer
