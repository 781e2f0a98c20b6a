#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "model/window.hpp"
#include "serving/ranking_request.hpp"
#include "support/cases.hpp"
#include "support/random_model.hpp"
#include "support/thrown_error.hpp"

namespace longer {
namespace {

using testing::expect_error;
using testing::ModelCase;
using testing::OwnedBatch;
using testing::random_model;
using testing::random_state;
using testing::RankingRequest;

std::vector<float> explain(Ranker& ranker, const RankingRequest& request, int64_t candidate,
                           int64_t task = 0) {
  std::vector<float> attribution(static_cast<size_t>(request.columns.num_events()), -1.0F);
  ranker.explain(request.with(CacheMode::kNone), candidate, task, attribution.data());
  return attribution;
}

double sum_of(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

class ExplainCase : public ::testing::TestWithParam<ModelCase> {};
INSTANTIATE_TEST_SUITE_P(Models, ExplainCase, ::testing::ValuesIn(testing::model_cases()),
                         testing::model_case_name);

TEST_P(ExplainCase, AttributesAllOfTheScoreToKeptEvents) {
  const Config& config = GetParam().config;
  Ranker ranker(random_model(config, 3), 0);
  for (const int64_t length :
       {int64_t{1}, config.merge_factor + 1, config.max_history, config.max_history + 40}) {
    SCOPED_TRACE(length);
    const RankingRequest request(config, length, 3, static_cast<uint64_t>(length));
    const Window window(config, length, request.columns.first_ordinals[0]);
    for (int64_t candidate = 0; candidate < 3; ++candidate) {
      for (size_t task = 0; task < config.tasks.size(); ++task) {
        const std::vector<float> shares =
            explain(ranker, request, candidate, static_cast<int64_t>(task));
        EXPECT_NEAR(sum_of(shares), 1.0, 1e-5);
        for (int64_t i = 0; i < length; ++i) {
          const float share = shares[static_cast<size_t>(i)];
          const bool is_kept = i >= window.first;
          ASSERT_TRUE(is_kept ? share >= 0 : share == 0) << i << ": " << share;
        }
      }
    }
  }
}

TEST_P(ExplainCase, DoesNotDependOnOtherCandidates) {
  const Config& config = GetParam().config;
  Ranker ranker(random_model(config, 3), 0);
  const RankingRequest request(config, config.max_history, 6, 2);
  for (const int64_t candidate : {0, 3, 5}) {
    EXPECT_EQ(explain(ranker, request.only(candidate), 0), explain(ranker, request, candidate))
        << candidate;
  }
}

/// Events of unknown films have a token of exactly 0: no bias, time or position reaches it, and the
/// out-of-vocabulary row is 0. Merged rows carry no trace of where they stand.
Config plain_config() {
  Config config;
  config.tables = {{"film", 4, 0}};
  config.event_features = {{"film", "film"}};
  config.candidate_features = {{"film", "film"}};
  config.tasks = {{"click", 1.0}};
  config.max_history = 32;
  config.event_width = 4;
  config.merge_factor = 4;
  config.inner_layers = 0;
  config.heads = 2;
  config.queries = 3;
  config.time = TimeMode::kNone;
  return config;
}

std::shared_ptr<const LongerModel> plain_model() {
  auto state = random_state(plain_config(), 5);
  for (const char* name :
       {"event_encoder.position.weight", "event_encoder.fc1.bias", "event_encoder.fc2.bias"}) {
    const Parameter& p = state->layout.get(name);
    std::fill_n(state->dense.data() + p.offset, p.size(), 0.0F);
  }
  std::fill_n(state->tables[0]->values(), 4, 0.0F);
  return std::make_shared<const LongerModel>(std::move(state), testing::test_backend(1));
}

RankingRequest plain_request(const std::vector<int64_t>& films) {
  OwnedBatch batch;
  const auto count = static_cast<int64_t>(films.size());
  batch.event_offsets = {0, count};
  batch.event_columns.push_back({films});
  batch.event_times.assign(films.size(), 0);
  batch.first_ordinals = {0};
  batch.reference_times = {0};
  batch.candidate_offsets = {0, 1};
  batch.candidate_columns.push_back({{1}});
  return {plain_config(), batch};
}

constexpr int64_t kUnknown = 2;
constexpr int64_t kPlanted = 5;

TEST(Explain, GivesAPlantedEventTheWholeShareOfItsGroup) {
  Ranker ranker(plain_model(), 0);
  for (size_t place = 0; place < 4; ++place) {
    std::vector<int64_t> films(4, kUnknown);
    films[place] = kPlanted;
    const std::vector<float> shares = explain(ranker, plain_request(films), 0);
    for (size_t i = 0; i < 4; ++i)
      EXPECT_EQ(shares[i], i == place ? 1.0F : 0.0F) << place << " " << i;
  }
  for (size_t place = 0; place < 16; ++place) {
    std::vector<int64_t> films(16, kUnknown);
    films[place] = kPlanted;
    const std::vector<float> shares = explain(ranker, plain_request(films), 0);
    const size_t group = place / 4;
    for (size_t i = 0; i < 16; ++i) {
      if (i == place) {
        EXPECT_GT(shares[i], 0.0F);
      } else if (i / 4 == group) {
        EXPECT_EQ(shares[i], 0.0F) << place << " " << i;
      } else {
        // Where nothing speaks for one event of a group, all get the same.
        EXPECT_EQ(shares[i], shares[i / 4 * 4]) << place << " " << i;
        EXPECT_NE(shares[i] * 4, shares[place])
            << "attention must tell the planted group from the others";
      }
    }
  }
}

TEST(Explain, FollowsAGroupToItsNewPlace) {
  Ranker ranker(plain_model(), 0);
  const std::vector<int64_t> films = {5, 0, 1, -7, 1, 1, 5, 0, -7, 5, 0, 1};
  std::vector<int64_t> swapped = films;
  std::swap_ranges(swapped.begin(), swapped.begin() + 4, swapped.begin() + 4);
  const auto group_shares = [&](const std::vector<int64_t>& history) {
    const std::vector<float> shares = explain(ranker, plain_request(history), 0);
    std::vector<double> groups;
    for (size_t g = 0; g < 3; ++g) {
      groups.push_back(std::accumulate(shares.begin() + static_cast<int64_t>(4 * g),
                                       shares.begin() + static_cast<int64_t>(4 * g + 4), 0.0));
    }
    return groups;
  };
  const std::vector<double> before = group_shares(films);
  const std::vector<double> after = group_shares(swapped);
  EXPECT_GT(std::abs(before[0] - before[1]), 0.01) << "the test needs groups that differ";
  EXPECT_NEAR(after[0], before[1], 1e-5);
  EXPECT_NEAR(after[1], before[0], 1e-5);
  EXPECT_NEAR(after[2], before[2], 1e-5);
}

TEST(Explain, OfAnEmptyHistoryIsEmpty) {
  const Config config = testing::film_config();
  Ranker ranker(random_model(config, 3), 0);
  EXPECT_TRUE(explain(ranker, RankingRequest(config, 0, 2, 1), 1).empty());
}

TEST(Explain, RejectsWhatIsNotThere) {
  const Config config = testing::film_config();
  Ranker ranker(random_model(config, 3), 0);
  const RankingRequest request(config, 5, 2, 1);
  expect_error(Status::kInvalidArgument, "candidate must be in 0 … 1; got 2",
               [&] { explain(ranker, request, 2); });
  expect_error(Status::kInvalidArgument, "candidate must be in 0 … 1; got -1",
               [&] { explain(ranker, request, -1); });
  expect_error(Status::kInvalidArgument, "task must be in 0 … 0; got 1",
               [&] { explain(ranker, request, 0, 1); });
  expect_error(Status::kInvalidArgument, "needs the history",
               [&] { ranker.explain(request.with(CacheMode::kOnly, 1, 1), 0, 0, nullptr); });
}

}  // namespace
}  // namespace longer
