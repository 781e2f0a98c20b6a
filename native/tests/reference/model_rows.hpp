#pragma once
// The rows of one request, which of them are queries, and which rows a row sees
// (native/docs/model.md, "Query rows", "Layers").
#include <algorithm>
#include <cstdint>
#include <vector>

#include "longer/config.hpp"

namespace longer::model_reference {

enum class RowKind { kGroup, kLearned, kCls, kUser, kCandidate };

/// A row of a request; `index` counts among its kind: groups oldest first, tokens in configured
/// order.
struct Row {
  RowKind kind = RowKind::kGroup;
  int64_t index = 0;
  int64_t candidate = -1;  // whose block it stands in; −1 = none

  bool is_history() const { return kind == RowKind::kGroup || kind == RowKind::kLearned; }
};

/// min(queries, groups) groups, evenly spaced from the newest.
inline std::vector<int64_t> uniform_groups(int64_t queries, int64_t num_groups) {
  const int64_t count = std::min(queries, num_groups);
  std::vector<int64_t> groups;
  for (int64_t j = 0; j < count; ++j) groups.push_back(num_groups - 1 - j * num_groups / count);
  return groups;
}

/// The groups whose merged tokens are queries, oldest first.
inline std::vector<int64_t> query_groups(const Config& c, int64_t num_groups) {
  std::vector<int64_t> groups;
  if (c.query_strategy == QueryStrategy::kRecent) {
    const int64_t start =
        num_groups <= c.queries ? 0 : (num_groups - c.queries) / c.query_block * c.query_block;
    for (int64_t g = start; g < num_groups; ++g) groups.push_back(g);
  } else if (c.query_strategy == QueryStrategy::kUniform) {
    groups = uniform_groups(c.queries, num_groups);
  } else if (c.query_strategy == QueryStrategy::kRecentAndUniform) {
    const int64_t half = c.queries - c.queries / 2;
    const int64_t recent = std::min(half, num_groups);
    groups = uniform_groups(c.queries - half, num_groups - recent);
    for (int64_t g = num_groups - recent; g < num_groups; ++g) groups.push_back(g);
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

/// R: most query rows that any request can have.
inline int64_t most_query_rows(const Config& c) {
  return c.query_strategy == QueryStrategy::kRecent ? c.queries + c.query_block - 1 : c.queries;
}

/// Rows of layer 0 on the side of the history.
inline std::vector<Row> history_rows(const Config& c, int64_t num_groups) {
  std::vector<Row> rows;
  for (int64_t g = 0; g < num_groups; ++g) rows.push_back({RowKind::kGroup, g});
  if (c.query_strategy == QueryStrategy::kLearnable) {
    for (int64_t i = 0; i < c.queries; ++i) rows.push_back({RowKind::kLearned, i});
  }
  return rows;
}

/// Whether a row of the history goes on from layer 0.
inline bool is_query(const Config& c, int64_t num_groups, const Row& row) {
  if (row.kind == RowKind::kLearned) return true;
  const std::vector<int64_t> groups = query_groups(c, num_groups);
  return std::find(groups.begin(), groups.end(), row.index) != groups.end();
}

inline std::vector<Row> side_row_list(const Config& c, int64_t num_candidates) {
  const auto num_user = static_cast<int64_t>(c.global_tokens.size());
  const auto num_tokens = static_cast<int64_t>(c.candidate_tokens.size());
  const bool is_shared = c.global_visibility == GlobalVisibility::kCacheable;
  std::vector<Row> rows;
  for (int64_t i = 0; i < c.cls_tokens; ++i) rows.push_back({RowKind::kCls, i});
  for (int64_t i = 0; is_shared && i < num_user; ++i) rows.push_back({RowKind::kUser, i});
  for (int64_t candidate = 0; candidate < num_candidates; ++candidate) {
    for (int64_t i = 0; i < num_tokens; ++i) {
      rows.push_back({RowKind::kCandidate, i, candidate});
    }
    for (int64_t i = 0; !is_shared && i < num_user; ++i) {
      rows.push_back({RowKind::kUser, i, candidate});
    }
  }
  return rows;
}

/// Whether `row` sees `other`.
inline bool sees(const Config& c, const Row& row, const Row& other) {
  if (row.is_history()) {
    if (row.kind == other.kind) return other.index <= row.index;
    return row.kind == RowKind::kLearned && other.kind == RowKind::kGroup;
  }
  if (other.is_history()) return true;
  if (row.candidate != other.candidate) return other.candidate < 0;
  if (row.candidate >= 0 && c.global_visibility == GlobalVisibility::kFull) return true;
  if (row.kind == other.kind) return other.index <= row.index;
  // CLS stand before user tokens of the request; candidate tokens before user tokens of their own.
  return row.kind == RowKind::kUser;
}

}  // namespace longer::model_reference
