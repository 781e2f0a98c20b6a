#include "data/shard_writer.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <string>
#include <vector>

#include "data/gathered_batch.hpp"
#include "support/plain_requests.hpp"
#include "support/shard_files.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_error.hpp"

namespace longer {
namespace {

using testing::expect_error;
using testing::plain;
using testing::PlainBatch;
using testing::PlainEvent;
using testing::PlainRequest;
using testing::random_requests;
using testing::TemporaryFolder;

const ShardSchema& schema() {
  static const ShardSchema schema = ShardSchema::parse(testing::kShardSchemaJson);
  return schema;
}

class ShardWriting : public ::testing::Test {
 protected:
  std::string path() const { return folder_ / "d.shards"; }

  ShardCounts write(const std::vector<PlainRequest>& requests, int64_t shard_bytes,
                    size_t batch_size) {
    ShardWriter writer(path(), schema(), shard_bytes);
    for (size_t begin = 0; begin < requests.size(); begin += batch_size) {
      const size_t end = std::min(requests.size(), begin + batch_size);
      const PlainBatch batch({requests.begin() + static_cast<std::ptrdiff_t>(begin),
                              requests.begin() + static_cast<std::ptrdiff_t>(end)});
      writer.add(batch.view(), batch.user_keys());
    }
    writer.finish();
    return writer.counts();
  }

  /// All requests of the folder, gathered `batch_size` at a time.
  std::vector<PlainRequest> read(size_t batch_size, int64_t max_history = 0) {
    const Shards shards(path(), true);
    GatheredBatch batch(shards.schema(), ColumnSelection(shards.schema()));
    std::vector<PlainRequest> all;
    for (int64_t i = 0; i < shards.counts().requests;) {
      std::vector<int64_t> numbers;
      while (numbers.size() < batch_size && i < shards.counts().requests) numbers.push_back(i++);
      batch.gather(shards, numbers, max_history);
      for (PlainRequest& r : plain(batch.view(), batch.user_keys())) all.push_back(std::move(r));
    }
    return all;
  }

