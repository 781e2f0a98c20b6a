#pragma once
// Configurations that cover every pair of levels of the model's options (a covering array of
// strength two, chosen greedily; the same on every machine).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "longer/config.hpp"

namespace longer::testing {

struct Level {
  std::string name;  // "" where it says nothing
  std::function<void(Config&)> apply;
};
using Factor = std::vector<Level>;

/// Numeric features wherever features may stand.
inline void add_numbers(Config& c) {
  const FeatureConfig price = {"price", "", FeatureKind::kNumeric, 3.0, 2.0};
  c.event_features.push_back(price);
  c.user_features.push_back({"age", "", FeatureKind::kNumeric, 40.0, 12.5});
  c.context_features.push_back({"temperature", "", FeatureKind::kNumeric});
  c.candidate_features.push_back(price);
}

/// Many-valued features wherever features may stand, of growable and of dense tables.
inline void add_many_valued(Config& c) {
  c.event_features.push_back({"words", "movie", FeatureKind::kManyValued});
  c.user_features.push_back({"interests", "genre", FeatureKind::kManyValued});
  c.context_features.push_back({"shelves", "genre", FeatureKind::kManyValued});
  c.candidate_features.push_back({"rivals", "movie", FeatureKind::kManyValued});
}

/// Ids without a row stay without one, however often training sees them.
inline void admit_nothing(Config& c) {
  for (TableConfig& table : c.tables) {
    if (table.rows == 0) table.admission = 1 << 20;
  }
}

/// The options, each with its levels. Widths stay small enough for central differences.
inline std::vector<Factor> option_factors() {
  const auto merge = [](int64_t factor, int64_t width) {
    return Level{"Merge" + std::to_string(factor), [=](Config& c) {
                   c.merge_factor = factor;
                   c.event_width = width;
                 }};
  };
  const auto inner = [](int64_t layers, int64_t heads) {
    return Level{"Inner" + std::to_string(layers), [=](Config& c) {
                   c.inner_layers = layers;
                   c.inner_heads = heads;
                 }};
  };
  const auto queries = [](const char* name, QueryStrategy strategy, int64_t block) {
    return Level{name, [=](Config& c) {
                   c.query_strategy = strategy;
                   c.query_block = block;
                 }};
  };
  const auto tokens = [](const char* name, std::vector<TokenConfig> user,
                         std::vector<TokenConfig> candidate) {
    return Level{name, [=](Config& c) {
                   c.global_tokens = user;
                   c.candidate_tokens = candidate;
                 }};
  };
  const TokenConfig user = {"user", {}};
  const TokenConfig candidate = {"candidate", {}};
  return {
      {merge(1, 8), merge(2, 4), merge(4, 4), merge(8, 2), merge(16, 2)},
      {inner(1, 2), inner(0, 1), inner(2, 1), inner(3, 2)},
      {queries("Recent", QueryStrategy::kRecent, 1), queries("Blocks", QueryStrategy::kRecent, 16),
       queries("Uniform", QueryStrategy::kUniform, 1),
       queries("Mixed", QueryStrategy::kRecentAndUniform, 1),
       queries("Learned", QueryStrategy::kLearnable, 1)},
      {{"Few", [](Config& c) { c.queries = 3; }},
       {"One", [](Config& c) { c.queries = 1; }},
       {"Many", [](Config& c) { c.queries = 6; }}},
      {{"Cacheable", [](Config& c) { c.global_visibility = GlobalVisibility::kCacheable; }},
       {"Strict", [](Config& c) { c.global_visibility = GlobalVisibility::kStrict; }},
       {"Full", [](Config& c) { c.global_visibility = GlobalVisibility::kFull; }}},
      {{"Globals", [](Config& c) { c.head = Head::kGlobals; }},
       {"All", [](Config& c) { c.head = Head::kAll; }},
       {"Pool", [](Config& c) { c.head = Head::kGlobalsAndPool; }}},
      {tokens("", {user}, {candidate}),
       tokens("NoUser", {}, {{"film", {"movie"}}, {"kind", {"genre", "movie"}}}),
       tokens("TwoUsers", {{"who", {"user"}}, {"when", {"hour", "user"}}}, {candidate}),
       tokens("Three", {{"hour", {"hour"}}}, {{"a", {"genre"}}, {"b", {"movie"}}, {"c", {}}})},
      {{"Cls1", [](Config& c) { c.cls_tokens = 1; }},
       {"Cls0", [](Config& c) { c.cls_tokens = 0; }},
       {"Cls3", [](Config& c) { c.cls_tokens = 3; }}},
      {{"Self1", [](Config& c) { c.self_layers = 1; }},
       {"Self0", [](Config& c) { c.self_layers = 0; }},
       {"Self2", [](Config& c) { c.self_layers = 2; }}},
      {{"Newest", [](Config& c) { c.anchor = Anchor::kNewest; }},
       {"Oldest", [](Config& c) { c.anchor = Anchor::kOldest; }}},
      {{"", [](Config& c) { c.time = TimeMode::kRequestRelative; }},
       {"Gaps", [](Config& c) { c.time = TimeMode::kEventRelative; }},
       {"Timeless", [](Config& c) { c.time = TimeMode::kNone; }}},
      {{"", [](Config& c) { c.position = PositionMode::kLearned; }},
       {"Placeless", [](Config& c) { c.position = PositionMode::kNone; }}},
      {{"", [](Config& c) { c.heads = 2; }},
       {"Heads1", [](Config& c) { c.heads = 1; }},
       {"Heads4", [](Config& c) { c.heads = 4; }}},
      {{"", [](Config&) {}},
       {"TwoTasks",
        [](Config& c) {
          c.tasks = {{"click", 1.0, 0.1}, {"like", 0.25}};
        }}},
      {{"", [](Config&) {}}, {"Rare", admit_nothing}},
      {{"", [](Config&) {}},
       {"Numbers", add_numbers},
       {"Many", add_many_valued},
       {"Kinds",
        [](Config& c) {
          add_numbers(c);
          add_many_valued(c);
        }}},
  };
}

/// Rows of levels, one per factor, in which every pair of levels of two factors stands together at
/// least once.
inline std::vector<std::vector<size_t>> covering_rows(const std::vector<Factor>& factors) {
  using Pair = std::tuple<size_t, size_t, size_t, size_t>;  // factor, level, later factor, level
  std::set<Pair> missing;
  for (size_t f = 0; f < factors.size(); ++f) {
    for (size_t g = f + 1; g < factors.size(); ++g) {
      for (size_t a = 0; a < factors[f].size(); ++a) {
        for (size_t b = 0; b < factors[g].size(); ++b) missing.insert({f, a, g, b});
      }
    }
  }
  std::vector<std::vector<size_t>> rows;
  while (!missing.empty()) {
    constexpr size_t kOpen = SIZE_MAX;
    std::vector<size_t> row(factors.size(), kOpen);
    const auto [first, first_level, second, second_level] = *missing.begin();
    row[first] = first_level;
    row[second] = second_level;
    const auto is_missing = [&](size_t f, size_t a, size_t g, size_t b) {
      return f < g ? missing.count({f, a, g, b}) : missing.count({g, b, f, a});
    };
    for (size_t f = 0; f < factors.size(); ++f) {
      if (row[f] != kOpen) continue;
      size_t best = 0;
      size_t most = 0;
      for (size_t i = 0; i < factors[f].size(); ++i) {
        const size_t level = (rows.size() + i) % factors[f].size();  // ties go round
        size_t gain = 0;
        for (size_t g = 0; g < factors.size(); ++g) {
          if (g != f && row[g] != kOpen) gain += is_missing(f, level, g, row[g]);
        }
        if (i == 0 || gain > most) {
          best = level;
          most = gain;
        }
      }
      row[f] = best;
    }
    for (size_t f = 0; f < factors.size(); ++f) {
      for (size_t g = f + 1; g < factors.size(); ++g) missing.erase({f, row[f], g, row[g]});
    }
    rows.push_back(row);
  }
  return rows;
}

struct CoveringCase {
  std::string name;
  Config config;
};

/// The covering array over `base`.
inline std::vector<CoveringCase> covering_cases(const Config& base) {
  const std::vector<Factor> factors = option_factors();
  std::vector<CoveringCase> cases;
  for (const std::vector<size_t>& row : covering_rows(factors)) {
    CoveringCase covering{"Grid" + std::to_string(cases.size()), base};
    for (size_t f = 0; f < factors.size(); ++f) {
      covering.name += factors[f][row[f]].name;
      factors[f][row[f]].apply(covering.config);
    }
    // A norm over two values is a step function: floats say nothing about its gradient. Without
    // positions the values are closer to each other, and four are as bad.
    const int64_t least = covering.config.position == PositionMode::kNone ? 8 : 4;
    if (covering.config.inner_layers > 0)
      covering.config.event_width = std::max(least, covering.config.event_width);
    cases.push_back(covering);
  }
  return cases;
}

}  // namespace longer::testing
