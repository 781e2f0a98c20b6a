// What a user of the C ABI sees when a device fails: faults are injected below the seam, so no GPU
// is needed.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "c_api/handles.hpp"
#include "core/live_count.hpp"
#include "support/c_abi.hpp"
#include "support/faulty_backend.hpp"
#include "support/optimizer_options.hpp"

namespace longer::testing {
namespace {

constexpr int kIllegalAddress = 700;
constexpr int kInvalidValue = 1;
constexpr int kNoMemory = 2;

class LostDevice : public CApiTest {
 protected:
  LostDevice() {
    static int next_device = 100;
    backend_ =
        std::make_shared<FaultyBackend>(make_backend({DeviceKind::kCpu, 0, 2}), next_device++);
    model_ = LongerModel::create(config_, 3, backend_);
    batch_ = BatchMaker(config_, 5, IdChoice::kSettled).make({{13, 3}});
    view_ = c_batch(batch_);
  }

  TrainerHandle trainer() {
    live_handles().add(1);
    return TrainerHandle(
        new longer_trainer{std::make_unique<Trainer>(*model_, brisk_optimizer(), backend_), ""});
  }
  RankerHandle ranker() {
    live_handles().add(1);
    return RankerHandle(new longer_ranker(model_, {int64_t{1} << 20, 0}, 8));
  }
  longer_status rank(longer_ranker* ranker, int64_t cache_mode) {
    const longer_ranking_request r = request(cache_mode);
    std::vector<float> scores(config_.tasks.size() * 3);
    return longer_ranker_rank(ranker, &r, scores.data(), static_cast<int64_t>(scores.size()),
                              &error_);
  }
  longer_ranking_request request(int64_t cache_mode) {
    longer_ranking_request r{};
    r.struct_bytes = static_cast<int64_t>(sizeof(r));
    r.cache_mode = cache_mode;
    r.user_key = 1;
    r.batch = &view_;
    return r;
  }
  void expect_lost(longer_status status, const std::string& part) {
    EXPECT_EQ(status, LONGER_DEVICE_ERROR) << error_.message;
    EXPECT_EQ(error_.fatal, 1);
    EXPECT_NE(std::string(error_.message).find(part), std::string::npos) << error_.message;
  }

  const Config config_ = film_config();
  std::shared_ptr<FaultyBackend> backend_;
  std::shared_ptr<const LongerModel> model_;
  OwnedBatch batch_;
  longer_batch view_{};
  longer_error error_{};
};

TEST_F(LostDevice, EveryHandleOfItFailsAtOnceAndCanBeDestroyed) {
  const TrainerHandle failing = trainer();
  const TrainerHandle other = trainer();
  const RankerHandle serving = ranker();
  ASSERT_EQ(rank(serving.get(), 1), LONGER_OK) << error_.message;
  ASSERT_EQ(longer_trainer_step(failing.get(), &view_, &error_), LONGER_OK) << error_.message;

  backend_->layer_error = kIllegalAddress;
  expect_lost(longer_trainer_step(failing.get(), &view_, &error_),
              "[cuda] transformer_layer_forward: injected");

  for (int attempt = 0; attempt < 2; ++attempt) {
    expect_lost(longer_trainer_step(failing.get(), &view_, &error_), "is lost for this process");
    expect_lost(longer_trainer_step(other.get(), &view_, &error_),
                "transformer_layer_forward: injected");
    expect_lost(rank(serving.get(), 0), "must be restarted");
    expect_lost(rank(serving.get(), 1), "is lost for this process");  // a hit: candidates alone
  }
  std::vector<float> scores(config_.tasks.size() * 3);
  expect_lost(longer_trainer_predict(other.get(), &view_, scores.data(),
                                     static_cast<int64_t>(scores.size()), &error_),
              "is lost");

  const longer_ranking_request asked = request(0);
  ASSERT_EQ(longer_ranker_submit(serving.get(), &asked, 42, &error_), LONGER_OK) << error_.message;
  int64_t tag = -1;
  int64_t num_scores = 0;
  expect_lost(longer_ranker_poll(serving.get(), 10'000, &tag, scores.data(),
                                 static_cast<int64_t>(scores.size()), &num_scores, &error_),
              "is lost");
  EXPECT_EQ(tag, 42);
}

TEST_F(LostDevice, OtherFailuresLeaveEveryHandleUsable) {
  const TrainerHandle training = trainer();
  const RankerHandle serving = ranker();
  for (const int code : {kInvalidValue, kNoMemory}) {
    const longer_status expected = code == kNoMemory ? LONGER_OUT_OF_MEMORY : LONGER_DEVICE_ERROR;
    backend_->layer_error = code;
    EXPECT_EQ(longer_trainer_step(training.get(), &view_, &error_), expected);
    EXPECT_EQ(error_.fatal, 0);
    EXPECT_EQ(error_.bytes_asked, -1);
    EXPECT_EQ(error_.bytes_free, code == kNoMemory ? 4096 : -1);
    backend_->layer_error = code;
    EXPECT_EQ(rank(serving.get(), 1), expected);
    EXPECT_EQ(rank(serving.get(), 1), LONGER_OK) << error_.message;
  }
  ASSERT_EQ(longer_trainer_step(training.get(), &view_, &error_), LONGER_OK) << error_.message;
  // What failed left nothing behind: the same step as one that never saw a fault.
  const TrainerHandle fresh = trainer();
  ASSERT_EQ(longer_trainer_step(fresh.get(), &view_, &error_), LONGER_OK) << error_.message;
  EXPECT_EQ(predict(training.get(), config_, batch_), predict(fresh.get(), config_, batch_));
}

}  // namespace
}  // namespace longer::testing
