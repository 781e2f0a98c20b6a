// What must hold for every implementation behind the C ABI, whatever its insides. Letters as in the
// model's list of invariants: (a) … (m).
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "longer/c/longer.h"
#include "support/batch_edits.hpp"
#include "support/c_abi.hpp"
#include "support/compare.hpp"

namespace longer::testing {
namespace {

class Invariants : public CApiTest, public ::testing::WithParamInterface<ModelCase> {
 protected:
  const Config& config() const { return GetParam().config; }

  /// Histories of every kind with 3 candidates each.
  OwnedBatch requests(IdChoice choice = IdChoice::kAll) {
    const int64_t k = config().merge_factor;
    const int64_t queried = k * config().queries;
    BatchMaker maker(config(), test_seed(), choice);
    return maker.make({{0, 3},
                       {1, 3},
                       {k - 1, 3},
                       {k, 3},
                       {k + 1, 3},
                       {queried + k + 1, 3},
                       {config().max_history + 1, 3},
                       {2000, 3},
                       {0, 3}});
  }

  /// Probabilities by a ranker: scores [tasks, C].
  std::vector<float> rank(longer_ranker* ranker, OwnedBatch& batch, int64_t cache_mode) {
    longer_batch view = c_batch(batch);
    const longer_ranking_request request = {
        static_cast<int64_t>(sizeof(longer_ranking_request)), cache_mode, 42, 1, &view, 0};
    std::vector<float> scores(config().tasks.size() * static_cast<size_t>(batch.num_candidates()),
                              -1.0F);
    longer_error error{};
    EXPECT_EQ(longer_ranker_rank(ranker, &request, scores.data(),
                                 static_cast<int64_t>(scores.size()), &error),
              LONGER_OK)
        << error.message;
    return scores;
  }

  RankerHandle create_ranker(const longer_model* model) {
    longer_error error{};
    const longer_ranker_options options = {static_cast<int64_t>(sizeof(longer_ranker_options)),
                                           1 << 24, 0, 0};
    RankerHandle ranker(longer_ranker_create(model, &options, &error));
    EXPECT_NE(ranker, nullptr) << error.message;
    return ranker;
  }

  /// Final rows that all candidates of a single request share: CLS, in CACHEABLE user tokens too.
  std::vector<float> request_rows(longer_ranker* ranker, OwnedBatch& batch) {
    longer_batch view = c_batch(batch);
    const longer_ranking_request request = {
        static_cast<int64_t>(sizeof(longer_ranking_request)), LONGER_CACHE_NONE, 0, 0, &view, 0};
    std::vector<float> globals(
        static_cast<size_t>(config().num_request_rows() * config().model_width()));
    std::vector<float> candidates(static_cast<size_t>(
        batch.num_candidates() * config().rows_per_candidate() * config().model_width()));
    longer_error error{};
    EXPECT_EQ(longer_ranker_represent(ranker, &request, globals.data(),
                                      static_cast<int64_t>(globals.size()), candidates.data(),
                                      static_cast<int64_t>(candidates.size()), &error),
              LONGER_OK)
        << error.message;
    return globals;
  }

