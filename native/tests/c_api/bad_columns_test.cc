// Malformed columns: each is one INVALID_ARGUMENT that names feature, row and value.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "longer/c/longer.h"
#include "support/c_abi.hpp"

namespace longer::testing {
namespace {

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Config every_kind() {
  for (const ModelCase& model_case : model_cases()) {
    if (model_case.name == "EveryKindOfFeature") return model_case.config;
  }
  throw std::logic_error("no such case");
}

/// What a test may break: the batch's columns, and the structs that point at them.
struct Breakable {
  OwnedBatch batch;
  std::vector<longer_column> event, user, candidate;
};
// Places in every_kind().
constexpr size_t kMovie = 0;
constexpr size_t kPrice = 1;
constexpr size_t kWords = 2;
constexpr size_t kUserInterests = 2;
constexpr size_t kContextTemperature = 4;

struct BadColumn {
  std::string name;
  std::function<void(Breakable&)> damage;
  std::string message;  // part of it
};

std::ostream& operator<<(std::ostream& out, const BadColumn& bad) { return out << bad.name; }

std::vector<BadColumn> bad_columns() {
  static constexpr int64_t kId = 1;
  static constexpr float kNumber = 1.0F;
  static constexpr int64_t kOffsets[] = {0, 0};
  static constexpr uint8_t kValid = 0xFF;
  return {
      {"NullIds", [](Breakable& b) { b.event[kMovie].ids = nullptr; },
       "event feature \"movie\": ids is null; 9 values are needed"},
      {"NullNumbers", [](Breakable& b) { b.candidate[0].numbers = nullptr; },
       "candidate feature \"price\": numbers is null; 5 values are needed"},
      {"NullOffsets", [](Breakable& b) { b.user[kUserInterests].offsets = nullptr; },
       "user feature \"interests\": offsets is null; 3 values are needed"},
      {"NullIdsOfMany", [](Breakable& b) { b.event[kWords].ids = nullptr; },
       "event feature \"words\": ids is null"},
      {"IdsOfNumbers", [](Breakable& b) { b.event[kPrice].ids = &kId; },
       "event feature \"price\" is numeric: ids must be null"},
      {"NumbersOfIds", [](Breakable& b) { b.event[kMovie].numbers = &kNumber; },
       "event feature \"movie\" is categorical with one value: numbers must be null"},
      {"OffsetsOfOne", [](Breakable& b) { b.event[kMovie].offsets = kOffsets; },
       "event feature \"movie\" is categorical with one value: offsets must be null"},
      {"OffsetsOfNumbers", [](Breakable& b) { b.event[kPrice].offsets = kOffsets; },
       "event feature \"price\" is numeric: offsets must be null"},
      {"ValidityOfMany", [](Breakable& b) { b.event[kWords].valid = &kValid; },
       "event feature \"words\" is many-valued: valid must be null"},
      {"ValidityOfNumbers", [](Breakable& b) { b.event[kPrice].valid = &kValid; },
       "event feature \"price\" is numeric: valid must be null"},
      {"OffsetsNotFromZero", [](Breakable& b) { b.batch.event_columns[kWords].offsets[0] = 1; },
       "event feature \"words\": offsets[0] must be 0; got 1"},
      {"OffsetsDescend", [](Breakable& b) { b.batch.event_columns[kWords].offsets[4] = -1; },
       "event feature \"words\": offsets[4] must not descend; got -1 after"},
      {"TooManyValues", [](Breakable& b) { b.batch.event_columns[kWords].offsets.back() = kHuge; },
       "event feature \"words\": at most 2^30 values; got 9223372036854775807"},
      {"InfiniteNumber", [](Breakable& b) { b.batch.event_columns[kPrice].numbers[7] = kInfinity; },
       "event feature \"price\": row 7 must be finite, or NaN where it is missing; got inf"},
      {"NegativeInfinity",
       [](Breakable& b) { b.batch.candidate_columns[0].numbers[2] = -kInfinity; },
       "candidate feature \"price\": row 2 must be finite, or NaN where it is missing; got -inf"},
      {"InfiniteContext",
       [](Breakable& b) { b.batch.user_columns[kContextTemperature].numbers[1] = kInfinity; },
       "context feature \"temperature\": row 1 must be finite"},
      {"FarFromTheMean", [](Breakable& b) { b.batch.event_columns[kPrice].numbers[3] = 1e30F; },
       "event feature \"price\": row 3 must lie within 1e+09 scales of the mean; got 1e+30"},
  };
}

class BadColumns : public CApiTest, public ::testing::WithParamInterface<BadColumn> {};

TEST_P(BadColumns, AreRefusedByNameAndChangeNothing) {
  const Config c = every_kind();
  const ModelHandle model = trained_model(c);
  const TrainerHandle trainer = create_trainer(model.get());
  BatchMaker maker(c, 3, IdChoice::kSettled);
  const OwnedBatch good = maker.make({{4, 3}, {5, 2}});
  const std::vector<float> expected = predict(trainer.get(), c, good);

  Breakable bad{good, {}, {}, {}};
  const auto refused = [&](longer_status status, const longer_error& error) {
    EXPECT_EQ(status, LONGER_INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.message).find(GetParam().message), std::string::npos)
        << error.message;
  };
  // Values are broken in place: the views see it.
  longer_batch batch = c_batch(bad.batch);
  bad.event.assign(batch.event_columns, batch.event_columns + c.event_features.size());
  bad.user.assign(batch.user_columns, batch.user_columns + c.num_user_features());
  bad.candidate.assign(batch.candidate_columns,
                       batch.candidate_columns + c.candidate_features.size());
  GetParam().damage(bad);
  batch.event_columns = bad.event.data();
  batch.user_columns = bad.user.data();
  batch.candidate_columns = bad.candidate.data();
  longer_error error{};
  std::vector<float> scores(expected.size());
  refused(longer_trainer_step(trainer.get(), &batch, &error), error);
  refused(longer_trainer_predict(trainer.get(), &batch, scores.data(),
                                 static_cast<int64_t>(scores.size()), &error),
          error);
  EXPECT_EQ(predict(trainer.get(), c, good), expected);
}

INSTANTIATE_TEST_SUITE_P(All, BadColumns, ::testing::ValuesIn(bad_columns()),
                         [](const ::testing::TestParamInfo<BadColumn>& bad) {
                           return bad.param.name;
                         });

TEST_F(CApiTest, RowsThatAreNotThereNeedNoColumns) {
  const Config c = every_kind();
  const ModelHandle model = trained_model(c);
  const TrainerHandle trainer = create_trainer(model.get());
  BatchMaker maker(c, 3, IdChoice::kSettled);
  const OwnedBatch empty = maker.make({{0, 2}, {0, 0}});
  const std::vector<float> expected = predict(trainer.get(), c, empty);
  longer_batch batch = c_batch(empty);
  batch.event_columns = nullptr;
  std::vector<float> scores(expected.size());
  longer_error error{};
  EXPECT_EQ(longer_trainer_predict(trainer.get(), &batch, scores.data(), 2, &error), LONGER_OK)
      << error.message;
  EXPECT_EQ(scores, expected);
}

TEST_F(CApiTest, HashesTextAsPublished) {
  const auto hash = [](const std::string& text) {
    return longer_hash_id(text.data(), static_cast<int64_t>(text.size()));
  };
  EXPECT_EQ(longer_hash_id(nullptr, 0), 0xEF46DB3751D8E999U);
  EXPECT_EQ(hash(""), 0xEF46DB3751D8E999U);
  EXPECT_EQ(hash("abc"), 0x44BC2CF5AD770999U);
}

}  // namespace
}  // namespace longer::testing
