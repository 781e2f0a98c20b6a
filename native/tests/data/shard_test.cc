// Shards written tensor by tensor, as native/docs/shard-format.md says, and spoilt ones.
#include "data/shard.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "core/checksum.hpp"
#include "data/shards.hpp"
#include "support/shard_files.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_error.hpp"

namespace longer {
namespace {

using testing::expect_error;
using testing::read_bytes;
using testing::ShardFile;
using testing::small_shard;
using testing::TemporaryFolder;
using testing::write_bytes;
using testing::write_shards;

/// Looks at everything that a request refers to.
void check_all(const Shards& shards) {
  for (int64_t i = 0; i < shards.counts().requests; ++i) {
    const auto [shard, r] = shards.place(i);
    const Shard::Request request = shard->request(r);
    shard->check_values(r, request);
    for (const StoredColumn& c : shard->event_columns()) shard->check_column(c, request.events);
    for (const StoredColumn& c : shard->user_columns()) shard->check_column(c, {r, r + 1});
    for (const StoredColumn& c : shard->context_columns()) shard->check_column(c, {r, r + 1});
    for (const StoredColumn& c : shard->candidate_columns())
      shard->check_column(c, request.candidates);
  }
}

class ShardFolder : public ::testing::Test {
 protected:
  std::string path() const { return folder_ / "d.shards"; }
  std::string file() const { return path() + "/shard-00000.safetensors"; }

  void expect_corrupt(const std::string& part, const std::function<void(ShardFile&)>& spoil) {
    SCOPED_TRACE(part);
    ShardFile shard = small_shard();
    spoil(shard);
    write_shards(path(), {shard});
    const auto read = [this] { check_all(Shards(path(), true)); };
    expect_error(Status::kCorruptData, part, read);
    expect_error(Status::kCorruptData, file(), read);
  }

