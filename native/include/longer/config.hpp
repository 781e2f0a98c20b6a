#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace longer {

/// Order in which groups and positions are counted (native/docs/model.md, "Window").
enum class Anchor { kNewest, kOldest };
/// Whether an event's place in the window is an input (native/docs/model.md, "Event token").
enum class PositionMode { kLearned, kNone };
/// What an event's time difference is measured against (native/docs/model.md, "Time").
enum class TimeMode { kRequestRelative, kEventRelative, kNone };
/// Which merged-side rows go on as queries (native/docs/model.md, "Query rows"; LONGER §3.5.2).
enum class QueryStrategy { kRecent, kUniform, kRecentAndUniform, kLearnable };
/// What user tokens and candidate tokens see of each other (native/docs/model.md, "Layers").
enum class GlobalVisibility { kCacheable, kStrict, kFull };
/// What the prediction head reads beside the globals and the candidate (native/docs/model.md,
/// "Head").
enum class Head { kGlobals, kAll, kGlobalsAndPool };

/// An embedding table; features that name it share its rows.
struct TableConfig {
  std::string name;
  int64_t width = 0;
  /// 0: ids are any 64-bit numbers and rows grow on demand (row-wise Adagrad).
  /// > 0: ids are 0 … rows − 1 (others read the out-of-vocabulary row) and the table is a dense
  /// parameter (AdamW).
  int64_t rows = 0;
  /// Growable tables: occurrences in training after which an id gets a row of its own.
  int64_t admission = 1;
};

/// What a row of a feature's column holds (native/docs/model.md, "Features").
enum class FeatureKind {
  kCategorical,  ///< one id or none; the model reads its table row
  kManyValued,   ///< any number of ids; the model reads the mean of their table rows
  kNumeric  ///< a number or none; the model reads (number − mean) / scale, and whether it is there
};

struct FeatureConfig {
  std::string name;
  std::string table;  ///< empty if numeric
  FeatureKind kind = FeatureKind::kCategorical;
  double mean = 0.0;  ///< numeric only, as scale
  double scale = 1.0;
};

/// A token of width D made of features by one linear map (LONGER §3.3).
struct TokenConfig {
  std::string name;
  std::vector<std::string> features;  ///< in concatenation order; empty = all there are
};

/// Inputs of a numeric feature: the reduced number, and 1 where there is one.
inline constexpr int64_t kNumericWidth = 2;

/// A binary label; the loss of a task counts `weight` times. Scores are corrected for training data
/// that kept this share of the negatives.
struct TaskConfig {
  std::string name;
  double weight = 1.0;
  double negative_sampling_rate = 1.0;
};

/// The whole description of a model: features and architecture. `config.json` is its only written
/// form.
struct Config {
  std::vector<TableConfig> tables;
  std::vector<FeatureConfig> event_features;
  std::vector<FeatureConfig> user_features;
  std::vector<FeatureConfig> context_features;
  std::vector<FeatureConfig> candidate_features;
  std::vector<TaskConfig> tasks;

  int64_t max_history = 1000;  ///< L, events kept per request
  int64_t event_width = 16;    ///< d
  int64_t merge_factor = 4;    ///< K
  int64_t inner_layers = 1;    ///< blocks of the InnerTransformer; 0 = concatenation only
  int64_t inner_heads = 2;
  int64_t heads = 4;        ///< H of the model's own layers
  int64_t queries = 32;     ///< k, query rows on the merged side
  int64_t query_block = 1;  ///< kRecent: the first query's group index is a multiple of it
  int64_t self_layers = 1;  ///< self-causal layers after the cross-causal one
  int64_t cls_tokens = 1;
  int64_t time_buckets = 32;  ///< log₂ buckets; row `time_buckets` of the table is `none`
  int64_t time_width = 16;
  double dropout = 0;  ///< share dropped in training steps (native/docs/model.md, "Dropout")
  Anchor anchor = Anchor::kNewest;
  PositionMode position = PositionMode::kLearned;
  TimeMode time = TimeMode::kRequestRelative;
  QueryStrategy query_strategy = QueryStrategy::kRecent;
  GlobalVisibility global_visibility = GlobalVisibility::kCacheable;
  Head head = Head::kGlobals;
  /// Tokens of user and context features; each reads the time since the newest event too.
  std::vector<TokenConfig> global_tokens = {{"user", {}}};
  std::vector<TokenConfig> candidate_tokens = {{"candidate", {}}};  ///< of one candidate, in order

  /// Parses and validates `config.json`. Throws InvalidArgument naming the JSON pointer of what is
  /// wrong, Unsupported for values that this version does not implement.
  static Config parse(std::string_view json);
  /// The normalised `config.json`: every key present, keys sorted, two-space indent.
  std::string to_json() const;

  int64_t model_width() const { return merge_factor * event_width; }  ///< D = K·d
  /// G: CLS tokens and user tokens.
  int64_t num_globals() const { return cls_tokens + static_cast<int64_t>(global_tokens.size()); }
  /// Side rows that a request has once: CLS tokens, in kCacheable the user tokens too.
  int64_t num_request_rows() const {
    return global_visibility == GlobalVisibility::kCacheable ? num_globals() : cls_tokens;
  }
  /// Side rows that each candidate has: its tokens, then its own user tokens unless kCacheable.
  int64_t rows_per_candidate() const {
    return num_globals() - num_request_rows() + static_cast<int64_t>(candidate_tokens.size());
  }
  /// R: most query rows that a request can have on the merged side.
  int64_t max_query_rows() const { return queries + query_block - 1; }
  int64_t num_layers() const { return 1 + self_layers; }
  int64_t num_user_features() const {
    return static_cast<int64_t>(user_features.size() + context_features.size());
  }
  /// Index into `tables`, −1 when there is no such table.
  int64_t table_index(std::string_view name) const;
  /// Vectors of width D that the head takes from the history.
  int64_t num_history_slots() const {
    return head == Head::kAll ? max_query_rows() : head == Head::kGlobalsAndPool ? 1 : 0;
  }
  /// Rows that a request has in layer 0 behind its merged tokens: k learned ones or none.
  int64_t num_learned_queries() const {
    return query_strategy == QueryStrategy::kLearnable ? queries : 0;
  }
  /// User then context features.
  std::vector<FeatureConfig> user_side_features() const;
  /// Indices into `features` of those that a token reads.
  static std::vector<size_t> token_features(const TokenConfig& token,
                                            const std::vector<FeatureConfig>& features);
  /// Inputs that `features` make together: the widths of their tables, 2 for a numeric feature.
  int64_t features_width(const std::vector<FeatureConfig>& features) const;
};

}  // namespace longer
