#include "data/batch_reader.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "data/shard_writer.hpp"
#include "support/plain_requests.hpp"
#include "support/shard_files.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_error.hpp"

namespace longer {
namespace {

using testing::expect_error;
using testing::plain;
using testing::PlainBatch;
using testing::PlainRequest;
using testing::random_requests;
using testing::TemporaryFolder;

using Batches = std::vector<std::vector<PlainRequest>>;

std::vector<PlainRequest> flat(const Batches& batches) {
  std::vector<PlainRequest> all;
  for (const auto& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

Batches rest_of(BatchReader& reader) {
  Batches batches;
  while (const GatheredBatch* batch = reader.next())
    batches.push_back(plain(batch->view(), batch->user_keys()));
  EXPECT_EQ(reader.next(), nullptr);
  return batches;
}

ColumnSelection all(const std::shared_ptr<const Shards>& shards) {
  return ColumnSelection(shards->schema());
}

class BatchReading : public ::testing::Test {
 protected:
  BatchReading() : requests_(random_requests(80, 5)) {
    ShardWriter writer(path(), ShardSchema::parse(testing::kShardSchemaJson), 30000);
    const PlainBatch batch(requests_);
    writer.add(batch.view(), batch.user_keys());
    writer.finish();
    shards_ = std::make_shared<const Shards>(path(), true);
    EXPECT_GT(shards_->counts().shards, 3);
  }
  std::string path() const { return folder_ / "d.shards"; }

  Batches read(const ReaderOptions& options) const {
    BatchReader reader(shards_, all(shards_), options);
    return rest_of(reader);
  }

  TemporaryFolder folder_;
  std::vector<PlainRequest> requests_;
  std::shared_ptr<const Shards> shards_;
};

ReaderOptions options_of(int64_t batch_requests, int64_t threads, bool shuffle = true) {
  ReaderOptions options;
  options.batch_requests = batch_requests;
  options.threads = threads;
  options.shuffle = shuffle;
  options.seed = 17;
  return options;
}

TEST_F(BatchReading, StoredOrder) {
  for (const int64_t size : {1, 7, 64, 10000}) {
    const Batches batches = read(options_of(size, 0, false));
    EXPECT_TRUE(flat(batches) == requests_);
    for (size_t i = 0; i + 1 < batches.size(); ++i)
      EXPECT_EQ(batches[i].size(), static_cast<size_t>(size));
  }
}

TEST_F(BatchReading, ShuffledOrderIsThePermutation) {
  const std::vector<PlainRequest> whole = flat(read(options_of(7, 0)));
  const Permutation permutation(shards_->counts().requests, 17, 0);
  ASSERT_EQ(whole.size(), requests_.size());
  for (size_t i = 0; i < whole.size(); ++i)
    ASSERT_TRUE(whole[i] == requests_[static_cast<size_t>(permutation(static_cast<int64_t>(i)))]);
  ReaderOptions next = options_of(7, 0);
  next.epoch = 1;
  EXPECT_FALSE(flat(read(next)) == whole);
}

TEST_F(BatchReading, ThreadsChangeNothing) {
  ReaderOptions options = options_of(5, 0);
  options.batch_events = 500;
  const Batches expected = read(options);
  for (const int64_t threads : {1, 2, 7}) {
    options.threads = threads;
    EXPECT_TRUE(read(options) == expected);
  }
}

TEST_F(BatchReading, EventsPerBatchAreLimited) {
  ReaderOptions options = options_of(1000, 2);
  options.batch_events = 2100;
  const Batches batches = read(options);
  EXPECT_TRUE(flat(batches) == flat(read(options_of(3, 0))));
  size_t full = 0;
  for (size_t i = 0; i < batches.size(); ++i) {
    size_t events = 0;
    for (const PlainRequest& r : batches[i]) events += r.events.size();
    EXPECT_TRUE(events <= 2100 || batches[i].size() == 1);
    if (i + 1 < batches.size()) {
      EXPECT_GT(events + batches[i + 1][0].events.size(), 2100U);  // it would not have fitted
      ++full;
    }
  }
  EXPECT_GT(full, 3U);
}

TEST_F(BatchReading, WorkersShareTheOrder) {
  const std::vector<PlainRequest> whole = flat(read(options_of(7, 0)));
  for (const int64_t workers : {1, 2, 3, 1000}) {
    std::vector<std::vector<PlainRequest>> parts;
    for (int64_t w = 0; w < workers; ++w) {
      ReaderOptions options = options_of(4, 1);
      options.worker = w;
      options.num_workers = workers;
      BatchReader reader(shards_, all(shards_), options);
      parts.push_back(flat(rest_of(reader)));
      EXPECT_EQ(reader.num_requests(), static_cast<int64_t>(parts.back().size()));
    }
    for (size_t i = 0; i < whole.size(); ++i) {
      const auto w = i % static_cast<size_t>(workers);
      ASSERT_TRUE(parts[w][i / static_cast<size_t>(workers)] == whole[i]);
    }
  }
}

TEST_F(BatchReading, ResumesAfterAnyBatchBitForBit) {
  ReaderOptions options = options_of(6, 2);
  options.batch_events = 900;
  const Batches whole = read(options);
  for (size_t stop = 0; stop <= whole.size(); stop += 3) {
    std::string state;
    {
      BatchReader reader(shards_, all(shards_), options);
      for (size_t i = 0; i < stop; ++i) ASSERT_NE(reader.next(), nullptr);
      state = reader.state();
    }
    const auto again = std::make_shared<const Shards>(path(), false);
    BatchReader reader(again, all(again), options);
    reader.restore(state);
    EXPECT_EQ(reader.state(), state);
    const Batches rest(whole.begin() + static_cast<std::ptrdiff_t>(stop), whole.end());
    EXPECT_TRUE(rest_of(reader) == rest);
  }
}

TEST_F(BatchReading, StartsAtAnyRequest) {
  const std::vector<PlainRequest> whole = flat(read(options_of(7, 0)));
  const auto count = static_cast<int64_t>(whole.size());
  for (const int64_t first : {int64_t{0}, int64_t{1}, count / 2, count}) {
    ReaderOptions options = options_of(7, 2);
    options.first_request = first;
    EXPECT_TRUE(flat(read(options)) ==
                std::vector<PlainRequest>(whole.begin() + first, whole.end()));
  }
}

TEST_F(BatchReading, StatesOfAnotherPassAreRefused) {
  const auto restored = [&](ReaderOptions options, const std::string& state) {
    BatchReader reader(shards_, all(shards_), options);
    reader.restore(state);
  };
  const std::string state = BatchReader(shards_, all(shards_), options_of(6, 0)).state();
  restored(options_of(5, 3), state);  // batches may be cut otherwise
  ReaderOptions other = options_of(6, 0);
  other.epoch = 2;
  expect_error(Status::kInvalidArgument, "[reader] the state's epoch must be 2; got 0",
               [&] { restored(other, state); });
  other = options_of(6, 0);
  other.seed = uint64_t{1} << 63;
  expect_error(Status::kInvalidArgument, "the state's seed must be 9223372036854775808; got 17",
               [&] { restored(other, state); });
  for (const char* text : {"", "[]", "{}", "{\"format_version\":1}", "\xff"}) {
    expect_error(Status::kInvalidArgument, "[reader] the state",
                 [&] { restored(options_of(6, 0), text); });
  }
  for (const char* position : {"-1", "1e3", "\"0\"", "99999999999999999999", "null"}) {
    std::string spoilt = state;
    spoilt.replace(spoilt.find("\"position\":0"), 12, std::string("\"position\":") + position);
    expect_error(Status::kInvalidArgument, "[reader] the state's position must be in 0 …",
                 [&] { restored(options_of(6, 0), spoilt); });
  }
  BatchReader reader(shards_, all(shards_), options_of(6, 0));
  reader.next();
  expect_error(Status::kInvalidState, "before the first batch", [&] { reader.restore(state); });
}

TEST_F(BatchReading, OptionsAreChecked) {
  const auto rejected = [&](const std::string& part, auto change) {
    ReaderOptions options;
    change(options);
    expect_error(Status::kInvalidArgument, part, [&] { read(options); });
  };
  rejected("batch_requests must be in 1 …", [](auto& o) { o.batch_requests = 0; });
  rejected("batch_events must be in 0 …", [](auto& o) { o.batch_events = -1; });
  rejected("max_history must be in 0 …", [](auto& o) { o.max_history = -1; });
  rejected("worker must be in 0 … 2; got 3", [](auto& o) { o.worker = o.num_workers = 3; });
  rejected("threads must be in 0 … 256", [](auto& o) { o.threads = 257; });
  rejected("epoch must be in 0 …", [](auto& o) { o.epoch = -1; });
  rejected("first_request must be in 0 …", [](auto& o) { o.first_request = 1 << 20; });
}

TEST_F(BatchReading, DamageIsReportedInItsTurnAndForGood) {
  testing::ShardFile damaged = testing::small_shard();
  damaged.integers("event.time", {10, 20, 5});  // requests 1 and 4
  testing::write_shards(folder_ / "bad", {testing::small_shard(), damaged});
  const auto shards = std::make_shared<const Shards>(folder_ / "bad", true);
  for (const int64_t threads : {0, 1, 3}) {
    BatchReader reader(shards, all(shards), options_of(2, threads, false));
    EXPECT_NE(reader.next(), nullptr);
    EXPECT_NE(reader.next(), nullptr);
    for (int i = 0; i < 2; ++i) {
      expect_error(Status::kCorruptData, "bad/shard-00001.safetensors: tensor \"event.time\"",
                   [&] { reader.next(); });
    }
  }
}

TEST_F(BatchReading, DamagedRangesAreReportedWhileBatchesArePlanned) {
  testing::ShardFile damaged = testing::small_shard();
  damaged.logs({0, 0, 5});
  testing::write_shards(folder_ / "bad", {damaged});
  ReaderOptions options = options_of(1, 2, false);
  options.batch_events = 100;
  const auto shards = std::make_shared<const Shards>(folder_ / "bad", true);
  BatchReader reader(shards, all(shards), options);
  EXPECT_NE(reader.next(), nullptr);
  EXPECT_NE(reader.next(), nullptr);
  expect_error(Status::kCorruptData, "\"request.log\", request 2", [&] { reader.next(); });
}

TEST_F(BatchReading, ReadersRunConcurrentlyOverTheSameShards) {
  ReaderOptions options = options_of(3, 3);
  const Batches expected = read(options);
  std::atomic<int> equal{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      // Some stop in the middle, while threads still gather.
      BatchReader stopped(shards_, all(shards_), options);
      for (int k = 0; k < i; ++k) static_cast<void>(stopped.next());
      if (read(options) == expected) ++equal;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, 4);
}

TEST_F(BatchReading, AConfigurationMayReadFewerColumns) {
  Config config;
  config.event_features.push_back({"item", "t"});
  config.user_features.push_back({"country", "t"});
  config.tasks.push_back({"buy", 1.0});
  BatchReader reader(shards_, ColumnSelection(shards_->schema(), config),
                     options_of(1000, 0, false));
  const GatheredBatch* batch = reader.next();
  ASSERT_NE(batch, nullptr);
  size_t c = 0;
  for (const PlainRequest& r : requests_) {
    for (const testing::PlainCandidate& candidate : r.candidates) {
      const float label = batch->view().labels[c++];
      ASSERT_EQ(candidate.buy.value_or(-1), std::isnan(label) ? -1 : label);
    }
  }
  EXPECT_EQ(static_cast<int64_t>(c), batch->view().num_candidates);
}

TEST_F(BatchReading, MissingColumnsAreNamed) {
  const auto rejected = [&](const std::string& part, const Config& config) {
    expect_error(Status::kInvalidArgument, part,
                 [&] { ColumnSelection(shards_->schema(), config); });
  };
  Config config;
  config.event_features.push_back({"shop", "t"});
  rejected("[reader] the shards have no event feature \"shop\"", config);
  config.event_features[0].name = "tags";
  rejected("hold event feature \"tags\" as categorical with many values", config);
  config = {};
  config.tasks.push_back({"like", 1.0});
  rejected("[reader] the shards have no task \"like\"", config);
}

}  // namespace
}  // namespace longer
