// Training data through the C ABI: written, opened, read and trained on.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/c_abi.hpp"
#include "support/temporary_folder.hpp"

namespace longer {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr const char* kSchema = R"({"format_version": 1,
  "event_features": [{"name": "genre"}, {"name": "movie"}],
  "user_features": [{"name": "user"}], "context_features": [{"name": "hour"}],
  "candidate_features": [{"name": "movie"}, {"name": "genre"}], "tasks": [{"name": "click"}]})";

struct DestroyShards {
  void operator()(longer_shard_writer* handle) const { longer_shard_writer_destroy(handle); }
  void operator()(longer_shards* handle) const { longer_shards_destroy(handle); }
  void operator()(longer_reader* handle) const { longer_reader_destroy(handle); }
};
using WriterHandle = std::unique_ptr<longer_shard_writer, DestroyShards>;
using ShardsHandle = std::unique_ptr<longer_shards, DestroyShards>;
using ReaderHandle = std::unique_ptr<longer_reader, DestroyShards>;

class ShardsApi : public CApiTest {
 protected:
  std::string path() const { return folder_ / "d.shards"; }

  WriterHandle writer(const std::string& schema = kSchema) {
    return WriterHandle(longer_shard_writer_create(
        path().c_str(), schema.data(), static_cast<int64_t>(schema.size()), 0, &error_));
  }
  void write(const std::vector<OwnedBatch>& batches) {
    const WriterHandle handle = writer();
    ASSERT_NE(handle, nullptr) << error_.message;
    int64_t key = 0;
    for (const OwnedBatch& batch : batches) {
      longer_batch c = c_batch(batch);
      // The shards hold these columns in another order than the configuration.
      std::vector<longer_column> events(c.event_columns, c.event_columns + 2);
      std::swap(events[0], events[1]);
      c.event_columns = events.data();
      std::vector<int64_t> keys;
      for (int64_t i = 0; i < c.num_requests; ++i) keys.push_back(++key);
      ASSERT_EQ(longer_shard_writer_add(handle.get(), &c, keys.data(), &error_), LONGER_OK)
          << error_.message;
    }
    ASSERT_EQ(longer_shard_writer_finish(handle.get(), &error_), LONGER_OK) << error_.message;
  }
  ShardsHandle open() { return ShardsHandle(longer_shards_open(path().c_str(), 1, &error_)); }
  ReaderHandle reader(const longer_shards* shards, const Config& config,
                      const longer_reader_options& options) {
    const std::string json = config.to_json();
    return ReaderHandle(longer_reader_create(shards, json.data(), static_cast<int64_t>(json.size()),
                                             &options, &error_));
  }

  TemporaryFolder folder_;
  longer_error error_{};
  longer_batch batch_ = [] {
    longer_batch batch{};
    batch.struct_bytes = sizeof(batch);
    return batch;
  }();
};

/// Steps from shards change the weights as steps from the callers' own batches do.
TEST_F(ShardsApi, TrainsAsTheBatchesThatWereWritten) {
  const Config config = film_config();
  BatchMaker maker(config, 3);
  const std::vector<OwnedBatch> batches = {maker.make({{3, 2}, {0, 1}, {61, 4}}),
                                           maker.make({{30, 1}, {5, 0}, {1, 3}})};
  write(batches);
  ShardsHandle shards = open();
  ASSERT_NE(shards, nullptr) << error_.message;
  longer_reader_options options{};
  longer_reader_options_default(&options);
  options.batch_requests = 3;
  options.shuffle = 0;
  options.max_history = config.max_history;
  const ReaderHandle pass = reader(shards.get(), config, options);
  ASSERT_NE(pass, nullptr) << error_.message;
  shards.reset();  // the reader keeps them open
  EXPECT_EQ(longer_reader_num_requests(pass.get()), 6);

  const ModelHandle model = create_model(config);
  const TrainerHandle from_shards = create_trainer(model.get());
  const TrainerHandle from_batches = create_trainer(model.get());
  for (size_t i = 0; i < batches.size(); ++i) {
    ASSERT_EQ(longer_reader_next(pass.get(), &batch_, &error_), LONGER_OK);
    ASSERT_EQ(batch_.num_requests, 3);
    EXPECT_EQ(longer_reader_user_keys(pass.get())[0], static_cast<int64_t>(3 * i + 1));
    ASSERT_EQ(longer_trainer_step(from_shards.get(), &batch_, &error_), LONGER_OK)
        << error_.message;
    train(from_batches.get(), batches[i], 1);
    longer_step_result a{}, b{};
    a.struct_bytes = b.struct_bytes = sizeof(longer_step_result);
    longer_trainer_result(from_shards.get(), &a, &error_);
    longer_trainer_result(from_batches.get(), &b, &error_);
    EXPECT_EQ(a.loss, b.loss);
    EXPECT_EQ(a.gradient_norm, b.gradient_norm);
  }
  EXPECT_EQ(longer_reader_next(pass.get(), &batch_, &error_), LONGER_OK);
  EXPECT_EQ(batch_.num_requests, 0);
  EXPECT_EQ(longer_reader_user_keys(pass.get()), nullptr);
}

