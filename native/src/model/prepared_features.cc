#include "model/prepared_features.hpp"

namespace longer {

void PreparedFeatures::reset(size_t num_features) {
  if (memory_.size() < num_features) memory_.resize(num_features);
  values_.assign(num_features, {});
}

void PreparedFeatures::set(size_t first, const Config& config,
                           const std::vector<FeatureConfig>& features, const Column* columns,
                           const RowRange* ranges, size_t num_ranges, RowLookup& lookup) {
  int64_t count = 0;
  for (size_t r = 0; r < num_ranges; ++r) count += ranges[r].end - ranges[r].begin;
  for (size_t f = first; f < first + features.size(); ++f) {
    std::vector<int32_t>& rows = memory_[f].rows;
    rows.resize(static_cast<size_t>(count));
    values_[f].rows = rows.data();
    if (count == 0) continue;
    const int64_t table = config.table_index(features[f - first].table);
    int32_t* to = rows.data();
    for (size_t r = 0; r < num_ranges; ++r) {
      const int64_t length = ranges[r].end - ranges[r].begin;
      lookup.rows(table, columns[f].ids + ranges[r].begin, length, to);
      to += length;
    }
  }
}

}  // namespace longer