  std::string trace() const { return "LONGER_TEST_SEED=" + std::to_string(test_seed()); }
};

TEST_P(Invariants, InvariantAOtherCandidatesChangeNothing) {
  SCOPED_TRACE(trace());
  const ModelHandle model = trained_model(config());
  const TrainerHandle trainer = create_trainer(model.get());
  const RankerHandle ranker = create_ranker(model.get());
  const OwnedBatch before = requests();
  OwnedBatch after = before;
  // Every request's middle candidate becomes another one.
  for (size_t f = 0; f < config().candidate_features.size(); ++f) {
    for (int64_t b = 0; b < before.num_requests(); ++b) {
      change_row(after.candidate_columns[f], 3 * b + 1);
    }
  }
  std::vector<Pick> others;
  std::vector<Pick> changed;
  for (int64_t b = 0; b < before.num_requests(); ++b) {
    others.push_back({b, {0, 2}});
    changed.push_back({b, {1}});
  }
  const std::vector<float> scores_before = predict(trainer.get(), config(), before);
  const std::vector<float> scores_after = predict(trainer.get(), config(), after);
  EXPECT_TRUE(are_same_bits(pick_scores(config(), after, scores_after, others),
                            pick_scores(config(), before, scores_before, others)));
  EXPECT_NE(pick_scores(config(), after, scores_after, changed),
            pick_scores(config(), before, scores_before, changed));
  for (int64_t b = 0; b < before.num_requests(); ++b) {
    OwnedBatch one_before = pick_requests(config(), before, {{b, {0, 1, 2}}});
    OwnedBatch one_after = pick_requests(config(), after, {{b, {0, 1, 2}}});
    EXPECT_TRUE(are_same_bits(request_rows(ranker.get(), one_after),
                              request_rows(ranker.get(), one_before)));
  }
}

TEST_P(Invariants, InvariantCCachedScoresEqualFullScores) {
  SCOPED_TRACE(trace());
  const ModelHandle model = trained_model(config());
  const TrainerHandle trainer = create_trainer(model.get());
  const OwnedBatch all = requests();
  const std::vector<float> expected = predict(trainer.get(), config(), all);
  for (int64_t b = 0; b < all.num_requests(); ++b) {
    SCOPED_TRACE("request " + std::to_string(b));
    const RankerHandle ranker = create_ranker(model.get());
    OwnedBatch one = pick_requests(config(), all, {{b, {0, 1, 2}}});
    const std::vector<float> full = pick_scores(config(), all, expected, {{b, {0, 1, 2}}});
    EXPECT_TRUE(are_same_bits(rank(ranker.get(), one, LONGER_CACHE_NONE), full));
    EXPECT_TRUE(are_same_bits(rank(ranker.get(), one, LONGER_CACHE_USE), full));
    EXPECT_TRUE(are_same_bits(rank(ranker.get(), one, LONGER_CACHE_USE), full));
    longer_ranker_stats stats{};
    stats.struct_bytes = static_cast<int64_t>(sizeof(stats));
    longer_error error{};
    ASSERT_EQ(longer_ranker_get_stats(ranker.get(), &stats, &error), LONGER_OK) << error.message;
    EXPECT_EQ(stats.cache_hits, 1);
    EXPECT_EQ(stats.cache_misses, 1);

    OwnedBatch without_history = one;
    without_history.event_offsets = {0, 0};
    without_history.event_columns = pick_rows(without_history.event_columns, {});
    without_history.event_times.clear();
    EXPECT_TRUE(are_same_bits(rank(ranker.get(), without_history, LONGER_CACHE_ONLY), full));
  }
}

TEST_P(Invariants, InvariantEEmptyHistoriesScoreFinitely) {
  SCOPED_TRACE(trace());
  const ModelHandle model = trained_model(config());
  const TrainerHandle trainer = create_trainer(model.get());
  BatchMaker maker(config(), test_seed());
  for (float score : predict(trainer.get(), config(), maker.make({{0, 5}, {0, 0}, {0, 1}}))) {
    EXPECT_GT(score, 0.0F);
    EXPECT_LT(score, 1.0F);
  }
  // Training on nothing but empty histories keeps every weight finite.
  train(trainer.get(), maker.make({{0, 5}, {0, 0}, {0, 1}}), 2);
  longer_error error{};
  const ModelHandle after(longer_trainer_model(trainer.get(), &error));
  for (const auto& [name, values] : model_values(after.get(), config()).values) {
    for (float value : values) ASSERT_TRUE(std::isfinite(value)) << name;
  }
}

TEST_P(Invariants, InvariantGLayersHave12DD13DParameters) {
  const ModelHandle model = create_model(config());
  const int64_t width = config().model_width();
  int64_t total = 0;
  std::map<std::string, int64_t> layers;
  for (const ParameterShape& p : describe_parameters(model.get())) {
    total += p.size;
    if (p.name.rfind("layers.", 0) == 0) layers[p.name.substr(0, p.name.find('.', 7))] += p.size;
  }
  ASSERT_EQ(static_cast<int64_t>(layers.size()), 1 + config().self_layers);
  for (const auto& [name, size] : layers) EXPECT_EQ(size, 12 * width * width + 13 * width) << name;
  EXPECT_EQ(longer_model_num_parameters(model.get()), total);
}

TEST_P(Invariants, InvariantHRequestsScoreTheSameAloneAndInAnyBatch) {
  SCOPED_TRACE(trace());
  const ModelHandle model = trained_model(config());
  const TrainerHandle trainer = create_trainer(model.get());
  const OwnedBatch all = requests();
  const std::vector<float> expected = predict(trainer.get(), config(), all);
  const std::vector<int64_t> three = {0, 1, 2};
  std::vector<Pick> backwards;
  std::vector<Pick> doubled;
  for (int64_t b = all.num_requests() - 1; b >= 0; --b) {
    const std::vector<Pick> alone = {{b, three}};
    EXPECT_TRUE(are_same_bits(predict(trainer.get(), config(), pick_requests(config(), all, alone)),
                              pick_scores(config(), all, expected, alone)))
        << "request " << b;
    backwards.push_back({b, three});
    doubled.push_back({b, three});
    doubled.push_back({b, three});
  }
  for (const std::vector<Pick>& picks : {backwards, doubled}) {
    EXPECT_TRUE(are_same_bits(predict(trainer.get(), config(), pick_requests(config(), all, picks)),
                              pick_scores(config(), all, expected, picks)));
  }
}

TEST_P(Invariants, InvariantICandidatesTogetherEqualCandidatesApart) {
  SCOPED_TRACE(trace());
  const ModelHandle model = trained_model(config());
  const TrainerHandle trainer = create_trainer(model.get());
  BatchMaker maker(config(), test_seed());
  const int64_t k = config().merge_factor;
  const OwnedBatch all =
      maker.make({{3 * k + 1, 40}, {0, 9}, {1, 2}, {k - 1, 1}, {k, 0}, {k + 1, 3}, {2000, 2}});
  const std::vector<float> together = predict(trainer.get(), config(), all);
  for (int64_t b = 0; b < all.num_requests(); ++b) {
    for (int64_t candidate : all_candidates(all, b)) {
      const std::vector<Pick> apart = {{b, {candidate}}};
      EXPECT_TRUE(
          are_same_bits(predict(trainer.get(), config(), pick_requests(config(), all, apart)),
                        pick_scores(config(), all, together, apart)))
          << "request " << b << ", candidate " << candidate;
    }
  }
}

TEST_P(Invariants, InvariantJPackedGradientsEqualUnpackedGradients) {
  SCOPED_TRACE(trace());
  const ModelHandle model = trained_model(config());
  const TrainerHandle trainer = create_trainer(model.get());
  const OwnedBatch packed = requests(IdChoice::kSettled);
  std::vector<Pick> singles;
  for (int64_t b = 0; b < packed.num_requests(); ++b) {
    for (int64_t i = 0; i < 3; ++i) singles.push_back({b, {i}});
  }
  const auto [packed_loss, packed_gradients] =
      gradients_of(trainer.get(), model.get(), config(), packed);
  const auto [loss, gradients] =
      gradients_of(trainer.get(), model.get(), config(), pick_requests(config(), packed, singles));
  EXPECT_NEAR(packed_loss, loss, 1e-7 * loss);
  EXPECT_EQ(packed_gradients.ids, gradients.ids);
  ASSERT_EQ(packed_gradients.values.size(), gradients.values.size());
  for (const auto& [name, values] : gradients.values) {
    float largest = 0.0F;
    for (float value : values) largest = std::max(largest, std::abs(value));
    // The same sums in another order: float rounding of their largest terms.
    const Tolerance allowed = {1e-5 * static_cast<double>(largest) + 1e-8, 0.0};
    EXPECT_TRUE(are_near(packed_gradients.values.at(name), values, allowed)) << name;
  }
}

NamedValues values_after_training(const Config& c, int32_t num_threads) {
  const ModelHandle model = create_model(c, 9, num_threads);
  const TrainerHandle trainer = create_trainer(model.get(), num_threads);
  const int64_t k = c.merge_factor;
  BatchMaker maker(c, test_seed());
  for (int step = 0; step < 3; ++step) {
    std::vector<RequestShape> shapes = {{c.max_history, 5}, {0, 1}, {1, 2}, {2000, 70}};
    for (int64_t i = 0; i < 20; ++i) shapes.push_back({i * k + i % 3, i % 7});
    train(trainer.get(), maker.make(shapes), 1);
  }
  longer_error error{};
  const ModelHandle after(longer_trainer_model(trainer.get(), &error));
  return model_values(after.get(), c);
}

TEST_P(Invariants, InvariantMThreadsAndRunsLeaveTheSameBits) {
  SCOPED_TRACE(trace());
  const NamedValues expected = values_after_training(config(), 1);
  for (int32_t num_threads : {1, 2, 7}) {
    const NamedValues got = values_after_training(config(), num_threads);
    EXPECT_EQ(got.ids, expected.ids);
    for (const auto& [name, values] : expected.values) {
      EXPECT_TRUE(are_same_bits(got.values.at(name), values))
          << name << ", " << num_threads << " threads";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Invariants, ::testing::ValuesIn(model_cases()), model_case_name);

}  // namespace
}  // namespace longer::testing
