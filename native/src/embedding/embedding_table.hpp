#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/growable_array.hpp"

namespace longer {

/// A growable embedding table: 64-bit ids → rows of floats, with row-wise Adagrad's state beside
/// each row.
///
/// Row 0 is the out-of-vocabulary row and starts at 0. A new row's values depend on (seed, table
/// name, id) only, so the order of insertion does not matter. Rows never move in memory. Lookups
/// are safe from any number of threads while nobody inserts.
class EmbeddingTable {
 public:
  /// Of new rows' values.
  static constexpr float kDeviation = 0.05F;

  /// An id gets its row when it occurs for the `admission`-th time.
  EmbeddingTable(std::string name, int64_t width, uint64_t seed, int64_t admission = 1);
  EmbeddingTable(const EmbeddingTable& other);
  EmbeddingTable& operator=(const EmbeddingTable&) = delete;

  const std::string& name() const { return name_; }
  int64_t width() const { return width_; }
  int64_t admission() const { return admission_; }
  uint64_t seed() const { return seed_; }
  /// Seed of rows inserted from here on.
  void set_seed(uint64_t seed) { seed_ = seed; }
  /// The out-of-vocabulary row included.
  int64_t num_rows() const { return num_rows_; }
  int64_t num_ids() const { return num_rows_ - 1; }

  /// rows[i] = row of ids[i], 0 when it has none.
  void lookup(const int64_t* ids, int64_t count, int32_t* rows) const;
  /// As lookup, but occurrences of ids without a row are counted in order, and the one that makes
  /// the count full inserts the row and reads it. Throws OutOfMemory.
  void find_or_insert(const int64_t* ids, int64_t count, int32_t* rows);
  /// Gives new ids the next rows, in order; the caller sets their values and states.
  void add_rows(const int64_t* ids, int64_t count);
  /// Sets the row of `id` (inserted if new) and its Adagrad state.
  void insert_or_assign(int64_t id, const float* values, float state);

  /// Occurrences of an id that has no row yet: 1 … admission − 1.
  struct Pending {
    int64_t id;
    int32_t count;
  };
  /// What is counted so far, ordered by id.
  std::vector<Pending> pending_by_id() const;
  int64_t num_pending() const { return static_cast<int64_t>(pending_.size()); }
  void set_pending(const Pending& pending) { pending_[pending.id] = pending.count; }
  void forget_pending() { pending_.clear(); }
  /// Forgets what only training knows: Adagrad's states and the counts of ids without a row.
  void reset_training();

  /// Row r starts at values() + r · width(). Pointers last as long as the table.
  float* values() { return values_.data(); }
  const float* values() const { return values_.data(); }
  /// [num_rows] row-wise Adagrad accumulators.
  float* states() { return states_.data(); }
  const float* states() const { return states_.data(); }
  int64_t id_of(int32_t row) const { return ids_[row]; }
  /// [num_rows]; entry 0 is no id.
  int64_t* ids() { return ids_.data(); }

  /// Rows other than the out-of-vocabulary one, ordered by id.
  std::vector<int32_t> rows_by_id() const;
  int64_t bytes() const;

 private:
  size_t slot_of(int64_t id) const;
  int32_t find(int64_t id) const;
  bool is_admitted(int64_t id);
  int32_t insert_new(int64_t id);
  void grow_index();
  void place(int64_t id, int32_t row);

  std::string name_;
  int64_t width_;
  uint64_t seed_;
  int64_t admission_;
  int64_t num_rows_ = 1;
  GrowableArray<float> values_;                   // [num_rows, width]
  GrowableArray<float> states_;                   // [num_rows]
  GrowableArray<int64_t> ids_;                    // [num_rows]; entry 0 unused
  std::vector<int32_t> index_;                    // open addressing by row number; 0 = free
  std::unordered_map<int64_t, int32_t> pending_;  // occurrences of ids without a row
};

}  // namespace longer
