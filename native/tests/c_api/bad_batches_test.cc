// Malformed batches: each is one INVALID_ARGUMENT that says what and where, and changes nothing.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "longer/c/longer.h"
#include "support/c_abi.hpp"
#include "support/compare.hpp"

namespace longer::testing {
namespace {

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

/// What a test may break: the columns and the struct that points at them.
struct Breakable {
  OwnedBatch columns;
  longer_batch batch;
};

struct BadBatch {
  std::string name;
  std::function<void(Breakable&)> damage;
  std::string message;    // part of it
  bool is_label = false;  // only where labels are read
};

std::ostream& operator<<(std::ostream& out, const BadBatch& bad) { return out << bad.name; }

std::vector<BadBatch> bad_batches() {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  return {
      {"WrongStructSize", [](Breakable& b) { b.batch.struct_bytes = 8; }, "struct_bytes"},
      {"NegativeRequests", [](Breakable& b) { b.batch.num_requests = -1; }, "num_requests"},
      {"NegativeEvents", [](Breakable& b) { b.batch.num_events = -5; }, "num_events"},
      {"NegativeCandidates", [](Breakable& b) { b.batch.num_candidates = -1; }, "num_candidates"},
      {"OverflowingRequests", [](Breakable& b) { b.batch.num_requests = kHuge; }, "num_requests"},
      {"OverflowingEvents", [](Breakable& b) { b.batch.num_events = kHuge; }, "num_events"},
      {"OverflowingCandidates", [](Breakable& b) { b.batch.num_candidates = kHuge / 2; },
       "num_candidates"},
      {"EventOffsetsNotFromZero", [](Breakable& b) { b.columns.event_offsets[0] = 1; },
       "event_offsets[0]"},
      {"EventOffsetsNegative", [](Breakable& b) { b.columns.event_offsets[0] = -1; },
       "event_offsets[0]"},
      {"EventOffsetsDescend", [](Breakable& b) { b.columns.event_offsets[2] = 2; },
       "event_offsets[2]"},
      {"EventOffsetsPastTheEvents", [](Breakable& b) { b.columns.event_offsets[3] += 1; },
       "event_offsets[3]"},
      {"EventOffsetsJumpAndReturn", [](Breakable& b) { b.columns.event_offsets[1] = kHuge; },
       "event_offsets[2]"},
      {"CandidateOffsetsNotFromZero", [](Breakable& b) { b.columns.candidate_offsets[0] = 2; },
       "candidate_offsets[0]"},
      {"CandidateOffsetsDescend", [](Breakable& b) { b.columns.candidate_offsets[2] = 0; },
       "candidate_offsets[2]"},
      {"CandidateOffsetsShort", [](Breakable& b) { b.columns.candidate_offsets[3] -= 1; },
       "candidate_offsets[3]"},
      {"UnsortedEvents",
       [](Breakable& b) { b.columns.event_times[2] = b.columns.event_times[1] - 1; },
       "request 0: event 2"},
      {"FutureEvent",
       [](Breakable& b) { b.columns.reference_times[0] = b.columns.event_times[2] - 1; },
       "request 0: event 2"},
      {"NegativeOrdinal", [](Breakable& b) { b.columns.first_ordinals[1] = -1; },
       "request 1: first_ordinal"},
      {"OverflowingOrdinal", [](Breakable& b) { b.columns.first_ordinals[1] = kHuge; },
       "request 1: first_ordinal"},
      {"NullEventOffsets", [](Breakable& b) { b.batch.event_offsets = nullptr; }, "event_offsets"},
      {"NullCandidateOffsets", [](Breakable& b) { b.batch.candidate_offsets = nullptr; },
       "candidate_offsets"},
      {"NullEventColumns", [](Breakable& b) { b.batch.event_columns = nullptr; }, "event_columns"},
      {"NullEventTimes", [](Breakable& b) { b.batch.event_times = nullptr; }, "event_times"},
      {"NullReferenceTimes", [](Breakable& b) { b.batch.reference_times = nullptr; },
       "reference_times"},
      {"NullUserColumns", [](Breakable& b) { b.batch.user_columns = nullptr; }, "user_columns"},
      {"NullCandidateColumns", [](Breakable& b) { b.batch.candidate_columns = nullptr; },
       "candidate_columns"},
      {"NullLabels", [](Breakable& b) { b.batch.labels = nullptr; }, "labels", true},
      {"InfiniteLabel", [=](Breakable& b) { b.columns.labels[1] = infinity; },
       "label of candidate 1", true},
      {"NegativeInfiniteLabel", [=](Breakable& b) { b.columns.labels[0] = -infinity; },
       "label of candidate 0", true},
      {"LabelAboveOne", [](Breakable& b) { b.columns.labels[2] = 1.5F; }, "label of candidate 2",
       true},
      {"LabelBelowZero", [](Breakable& b) { b.columns.labels[2] = -0.5F; }, "label of candidate 2",
       true},
      {"UndefinedWeight", [=](Breakable& b) { b.columns.weights[1] = nan; },
       "weight of candidate 1", true},
      {"NegativeWeight", [](Breakable& b) { b.columns.weights[1] = -1.0F; },
       "weight of candidate 1", true},
      {"InfiniteWeight", [=](Breakable& b) { b.columns.weights[1] = infinity; },
       "weight of candidate 1", true},
  };
}

/// Three requests of 3, 2 and 4 events with 2 candidates each, all columns set.
OwnedBatch good_batch(const Config& c) {
  BatchMaker maker(c, 3, IdChoice::kSettled);
  OwnedBatch batch = maker.make({{3, 2}, {2, 2}, {4, 2}});
  batch.event_times = {100, 200, 300, 100, 100, 100, 100, 100, 100};
  batch.reference_times = {300, 300, 300};
  std::fill(batch.labels.begin(), batch.labels.end(), 1.0F);
  std::fill(batch.weights.begin(), batch.weights.end(), 1.0F);
  return batch;
}

class BadBatches : public CApiTest, public ::testing::WithParamInterface<BadBatch> {
 protected:
  void expect_refused(longer_status status, const longer_error& error) {
    EXPECT_EQ(status, LONGER_INVALID_ARGUMENT);
    EXPECT_EQ(error.code, LONGER_INVALID_ARGUMENT);
    EXPECT_EQ(error.fatal, 0);
    EXPECT_NE(std::string(error.message).find(GetParam().message), std::string::npos)
        << error.message;
  }