  TemporaryFolder folder_;
};

TEST_F(ShardWriting, RaggedRequestsComeBackAsTheyWere) {
  for (const bool with_weights : {true, false}) {
    const auto requests = random_requests(60, 4, with_weights);
    for (const int64_t shard_bytes : {int64_t{1}, int64_t{20000}, int64_t{1} << 30}) {
      for (const size_t batch_size : {size_t{1}, size_t{7}, size_t{1000}}) {
        SCOPED_TRACE(::testing::Message() << shard_bytes << " bytes, batches of " << batch_size);
        const ShardCounts counts = write(requests, shard_bytes, batch_size);
        EXPECT_EQ(counts.requests, static_cast<int64_t>(requests.size()));
        ASSERT_TRUE(read(13) == requests);
        const Shards shards(path(), true);
        EXPECT_EQ(shards.counts().shards, counts.shards);
        EXPECT_EQ(shards.counts().events, counts.events);
        EXPECT_EQ(shards.counts().logs, counts.logs);
        EXPECT_EQ(shards.counts().candidates, counts.candidates);
        EXPECT_EQ(shards.counts().bytes, counts.bytes);
        EXPECT_EQ(counts.shards == 1, shard_bytes > 1 << 20);
        EXPECT_GE(counts.shards, shard_bytes == 1 ? 60 : 1);
      }
    }
  }
}

TEST_F(ShardWriting, TheSameRequestsGiveTheSameFilesWhateverTheBatches) {
  const auto requests = random_requests(20, 9);
  write(requests, 20000, 1);
  const std::string manifest = testing::read_bytes(path() + "/MANIFEST.json");
  write(requests, 20000, 17);
  EXPECT_EQ(testing::read_bytes(path() + "/MANIFEST.json"), manifest);
}

PlainRequest request_of(const std::vector<PlainEvent>& log, int64_t begin, int64_t end,
                        int64_t user_key = 1) {
  PlainRequest request;
  request.user_key = user_key;
  request.first_ordinal = begin;
  request.reference_time = 100;
  request.events.assign(log.begin() + begin, log.begin() + end);
  return request;
}

TEST_F(ShardWriting, EventsThatHistoriesShareAreStoredOnce) {
  std::vector<PlainEvent> log;
  for (int64_t i = 0; i < 10; ++i) log.push_back({i, 7 * i, {i, i}, 1.5F});
  // Grows, starts later, is contained, is empty at the end.
  const std::vector<PlainRequest> growing = {request_of(log, 0, 3), request_of(log, 0, 7),
                                             request_of(log, 4, 10), request_of(log, 5, 6),
                                             request_of(log, 10, 10)};
  ShardCounts counts = write(growing, 1 << 20, 2);
  EXPECT_EQ(counts.logs, 1);
  EXPECT_EQ(counts.events, 10);
  EXPECT_TRUE(read(5) == growing);
  // Another user, a gap, an earlier start, other content: each starts a log.
  std::vector<PlainEvent> other = log;
  other[2].tags.push_back(0);
  const std::vector<PlainRequest> apart = {request_of(log, 2, 5), request_of(log, 2, 5, 2),
                                           request_of(log, 6, 8, 2), request_of(log, 0, 8, 2),
                                           request_of(other, 0, 8, 2)};
  counts = write(apart, 1 << 20, 5);
  EXPECT_EQ(counts.logs, 5);
  EXPECT_EQ(counts.events, 3 + 3 + 2 + 8 + 8);
  EXPECT_TRUE(read(5) == apart);
  for (auto change :
       {+[](PlainEvent& e) { e.item.reset(); }, +[](PlainEvent& e) { e.item = 1; },
        +[](PlainEvent& e) { e.price.reset(); }, +[](PlainEvent& e) { e.price = 2.0F; },
        +[](PlainEvent& e) {
          e.tags = {9, 1};
        }}) {
    other = log;
    change(other[3]);
    EXPECT_EQ(write({request_of(log, 0, 5), request_of(other, 0, 5)}, 1 << 20, 2).logs, 2);
  }
}

TEST_F(ShardWriting, KeepsTheNewestEvents) {
  const auto requests = random_requests(30, 11);
  write(requests, 1 << 20, 10);
  std::vector<PlainRequest> expected = requests;
  for (PlainRequest& r : expected) {
    const auto left_out = std::max<int64_t>(0, static_cast<int64_t>(r.events.size()) - 8);
    r.events.erase(r.events.begin(), r.events.begin() + left_out);
    r.first_ordinal += left_out;
  }
  EXPECT_TRUE(read(9, 8) == expected);
}

TEST_F(ShardWriting, InvalidBatchesChangeNothing) {
  ShardWriter writer(path(), schema(), 1 << 20);
  std::vector<PlainEvent> log = {{5, 1, {}, {}}, {6, 2, {}, {}}};
  const PlainBatch good({request_of(log, 0, 2)});
  writer.add(good.view(), good.user_keys());
  std::swap(log[0], log[1]);
  const PlainBatch descending({request_of(log, 0, 2)});
  expect_error(Status::kInvalidArgument, "oldest to newest",
               [&] { writer.add(descending.view(), descending.user_keys()); });
  expect_error(Status::kInvalidArgument, "user_keys is null",
               [&] { writer.add(good.view(), nullptr); });
  EXPECT_EQ(writer.counts().requests, 1);
  writer.finish();
  EXPECT_EQ(read(1).size(), 1U);
  expect_error(Status::kInvalidState, "[shard_writer] is finished",
               [&] { writer.add(good.view(), good.user_keys()); });
  expect_error(Status::kInvalidArgument, "shard_bytes must be in 1 …",
               [&] { ShardWriter(folder_ / "other", schema(), 0); });
}

TEST_F(ShardWriting, LabelsMayBeAbsent) {
  std::vector<PlainEvent> log;
  PlainRequest request = request_of(log, 0, 0);
  request.candidates = {{1, {}, {}, {}, 1.0F}, {2, {3}, {}, {}, 1.0F}};
  const PlainBatch batch({request});
  BatchView view = batch.view();
  view.labels = nullptr;
  ShardWriter writer(path(), schema(), 1 << 20);
  writer.add(view, batch.user_keys());
  writer.finish();
  EXPECT_TRUE(read(1) == std::vector<PlainRequest>{request});
}

TEST_F(ShardWriting, AnUnfinishedWriterLeavesNothingBehind) {
  const auto requests = random_requests(5, 1);
  const int64_t count = write(requests, 1, 100).requests;
  {
    ShardWriter writer(path(), schema(), 1);
    const PlainBatch batch(random_requests(3, 2));
    writer.add(batch.view(), batch.user_keys());
  }
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"d.shards"});
  EXPECT_EQ(static_cast<int64_t>(read(1).size()), count);
}

/// A disk that is full, as a limit of the size of files shows it.
TEST_F(ShardWriting, AFailedWriteLeavesTheOldFolderWhole) {
  const auto requests = random_requests(20, 3);
  write(requests, 1 << 20, 100);
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_error(Status::kIoError, "[file] cannot write", [&] {
    ShardWriter writer(path(), schema(), 100000);
    for (int i = 0; i < 3; ++i) {
      const PlainBatch batch(requests);
      writer.add(batch.view(), batch.user_keys());
    }
    writer.finish();
  });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"d.shards"});
  EXPECT_TRUE(read(100) == requests);
}

}  // namespace
}  // namespace longer