TEST_F(ShardsApi, CountsSchemaAndState) {
  const Config config = film_config();
  write({BatchMaker(config, 4).make({{3, 2}, {0, 1}})});
  const ShardsHandle shards = open();
  longer_shard_counts counts{};
  counts.struct_bytes = sizeof(counts);
  ASSERT_EQ(longer_shards_get_counts(shards.get(), &counts, &error_), LONGER_OK);
  EXPECT_EQ(counts.shards, 1);
  EXPECT_EQ(counts.requests, 2);
  EXPECT_EQ(counts.events, 3);
  EXPECT_EQ(counts.candidates, 3);
  const int64_t fingerprint = longer_shards_fingerprint(shards.get());
  EXPECT_EQ(longer_shards_fingerprint(open().get()), fingerprint);
  char text[2048];
  int64_t needed = 0;
  ASSERT_EQ(longer_shards_schema(shards.get(), text, sizeof(text), &needed, &error_), LONGER_OK);
  EXPECT_EQ(nlohmann::json::parse(text)["event_features"][1]["name"], "movie");
  longer_reader_options options{};
  longer_reader_options_default(&options);
  const ReaderHandle first = reader(shards.get(), config, options);
  ASSERT_EQ(longer_reader_next(first.get(), &batch_, &error_), LONGER_OK);
  EXPECT_EQ(batch_.num_requests, 2);
  ASSERT_EQ(longer_reader_state(first.get(), text, sizeof(text), &needed, &error_), LONGER_OK);
  const ReaderHandle second = reader(shards.get(), config, options);
  ASSERT_EQ(longer_reader_restore(second.get(), text, needed - 1, &error_), LONGER_OK)
      << error_.message;
  ASSERT_EQ(longer_reader_next(second.get(), &batch_, &error_), LONGER_OK);
  EXPECT_EQ(batch_.num_requests, 0);
  write({BatchMaker(config, 4).make({{3, 2}, {1, 1}})});
  EXPECT_NE(longer_shards_fingerprint(open().get()), fingerprint);
}

TEST_F(ShardsApi, ErrorsAreTyped) {
  EXPECT_EQ(writer("{}"), nullptr);
  EXPECT_EQ(error_.code, LONGER_INVALID_ARGUMENT);
  EXPECT_EQ(open(), nullptr);
  EXPECT_EQ(error_.code, LONGER_IO_ERROR);
  EXPECT_EQ(longer_shard_writer_create(nullptr, kSchema, 3, 0, &error_), nullptr);
  EXPECT_EQ(longer_shards_open(nullptr, 1, &error_), nullptr);
  EXPECT_EQ(error_.code, LONGER_INVALID_ARGUMENT);
  EXPECT_EQ(longer_shard_writer_add(nullptr, nullptr, nullptr, &error_), LONGER_INVALID_ARGUMENT);
  EXPECT_EQ(longer_shard_writer_finish(nullptr, &error_), LONGER_INVALID_ARGUMENT);
  EXPECT_EQ(longer_reader_next(nullptr, nullptr, &error_), LONGER_INVALID_ARGUMENT);
  EXPECT_EQ(longer_reader_create(nullptr, "", 0, nullptr, &error_), nullptr);
  EXPECT_EQ(longer_reader_num_requests(nullptr), 0);
  EXPECT_EQ(longer_shards_fingerprint(nullptr), 0);
  EXPECT_EQ(longer_reader_user_keys(nullptr), nullptr);
  longer_shard_writer_destroy(nullptr);
  longer_shards_destroy(nullptr);
  longer_reader_destroy(nullptr);
}

}  // namespace
}  // namespace longer