  const Config config_ = film_config();
};

TEST_P(BadBatches, AreRefusedAndChangeNothing) {
  const ModelHandle model = trained_model(config_);
  const TrainerHandle trainer = create_trainer(model.get());
  OwnedBatch good = good_batch(config_);
  const std::vector<float> expected = predict(trainer.get(), config_, good);
  Breakable bad{good_batch(config_), {}};
  bad.batch = c_batch(bad.columns);
  GetParam().damage(bad);

  longer_error error{};
  expect_refused(longer_trainer_step(trainer.get(), &bad.batch, &error), error);
  double loss = 0.0;
  expect_refused(longer_trainer_gradients(trainer.get(), &bad.batch, &loss, &error), error);
  if (!GetParam().is_label) {
    std::vector<float> scores(6);
    const longer_status status =
        longer_trainer_predict(trainer.get(), &bad.batch, scores.data(), 6, &error);
    EXPECT_EQ(status, LONGER_INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.message), "");
  }
  EXPECT_TRUE(are_same_bits(predict(trainer.get(), config_, good), expected));
}

TEST_P(BadBatches, AreRefusedByTheRanker) {
  if (GetParam().is_label) return;  // a ranker reads no labels
  const ModelHandle model = create_model(config_);
  longer_error error{};
  const RankerHandle ranker(longer_ranker_create(model.get(), nullptr, &error));
  ASSERT_NE(ranker, nullptr) << error.message;
  Breakable bad{good_batch(config_), {}};
  bad.batch = c_batch(bad.columns);
  GetParam().damage(bad);
  const longer_ranking_request request = {
      static_cast<int64_t>(sizeof(longer_ranking_request)), LONGER_CACHE_NONE, 0, 0, &bad.batch, 0};
  std::vector<float> scores(6);
  EXPECT_EQ(longer_ranker_rank(ranker.get(), &request, scores.data(), 6, &error),
            LONGER_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.message), "");
}

