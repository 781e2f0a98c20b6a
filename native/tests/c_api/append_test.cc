// Appending through the C ABI.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "longer/c/longer.h"
#include "serving/user_history.hpp"
#include "support/c_abi.hpp"
#include "support/compare.hpp"

namespace longer::testing {
namespace {

constexpr int64_t kUser = 42;

Config append_config() {
  Config config = film_config();
  config.anchor = Anchor::kOldest;
  config.time = TimeMode::kEventRelative;
  return config;
}

class AppendApi : public CApiTest {
 protected:
  RankerHandle create_ranker(const Config& config) {
    const ModelHandle model = trained_model(config);
    const longer_ranker_options options = {static_cast<int64_t>(sizeof(longer_ranker_options)),
                                           1 << 24, 0, 0};
    longer_error error{};
    RankerHandle ranker(longer_ranker_create(model.get(), &options, &error));
    EXPECT_NE(ranker, nullptr) << error.message;
    return ranker;
  }

  /// Scores of the cached history of a version; empty when there is none.
  std::vector<float> rank(longer_ranker* ranker, RankingRequest request, int64_t mode,
                          int64_t version) {
    if (mode == LONGER_CACHE_ONLY) {
      request.columns.event_offsets = {0, 0};
      request.columns.event_columns = pick_rows(request.columns.event_columns, {});
      request.columns.event_times.clear();
    }
    longer_batch batch = c_batch(request.columns);
    const longer_ranking_request ranking = {
        static_cast<int64_t>(sizeof(longer_ranking_request)), mode, kUser, version, &batch, 0};
    std::vector<float> scores = request.buffer();
    longer_error error{};
    const longer_status status = longer_ranker_rank(ranker, &ranking, scores.data(),
                                                    static_cast<int64_t>(scores.size()), &error);
    if (status == LONGER_CACHE_MISS) return {};
    EXPECT_EQ(status, LONGER_OK) << error.message;
    return scores;
  }

  longer_status append(longer_ranker* ranker, const RankingRequest& events, int64_t version,
                       int64_t new_version, int32_t* outcome, longer_error* error) {
    longer_batch batch = c_batch(events.columns);
    const longer_ranking_request request = {static_cast<int64_t>(sizeof(longer_ranking_request)),
                                            LONGER_CACHE_USE,
                                            kUser,
                                            version,
                                            &batch,
                                            new_version};
    return longer_ranker_append(ranker, &request, outcome, error);
  }

  static longer_ranker_stats stats(longer_ranker* ranker) {
    longer_ranker_stats stats{};
    stats.struct_bytes = sizeof(stats);
    longer_error error{};
    EXPECT_EQ(longer_ranker_get_stats(ranker, &stats, &error), LONGER_OK) << error.message;
    return stats;
  }
};

TEST_F(AppendApi, AppendedHistoriesScoreAsWholeOnes) {
  const Config config = append_config();
  const RankerHandle ranker = create_ranker(config);
  const UserHistory user(config, 25, 3, 1);
  rank(ranker.get(), user.until(9), LONGER_CACHE_USE, 1);
  int64_t version = 1;
  for (int64_t count = 9; count < 25; count += 4, ++version) {
    int32_t outcome = 0;
    longer_error error{};
    ASSERT_EQ(
        append(ranker.get(), user.events(count, count + 4), version, version + 1, &outcome, &error),
        LONGER_OK)
        << error.message;
    ASSERT_EQ(outcome, 1);
    const RankingRequest now = user.until(count + 4);
    EXPECT_TRUE(are_same_bits(rank(ranker.get(), now, LONGER_CACHE_ONLY, version + 1),
                              rank(ranker.get(), now, LONGER_CACHE_NONE, 0)));
  }
  EXPECT_EQ(stats(ranker.get()).cache_appended, 4);
  EXPECT_EQ(stats(ranker.get()).cache_rebuilt, 0);
}

TEST_F(AppendApi, MissesChangeNothing) {
  const Config config = append_config();
  const RankerHandle ranker = create_ranker(config);
  const UserHistory user(config, config.max_history + 1, 2, 1);
  const auto status_of = [&](int64_t begin, int64_t end, int64_t version) {
    int32_t outcome = -1;
    longer_error error{};
    const longer_status status =
        append(ranker.get(), user.events(begin, end), version, version + 1, &outcome, &error);
    EXPECT_EQ(outcome, 0);
    return status;
  };
  EXPECT_EQ(status_of(9, 10, 1), LONGER_CACHE_MISS) << "nothing is cached";
  rank(ranker.get(), user.until(9), LONGER_CACHE_USE, 1);
  EXPECT_EQ(status_of(9, 10, 7), LONGER_CACHE_MISS) << "another version";
  EXPECT_EQ(status_of(10, 11, 1), LONGER_CACHE_MISS) << "an event is missing";
  EXPECT_EQ(status_of(9, config.max_history + 1, 1), LONGER_CACHE_MISS) << "the window moves";
  EXPECT_EQ(stats(ranker.get()).cache_appended, 0);
  EXPECT_EQ(stats(ranker.get()).cache_rebuilt, 1);
  EXPECT_TRUE(are_same_bits(rank(ranker.get(), user.until(9), LONGER_CACHE_ONLY, 1),
                            rank(ranker.get(), user.until(9), LONGER_CACHE_NONE, 0)));
}

TEST_F(AppendApi, BadArgumentsAreNamed) {
  const Config config = append_config();
  const RankerHandle ranker = create_ranker(config);
  const UserHistory user(config, 12, 2, 1);
  rank(ranker.get(), user.until(9), LONGER_CACHE_USE, 1);
  const auto refused = [&](const std::string& part, longer_ranker* of, longer_ranking_request* r,
                           int32_t* outcome) {
    longer_error error{};
    EXPECT_EQ(longer_ranker_append(of, r, outcome, &error), LONGER_INVALID_ARGUMENT);
    EXPECT_EQ(error.code, LONGER_INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.message).find(part), std::string::npos) << error.message;
  };
  const RankingRequest events = user.events(9, 12);
  longer_batch batch = c_batch(events.columns);
  const longer_ranking_request good = {
      static_cast<int64_t>(sizeof(longer_ranking_request)), LONGER_CACHE_USE, kUser, 1, &batch, 2};
  int32_t outcome = 0;
  longer_ranking_request bad = good;
  refused("ranker", nullptr, &bad, &outcome);
  refused("request", ranker.get(), nullptr, &outcome);
  refused("outcome", ranker.get(), &bad, nullptr);
  bad.struct_bytes = 3;
  refused("struct_bytes", ranker.get(), &bad, &outcome);
  bad = good;
  bad.batch = nullptr;
  refused("batch", ranker.get(), &bad, &outcome);
  const RankingRequest with_candidates = user.until(12);
  longer_batch candidates = c_batch(with_candidates.columns);
  bad.batch = &candidates;
  refused("candidates", ranker.get(), &bad, &outcome);
  longer_error error{};
  EXPECT_EQ(longer_ranker_append(ranker.get(), &good, &outcome, &error), LONGER_OK)
      << error.message;
  EXPECT_EQ(outcome, 1) << "nothing was changed";
}

}  // namespace
}  // namespace longer::testing
