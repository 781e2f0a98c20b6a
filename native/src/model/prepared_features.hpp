#pragma once
#include <cstdint>
#include <vector>

#include "core/placed_array.hpp"
#include "core/workspace.hpp"
#include "longer/batch.hpp"
#include "longer/config.hpp"
#include "ops/feature_input/feature_input.hpp"

namespace longer {

/// Turns the ids of one configured table into row numbers.
class RowLookup {
 public:
  virtual ~RowLookup() = default;
  /// Rows of `count` ids of table `table` (index into Config::tables); unknown ids read row 0.
  /// Missing values are never asked for.
  virtual void rows(int64_t table, const int64_t* ids, int64_t count, int32_t* rows) = 0;
  /// Whether the ids of a table are looked up where the batch is placed; never asked for then.
  virtual bool is_deferred(int64_t /*table*/) const { return false; }
};

/// Ids of one feature that are looked up where the batch is placed, and where their rows go.
struct DeferredRows {
  int64_t table;
  const int64_t* ids;
  const uint8_t* present;  // null: all are
  int64_t count;
  int32_t* rows;
};

/// Rows [begin, end) of a column.
struct RowRange {
  int64_t begin, end;
};

/// The values of a list of features for n events, requests or candidates, as the stages take them.
/// Refilling reuses its memory.
class PreparedFeatures {
 public:
  /// Forgets everything; `num_features` features may be set.
  void reset(size_t num_features);
  /// Features first, first + 1, … read the given rows of columns[first], columns[first + 1], …,
  /// range after range. `columns` may be null when there are no rows.
  void set(size_t first, const Config& config, const std::vector<FeatureConfig>& features,
           const Column* columns, const RowRange* ranges, size_t num_ranges, RowLookup& lookup);
  /// One entry a feature, valid until the next reset; the arrays are the host's.
  const FeatureValues* values() const { return values_.data(); }
  /// The same where the stages read them.
  const FeatureValues* placed() const { return placed_.empty() ? values_.data() : placed_.data(); }
  void list(std::vector<Placement>& arrays);
  /// Follows when the arrays have been placed; rows that are looked up there get room in `memory`.
  void find_placed(Workspace& memory);
  /// Those rows, once placed, appended in the order of the features.
  void list_deferred(std::vector<DeferredRows>& rows) const;

 private:
  struct Memory {
    PlacedArray<int32_t> rows, offsets;
    PlacedArray<float> numbers;
    // Where rows are looked up later:
    bool is_deferred = false;
    int64_t table = 0;
    PlacedArray<int64_t> ids;
    PlacedArray<uint8_t> present;  // empty: all are
    int32_t* placed_rows = nullptr;
  };
  static void defer(int64_t table, Memory& memory);
  static void set_rows(int64_t table, const Column& column, const RowRange* ranges,
                       size_t num_ranges, RowLookup& lookup, Memory& memory);
  static void set_bags(int64_t table, const Column& column, const RowRange* ranges,
                       size_t num_ranges, RowLookup& lookup, Memory& memory);
  static void set_numbers(const FeatureConfig& feature, const Column& column,
                          const RowRange* ranges, size_t num_ranges, Memory& memory);

  std::vector<Memory> memory_;  // never shrinks
  std::vector<FeatureValues> values_;
  std::vector<FeatureValues> placed_;  // empty where they are the host's
};

}  // namespace longer