INSTANTIATE_TEST_SUITE_P(Faults, BadBatches, ::testing::ValuesIn(bad_batches()),
                         [](const ::testing::TestParamInfo<BadBatch>& bad) {
                           return bad.param.name;
                         });

using GoodBatches = CApiTest;

TEST_F(GoodBatches, UndefinedLabelsAreMissing) {
  const Config c = film_config();
  const ModelHandle model = trained_model(c);
  const TrainerHandle trainer = create_trainer(model.get());
  OwnedBatch batch = good_batch(c);
  batch.labels[1] = std::numeric_limits<float>::quiet_NaN();
  const longer_batch view = c_batch(batch);
  longer_error error{};
  double loss = 0.0;
  ASSERT_EQ(longer_trainer_gradients(trainer.get(), &view, &loss, &error), LONGER_OK)
      << error.message;
  longer_step_result result{};
  result.struct_bytes = static_cast<int64_t>(sizeof(result));
  ASSERT_EQ(longer_trainer_result(trainer.get(), &result, &error), LONGER_OK);
  EXPECT_EQ(result.weight, 5.0);
  EXPECT_TRUE(std::isfinite(loss));

  std::fill(batch.labels.begin(), batch.labels.end(), std::numeric_limits<float>::quiet_NaN());
  ASSERT_EQ(longer_trainer_gradients(trainer.get(), &view, &loss, &error), LONGER_OK)
      << error.message;
  EXPECT_EQ(loss, 0.0);
}

TEST_F(GoodBatches, OptionalColumnsMayBeAbsent) {
  const Config c = film_config();
  const ModelHandle model = trained_model(c);
  const TrainerHandle trainer = create_trainer(model.get());
  OwnedBatch batch = good_batch(c);
  std::fill(batch.first_ordinals.begin(), batch.first_ordinals.end(), 0);
  const std::vector<float> expected = predict(trainer.get(), c, batch);
  longer_batch view = c_batch(batch);
  view.first_ordinals = nullptr;
  view.labels = nullptr;
  view.weights = nullptr;
  std::vector<float> scores(6);
  longer_error error{};
  ASSERT_EQ(longer_trainer_predict(trainer.get(), &view, scores.data(), 6, &error), LONGER_OK)
      << error.message;
  EXPECT_TRUE(are_same_bits(scores, expected));
}

TEST_F(GoodBatches, TimelessModelsNeedNoTimes) {
  Config c = film_config();
  c.time = TimeMode::kNone;
  const ModelHandle model = trained_model(c);
  const TrainerHandle trainer = create_trainer(model.get());
  const OwnedBatch batch = good_batch(c);
  const std::vector<float> expected = predict(trainer.get(), c, batch);
  longer_batch view = c_batch(batch);
  view.event_times = nullptr;
  view.reference_times = nullptr;
  std::vector<float> scores(6);
  longer_error error{};
  ASSERT_EQ(longer_trainer_predict(trainer.get(), &view, scores.data(), 6, &error), LONGER_OK)
      << error.message;
  EXPECT_TRUE(are_same_bits(scores, expected));
}

TEST_F(GoodBatches, TimesMaySpanAllSixtyFourBits) {
  const Config c = film_config();
  const ModelHandle model = trained_model(c);
  const TrainerHandle trainer = create_trainer(model.get());
  OwnedBatch batch = good_batch(c);
  batch.event_times[0] = std::numeric_limits<int64_t>::min();
  batch.reference_times[0] = std::numeric_limits<int64_t>::max();
  for (float score : predict(trainer.get(), c, batch)) EXPECT_TRUE(score > 0.0F && score < 1.0F);
}

}  // namespace
}  // namespace longer::testing
