#pragma once
// The case table: configurations × ragged batches. Correctness, gradients, bits and bad input all
// draw from it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "longer/config.hpp"
#include "support/covering_cases.hpp"
#include "support/owned_batch.hpp"

namespace longer::testing {

/// A configuration under test. Tiny ones are small enough for central differences.
struct ModelCase {
  std::string name;
  Config config;
  bool is_tiny = true;
};

inline std::ostream& operator<<(std::ostream& out, const ModelCase& model_case) {
  return out << model_case.name;
}

/// Features of a small film service: a growable table shared by events and candidates, small dense
/// ones beside it.
inline Config film_config() {
  Config c;
  c.tables = {{"movie", 3, 0}, {"genre", 2, 5}, {"user", 2, 0}, {"hour", 2, 3}};
  c.event_features = {{"movie", "movie"}, {"genre", "genre"}};
  c.user_features = {{"user", "user"}};
  c.context_features = {{"hour", "hour"}};
  c.candidate_features = {{"movie", "movie"}, {"genre", "genre"}};
  c.tasks = {{"click", 1.0}};
  c.max_history = 30;
  c.event_width = 4;
  c.merge_factor = 4;
  c.inner_layers = 1;
  c.inner_heads = 2;
  c.heads = 2;
  c.queries = 3;
  c.self_layers = 1;
  c.cls_tokens = 1;
  c.time_buckets = 12;
  c.time_width = 3;
  return c;
}

inline std::vector<ModelCase> make_model_cases() {
  std::vector<ModelCase> cases;
  const auto add = [&cases](const std::string& name, bool is_tiny, const auto& change) {
    ModelCase model_case{name, film_config(), is_tiny};
    change(model_case.config);
    cases.push_back(model_case);
  };
  add("Film", true, [](Config&) {});
  add("OldestEventRelativeWithoutInner", true, [](Config& c) {
    c.anchor = Anchor::kOldest;
    c.time = TimeMode::kEventRelative;
    c.merge_factor = 2;
    c.event_width = 6;
    c.inner_layers = 0;
    c.heads = 3;
    c.cls_tokens = 0;
    c.self_layers = 0;
    c.queries = 4;
    c.query_block = 2;
  });
  add("OldestTimelessUnmerged", true, [](Config& c) {
    c.anchor = Anchor::kOldest;
    c.time = TimeMode::kNone;
    c.merge_factor = 1;
    c.event_width = 8;
    c.inner_layers = 0;
    c.cls_tokens = 2;
    c.self_layers = 3;
    c.queries = 5;
    c.query_block = 4;
  });
  add("NewestEventRelativeTwoInner", true, [](Config& c) {
    c.time = TimeMode::kEventRelative;
    c.merge_factor = 3;
    c.event_width = 6;
    c.inner_layers = 2;
    c.inner_heads = 3;
    c.max_history = 20;
    c.queries = 2;
  });
  add("OldestRequestRelativeTwoTasks", true, [](Config& c) {
    c.anchor = Anchor::kOldest;
    c.queries = 2;
    c.query_block = 16;
    c.cls_tokens = 2;
    c.tasks = {{"click", 1.0, 0.1}, {"like", 0.25}};
  });
  add("OneDenseTable", true, [](Config& c) {
    c.tables = {{"item", 4, 6}};
    c.event_features = {{"item", "item"}};
    c.user_features.clear();
    c.context_features.clear();
    c.candidate_features = {{"item", "item"}, {"rival", "item"}};
    c.time = TimeMode::kNone;
    c.merge_factor = 2;
    c.cls_tokens = 0;
    c.self_layers = 0;
  });
  add("OneQueryOneHead", true, [](Config& c) {
    c.queries = 1;
    c.self_layers = 2;
    c.heads = 1;
    c.inner_heads = 1;
    c.time_buckets = 1;
    c.user_features.clear();
  });
  add("EveryKindOfFeature", true, [](Config& c) {
    c.tables.push_back({"word", 3, 0});
    const FeatureConfig price = {"price", "", FeatureKind::kNumeric, 3.0, 2.0};
    const FeatureConfig words = {"words", "word", FeatureKind::kManyValued};
    c.event_features = {{"movie", "movie"}, price, words, {"genre", "genre"}};
    c.user_features = {{"user", "user"},
                       {"age", "", FeatureKind::kNumeric, 40.0, 12.5},
                       {"interests", "genre", FeatureKind::kManyValued}};
    c.context_features.push_back({"temperature", "", FeatureKind::kNumeric});
    c.candidate_features = {price, {"movie", "movie"}, words, {"rival", "movie"}};
    c.inner_layers = 0;
    c.merge_factor = 2;
    c.event_width = 6;
  });
  add("NumbersAlone", true, [](Config& c) {
    c.tables = {{"item", 2, 6}};
    c.event_features = {{"price", "", FeatureKind::kNumeric, -1.0, 0.5}};
    c.user_features = {{"items", "item", FeatureKind::kManyValued}};
    c.context_features.clear();
    c.candidate_features = {{"price", "", FeatureKind::kNumeric, -1.0, 0.5}};
    c.time = TimeMode::kNone;
  });
  add("Default", false, [](Config& c) {
    const Config defaults;
    c.max_history = 200;
    c.event_width = defaults.event_width;
    c.merge_factor = defaults.merge_factor;
    c.inner_heads = defaults.inner_heads;
    c.heads = defaults.heads;
    c.queries = defaults.queries;
    c.time_buckets = defaults.time_buckets;
    c.time_width = defaults.time_width;
  });
  add("ManyHeadsOddWidths", false, [](Config& c) {
    c.tables = {{"movie", 11, 0}, {"genre", 5, 5}, {"user", 7, 0}, {"hour", 1, 3}};
    c.anchor = Anchor::kOldest;
    c.time = TimeMode::kEventRelative;
    c.max_history = 150;
    c.merge_factor = 8;
    c.event_width = 8;
    c.inner_heads = 8;
    c.heads = 8;
    c.queries = 10;
    c.query_block = 4;
    c.cls_tokens = 3;
  });
  for (const CoveringCase& covering : covering_cases(film_config()))
    cases.push_back({covering.name, covering.config, covering.config.model_width() <= 32});
  return cases;
}

/// Configurations chosen by hand, then a grid that covers every pair of options. Made once: every
/// test is a process of its own and draws from them several times.
inline const std::vector<ModelCase>& model_cases() {
  static const std::vector<ModelCase> cases = make_model_cases();
  return cases;
}

inline std::vector<ModelCase> tiny_model_cases() {
  std::vector<ModelCase> tiny;
  for (const ModelCase& model_case : model_cases()) {
    if (model_case.is_tiny) tiny.push_back(model_case);
  }
  return tiny;
}

/// Names a parameterised test after its case.
inline std::string model_case_name(const ::testing::TestParamInfo<ModelCase>& info) {
  return info.param.name;
}

struct RequestShape {
  int64_t num_events = 0;
  int64_t num_candidates = 0;
};

struct BatchCase {
  std::string name;
  std::vector<RequestShape> requests;
};

/// Batches with empty requests first, in the middle and last, and with windows around every edge.
inline std::vector<BatchCase> batch_cases(const Config& c) {
  const int64_t k = c.merge_factor;
  const int64_t full = c.max_history;
  const int64_t queried = k * c.queries;
  return {
      {"NoRequest", {}},
      {"OneEventOneCandidate", {{1, 1}}},
      {"NoEvent", {{0, 3}, {0, 0}, {0, 1}}},
      {"NoCandidate", {{k, 0}, {2 * k + 1, 0}}},
      {"EmptyFirst", {{0, 0}, {k - 1, 2}, {k, 1}, {k + 1, 3}}},
      {"EmptyMiddle", {{2 * k, 1}, {0, 2}, {0, 0}, {3 * k - 1, 2}}},
      {"EmptyLast", {{queried, 2}, {queried + 1, 1}, {queried + k, 5}, {0, 0}}},
      {"AroundTheWindow",
       {{full - 1, 1}, {full, 2}, {full + 1, 1}, {full + k, 1}, {2 * full + 3, 2}}},
  };
}

/// One request of 2000 events and one of many candidates.
inline BatchCase long_batch_case() { return {"Long", {{2000, 3}, {7, 70}}}; }

/// Ids of growable tables: rows exist for the first kind and not for the second.
inline const std::vector<int64_t>& known_ids() {
  static const std::vector<int64_t> ids = {
      std::numeric_limits<int64_t>::min(), -7, 0, 1, 5, int64_t{1} << 40,
      std::numeric_limits<int64_t>::max()};
  return ids;
}
inline const std::vector<int64_t>& unknown_ids() {
  static const std::vector<int64_t> ids = {-1, 2, 123456789012345};
  return ids;
}

/// kSettled: ids without a row only in tables whose admission keeps them without one, so that
/// training inserts nothing.
enum class IdChoice { kAll, kSettled };

/// The seed of random batches: LONGER_TEST_SEED, or 1. Tests print it when they fail.
inline uint64_t test_seed() {
  const char* text = std::getenv("LONGER_TEST_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

/// Draws columns for the given requests: ids in and out of every table's range, ties in time,
/// histories with and without a first ordinal, labels 0, 1, between and missing, weights with
/// zeros.
class BatchMaker {
 public:
  BatchMaker(const Config& config, uint64_t seed, IdChoice choice = IdChoice::kAll)
      : config_(config), choice_(choice), random_(seed) {}

  OwnedBatch make(const std::vector<RequestShape>& requests) {
    OwnedBatch batch;
    for (const RequestShape& request : requests) {
      batch.event_offsets.push_back(batch.num_events() + request.num_events);
      batch.candidate_offsets.push_back(batch.num_candidates() + request.num_candidates);
      int64_t time = 1'600'000'000 + below(1000);
      for (int64_t i = 0; i < request.num_events; ++i) {
        time += below(2) * (int64_t{1} << below(20));
        batch.event_times.push_back(time);
      }
      batch.reference_times.push_back(time + below(2) * (int64_t{1} << below(20)));
      batch.first_ordinals.push_back(below(2) * below(3 * config_.max_history));
    }
    draw_columns(config_.event_features, batch.num_events(), batch.event_columns);
    draw_columns(config_.user_features, batch.num_requests(), batch.user_columns);
    draw_columns(config_.context_features, batch.num_requests(), batch.user_columns);
    draw_columns(config_.candidate_features, batch.num_candidates(), batch.candidate_columns);
    draw_labels(batch);
    return batch;
  }

 private:
  int64_t below(int64_t end) { return std::uniform_int_distribution<int64_t>(0, end - 1)(random_); }

  int64_t draw_id(const TableConfig& table) {
    if (table.rows > 0) return below(table.rows + 3) - 1;
    const auto known = static_cast<int64_t>(known_ids().size());
    const bool only_known = choice_ == IdChoice::kSettled && table.admission == 1;
    const auto all = only_known ? known : known + static_cast<int64_t>(unknown_ids().size());
    const auto i = below(all);
    return i < known ? known_ids()[static_cast<size_t>(i)]
                     : unknown_ids()[static_cast<size_t>(i - known)];
  }

  /// In configurations with features of several kinds, ids of every categorical column but the
  /// first are missing here and there.
  void draw_columns(const std::vector<FeatureConfig>& features, int64_t count,
                    OwnedColumns& columns) {
    for (size_t f = 0; f < features.size(); ++f)
      columns.push_back(draw_column(features[f], count, f > 0 && has_several_kinds_));
  }

  OwnedColumn draw_column(const FeatureConfig& feature, int64_t count, bool may_miss) {
    OwnedColumn column;
    if (feature.kind == FeatureKind::kNumeric) {
      std::normal_distribution<double> normal(feature.mean, feature.scale);
      for (int64_t i = 0; i < count; ++i)
        column.numbers.push_back(below(5) == 0 ? NAN : static_cast<float>(normal(random_)));
      return column;
    }
    const auto& table = config_.tables[static_cast<size_t>(config_.table_index(feature.table))];
    const bool is_many = feature.kind == FeatureKind::kManyValued;
    if (is_many) column.offsets.push_back(0);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t values = is_many ? below(4) : 1;
      for (int64_t v = 0; v < values; ++v) column.ids.push_back(draw_id(table));
      if (is_many) {
        column.offsets.push_back(static_cast<int64_t>(column.ids.size()));
      } else if (may_miss) {
        column.push_valid(static_cast<size_t>(i), below(5) > 0);
      }
    }
    return column;
  }

  void draw_labels(OwnedBatch& batch) {
    constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> labels = {0.0F, 1.0F, 0.0F, 1.0F, 0.3F, kMissing};
    const std::vector<float> weights = {1.0F, 1.0F, 0.5F, 2.0F, 0.0F};
    const auto draw = [this](const std::vector<float>& from) {
      return from[static_cast<size_t>(below(static_cast<int64_t>(from.size())))];
    };
    const auto tasks = static_cast<int64_t>(config_.tasks.size());
    for (int64_t i = 0; i < tasks * batch.num_candidates(); ++i)
      batch.labels.push_back(draw(labels));
    for (int64_t i = 0; i < batch.num_candidates(); ++i) batch.weights.push_back(draw(weights));
  }

  static bool has_several_kinds(const Config& config) {
    const auto is_other = [](const FeatureConfig& f) {
      return f.kind != FeatureKind::kCategorical;
    };
    const auto any = [&is_other](const std::vector<FeatureConfig>& features) {
      return std::any_of(features.begin(), features.end(), is_other);
    };
    return any(config.event_features) || any(config.user_features) ||
           any(config.context_features) || any(config.candidate_features);
  }

  const Config& config_;
  bool has_several_kinds_ = has_several_kinds(config_);
  IdChoice choice_;
  std::mt19937_64 random_;
};

}  // namespace longer::testing
