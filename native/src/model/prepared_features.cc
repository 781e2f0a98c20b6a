#include "model/prepared_features.hpp"

#include <algorithm>

#include "model/column_values.hpp"

namespace longer {
namespace {

constexpr int32_t kMissing = -1;

/// Rows of the ids [begin, end) of a column; only ids that are there are looked up, in runs.
void look_up(int64_t table, const Column& column, const RowRange& range, RowLookup& lookup,
             int32_t* rows) {
  for (int64_t begin = range.begin; begin < range.end;) {
    const bool is_present = is_valid(column, begin);
    int64_t end = begin + 1;
    if (column.valid == nullptr) end = range.end;
    while (end < range.end && is_valid(column, end) == is_present) ++end;
    if (is_present) {
      lookup.rows(table, column.ids + begin, end - begin, rows);
    } else {
      std::fill_n(rows, end - begin, kMissing);
    }
    rows += end - begin;
    begin = end;
  }
}

}  // namespace

void PreparedFeatures::reset(size_t num_features) {
  if (memory_.size() < num_features) memory_.resize(num_features);
  values_.assign(num_features, {});
  placed_.clear();
}

void PreparedFeatures::list(std::vector<Placement>& arrays) {
  for (size_t f = 0; f < values_.size(); ++f) {
    Memory& memory = memory_[f];
    if (memory.is_deferred) {
      arrays.push_back(memory.ids.placement());
      arrays.push_back(memory.present.placement());
    }
    if (values_[f].rows != nullptr) arrays.push_back(memory.rows.placement());
    if (values_[f].offsets != nullptr) arrays.push_back(memory.offsets.placement());
    if (values_[f].numbers != nullptr) arrays.push_back(memory.numbers.placement());
  }
}

void PreparedFeatures::find_placed(Workspace& workspace) {
  placed_ = values_;
  for (size_t f = 0; f < placed_.size(); ++f) {
    FeatureValues& placed = placed_[f];
    if (memory_[f].is_deferred) {
      memory_[f].placed_rows =
          workspace.allocate<int32_t>(static_cast<int64_t>(memory_[f].ids.size()));
      placed.rows = memory_[f].placed_rows;
    }
    if (values_[f].rows != nullptr) placed.rows = memory_[f].rows.placed();
    if (placed.offsets != nullptr) placed.offsets = memory_[f].offsets.placed();
    if (placed.numbers != nullptr) placed.numbers = memory_[f].numbers.placed();
  }
}

void PreparedFeatures::list_deferred(std::vector<DeferredRows>& rows) const {
  for (size_t f = 0; f < values_.size(); ++f) {
    const Memory& memory = memory_[f];
    if (!memory.is_deferred) continue;
    rows.push_back({memory.table, memory.ids.placed(),
                    memory.present.empty() ? nullptr : memory.present.placed(),
                    static_cast<int64_t>(memory.ids.size()), memory.placed_rows});
  }
}

void PreparedFeatures::defer(int64_t table, Memory& memory) {
  memory.is_deferred = true;
  memory.table = table;
  memory.ids.clear();
  memory.present.clear();
}

void PreparedFeatures::set(size_t first, const Config& config,
                           const std::vector<FeatureConfig>& features, const Column* columns,
                           const RowRange* ranges, size_t num_ranges, RowLookup& lookup) {
  for (size_t f = 0; f < features.size(); ++f) {
    const FeatureConfig& feature = features[f];
    const Column column = columns == nullptr ? Column{} : columns[first + f];
    Memory& memory = memory_[first + f];
    FeatureValues& values = values_[first + f];
    memory.is_deferred = false;
    switch (feature.kind) {
      case FeatureKind::kCategorical:
        set_rows(config.table_index(feature.table), column, ranges, num_ranges, lookup, memory);
        if (!memory.is_deferred) values.rows = memory.rows.data();
        break;
      case FeatureKind::kManyValued:
        set_bags(config.table_index(feature.table), column, ranges, num_ranges, lookup, memory);
        if (!memory.is_deferred) values.rows = memory.rows.data();
        values.offsets = memory.offsets.data();
        break;
      case FeatureKind::kNumeric:
        set_numbers(feature, column, ranges, num_ranges, memory);
        values.numbers = memory.numbers.data();
        break;
    }
  }
}

void PreparedFeatures::set_rows(int64_t table, const Column& column, const RowRange* ranges,
                                size_t num_ranges, RowLookup& lookup, Memory& memory) {
  memory.rows.clear();
  if (lookup.is_deferred(table)) {
    defer(table, memory);
    for (size_t r = 0; r < num_ranges; ++r) {
      memory.ids.insert(memory.ids.end(), column.ids + ranges[r].begin, column.ids + ranges[r].end);
      if (column.valid == nullptr) continue;
      for (int64_t i = ranges[r].begin; i < ranges[r].end; ++i)
        memory.present.push_back(is_valid(column, i) ? 1 : 0);
    }
    return;
  }
  for (size_t r = 0; r < num_ranges; ++r) {
    const size_t at = memory.rows.size();
    memory.rows.resize(at + static_cast<size_t>(ranges[r].end - ranges[r].begin));
    look_up(table, column, ranges[r], lookup, memory.rows.data() + at);
  }
}

void PreparedFeatures::set_bags(int64_t table, const Column& column, const RowRange* ranges,
                                size_t num_ranges, RowLookup& lookup, Memory& memory) {
  memory.rows.clear();
  memory.offsets.assign(1, 0);
  const bool is_deferred = lookup.is_deferred(table);
  if (is_deferred) defer(table, memory);
  for (size_t r = 0; r < num_ranges; ++r) {
    if (ranges[r].begin == ranges[r].end) continue;
    const int64_t begin = column.offsets[ranges[r].begin];
    const int64_t count = column.offsets[ranges[r].end] - begin;
    const size_t at = is_deferred ? memory.ids.size() : memory.rows.size();
    if (is_deferred && count > 0) {
      memory.ids.insert(memory.ids.end(), column.ids + begin, column.ids + begin + count);
    } else if (count > 0) {
      memory.rows.resize(at + static_cast<size_t>(count));
      lookup.rows(table, column.ids + begin, count, memory.rows.data() + at);
    }
    for (int64_t i = ranges[r].begin; i < ranges[r].end; ++i) {
      const int64_t end = static_cast<int64_t>(at) + column.offsets[i + 1] - begin;
      memory.offsets.push_back(static_cast<int32_t>(end));
    }
  }
}

void PreparedFeatures::set_numbers(const FeatureConfig& feature, const Column& column,
                                   const RowRange* ranges, size_t num_ranges, Memory& memory) {
  memory.numbers.clear();
  for (size_t r = 0; r < num_ranges; ++r) {
    for (int64_t i = ranges[r].begin; i < ranges[r].end; ++i)
      memory.numbers.push_back(static_cast<float>(reduced_number(feature, column.numbers[i])));
  }
}

}  // namespace longer