  TemporaryFolder folder_;
};

TEST_F(ShardFolder, ReadsWhatAnotherProgramWrote) {
  write_shards(path(), {small_shard(), small_shard()});
  const Shards shards(path(), true);
  EXPECT_EQ(shards.counts().shards, 2);
  EXPECT_EQ(shards.counts().logs, 4);
  EXPECT_EQ(shards.counts().events, 6);
  EXPECT_EQ(shards.counts().requests, 6);
  EXPECT_EQ(shards.counts().candidates, 6);
  check_all(shards);
  EXPECT_EQ(shards.place(2).request, 2);
  EXPECT_EQ(shards.place(3).request, 0);
  EXPECT_NE(shards.place(2).shard, shards.place(3).shard);
  const Shard& shard = *shards.place(4).shard;
  const Shard::Request request = shard.request(1);
  EXPECT_EQ(request.user_key, 7);
  EXPECT_EQ(request.events.begin, 0);
  EXPECT_EQ(request.events.end, 3);
  EXPECT_EQ(request.candidates.size(), 0);
  EXPECT_EQ(request.reference_time, 30);
  EXPECT_EQ(shard.event_columns()[0].ids[2], int64_t{1} << 62);
  EXPECT_EQ(shard.event_columns()[0].valid[1], 0);
  EXPECT_TRUE(std::isnan(shard.event_columns()[2].numbers[1]));
  EXPECT_EQ(shard.labels(0)[2], 0.25F);
  EXPECT_EQ(shard.weights()[1], 2.0F);
}

TEST_F(ShardFolder, WeightsAndPresenceMayBeAbsent) {
  ShardFile shard = small_shard();
  shard.remove("weight");
  shard.remove("event.item.valid");
  write_shards(path(), {shard});
  const Shards shards(path(), true);
  check_all(shards);
  EXPECT_EQ(shards.place(0).shard->weights(), nullptr);
  EXPECT_EQ(shards.place(0).shard->event_columns()[0].valid, nullptr);
}

TEST_F(ShardFolder, AnEmptyFolderOfShardsHasNoRequests) {
  write_shards(path(), {});
  EXPECT_EQ(Shards(path(), true).counts().requests, 0);
}

TEST_F(ShardFolder, NamesTheTensorThatIsWrong) {
  using Shard = ShardFile;
  const float infinity = std::numeric_limits<float>::infinity();
  expect_corrupt("\"event.time\" is missing", [](Shard& s) { s.remove("event.time"); });
  expect_corrupt("\"event.item.ids\" must have shape [3]", [](Shard& s) {
    s.integers("event.item.ids", {1, 2});
  });
  expect_corrupt("\"event.item.ids\" must be I64", [](Shard& s) {
    s.floats("event.item.ids", {1, 2, 3});
  });
  expect_corrupt("\"event.other.ids\" belongs to no column",
                 [](Shard& s) { s.integers("event.other.ids", {}); });
  expect_corrupt("\"log.offsets\" must run from 0 to 3", [](Shard& s) {
    s.integers("log.offsets", {0, 2, 4});
  });
  expect_corrupt("\"log.offsets\", request 0: must ascend", [](Shard& s) {
    s.integers("log.offsets", {0, -5, 3});
  });
  expect_corrupt("\"candidate.offsets\" must end in 0 …", [](Shard& s) {
    s.integers("candidate.offsets", {0, 2, 2, -1});
  });
  expect_corrupt("\"candidate.offsets\" must end in 0 …", [](Shard& s) {
    s.integers("candidate.offsets", {0, 2, 2, std::numeric_limits<int64_t>::max()});
  });
  expect_corrupt("\"candidate.item.ids\" must have shape [4]", [](Shard& s) {
    s.integers("candidate.offsets", {0, 2, 2, 4});
  });
  expect_corrupt("\"candidate.offsets\", request 0: must ascend", [](Shard& s) {
    s.integers("candidate.offsets", {0, int64_t{1} << 61, 2, 3});
  });
  expect_corrupt("\"request.log\", request 2: must be in 0 … 1; got 2", [](Shard& s) {
    s.logs({0, 0, 2});
  });
  expect_corrupt("\"request.log\", request 0: must be in 0 … 1; got -1", [](Shard& s) {
    s.logs({-1, 0, 1});
  });
  expect_corrupt("\"request.history_begin\", request 1: must ascend", [](Shard& s) {
    s.integers("request.history_end", {2, int64_t{1} << 60, 3});
  });
  expect_corrupt("request 0: must lie in the user's log", [](Shard& s) { s.logs({1, 0, 1}); });
  expect_corrupt("\"request.first_ordinal\", request 1", [](Shard& s) {
    s.integers("request.first_ordinal", {0, -1, 5});
  });
  expect_corrupt("\"event.time\", request 1: times must not descend; got 5 after 20", [](Shard& s) {
    s.integers("event.time", {10, 20, 5});
  });
  expect_corrupt("\"request.reference_time\", request 0: must not be before", [](Shard& s) {
    s.integers("request.reference_time", {19, 30, 1});
  });
  expect_corrupt("\"event.tags.offsets\" must run from 0 to 3", [](Shard& s) {
    s.integers("event.tags.offsets", {0, 0, 1, 4});
  });
  expect_corrupt("\"event.tags.offsets\", rows 0 … 2: must ascend", [](Shard& s) {
    s.integers("event.tags.offsets", {0, 2, 1, 3});
  });
  expect_corrupt("\"event.tags.offsets\", rows 0 … 2: must ascend", [](Shard& s) {
    s.integers("event.tags.offsets", {0, -(int64_t{1} << 60), 1, 3});
  });
  expect_corrupt("\"event.item.valid\", row 1: must be 0 or 1; got 2", [](Shard& s) {
    s.flags("event.item.valid", {1, 2, 1});
  });
  expect_corrupt("\"event.price.numbers\", row 2: must be finite", [&](Shard& s) {
    s.floats("event.price.numbers", {0, 1, infinity});
  });
  expect_corrupt("\"label.buy\", request 0: must be in 0 … 1 or NaN", [](Shard& s) {
    s.floats("label.buy", {0, 1.5F, 1});
  });
  expect_corrupt("\"weight\", request 2: must be finite", [&](Shard& s) {
    s.floats("weight", {1, 1, infinity});
  });
}

TEST_F(ShardFolder, FlippedBitsAndTruncationsAreFound) {
  write_shards(path(), {small_shard()});
  const std::string bytes = read_bytes(file());
  std::string spoilt = bytes;
  spoilt[spoilt.size() - 3] ^= 4;
  write_bytes(file(), spoilt);
  expect_error(Status::kCorruptData, file() + ": got checksum", [&] { Shards(path(), true); });
  EXPECT_NO_THROW(Shards(path(), false));
  write_bytes(file(), bytes.substr(0, bytes.size() - 8));
  expect_error(Status::kCorruptData, file() + ": got", [&] { Shards(path(), false); });
  std::filesystem::remove(file());
  expect_error(Status::kIoError, file(), [&] { Shards(path(), false); });
}

TEST_F(ShardFolder, OtherFoldersAreRefused) {
  write_shards(path(), {small_shard()}, R"({"format_version": 1, "tasks": 3})");
  expect_error(Status::kCorruptData, "schema.json: [shard_schema] /tasks: must be an array",
               [&] { Shards(path(), true); });
  AtomicFolderWriter folder(folder_ / "m", "longer-model");
  folder.commit();
  expect_error(Status::kCorruptData, "is a longer-model folder; expected longer-shards",
               [&] { Shards(folder_ / "m", true); });
  AtomicFolderWriter strange(folder_ / "s", kShardsFormat);
  strange.write_text(kShardSchemaName, testing::kShardSchemaJson);
  strange.write_text("notes.txt", "");
  strange.commit();
  expect_error(Status::kCorruptData, "\"shard-00000.safetensors\" is missing",
               [&] { Shards(folder_ / "s", true); });
}

/// A shard of more than 2 GiB: a hole in the file stands for 300 million events of id 0.
TEST_F(ShardFolder, OffsetsAreSixtyFourBits) {
  constexpr int64_t kEvents = 300'000'000;
  const std::vector<TensorSpec> specs = {{"log.user", Dtype::kI64, {1}},
                                         {"log.offsets", Dtype::kI64, {2}},
                                         {"request.history_begin", Dtype::kI64, {1}},
                                         {"request.history_end", Dtype::kI64, {1}},
                                         {"request.first_ordinal", Dtype::kI64, {1}},
                                         {"request.reference_time", Dtype::kI64, {1}},
                                         {"candidate.offsets", Dtype::kI64, {2}},
                                         {"event.time", Dtype::kI64, {kEvents}},
                                         {"event.item.ids", Dtype::kI64, {kEvents}},
                                         {"request.log", Dtype::kI32, {1}}};
  const std::string name = folder_ / "large.safetensors";
  {
    // The writer would fill the hole; so the header alone is taken from it.
    OutputFile header(folder_ / "header");
    SafetensorsWriter writer(header, specs);
  }
  const std::string header = read_bytes(folder_ / "header");
  std::ofstream out(name, std::ios::binary);
  out << header;
  const int64_t small[10] = {42, 0, kEvents, kEvents - 3, kEvents, 0, 7, 0, 0, 0};
  out.write(reinterpret_cast<const char*>(small), 9 * 8);
  const auto data = static_cast<int64_t>(header.size()) + 9 * 8;
  const int64_t last = data + 16 * kEvents;
  const int64_t ids[3] = {-1, -2, -3};
  out.seekp(last - 24);
  out.write(reinterpret_cast<const char*>(ids), 24);
  const int32_t log = 0;
  out.write(reinterpret_cast<const char*>(&log), 4);
  out.close();
  ASSERT_GT(std::filesystem::file_size(name), uint64_t{1} << 32);

  const ShardSchema schema = ShardSchema::parse(
      R"({"format_version": 1, "event_features": [{"name": "item"}], "tasks": []})");
  const Shard shard(MappedFile(name), schema);
  const Shard::Request request = shard.request(0);
  EXPECT_EQ(request.user_key, 42);
  EXPECT_EQ(request.events.size(), 3);
  shard.check_values(0, request);
  EXPECT_EQ(shard.event_columns()[0].ids[request.events.begin], -1);
  EXPECT_EQ(shard.event_columns()[0].ids[request.events.end - 1], -3);
}

}  // namespace
}  // namespace longer
