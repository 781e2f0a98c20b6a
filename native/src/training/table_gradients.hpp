#pragma once
#include <memory>
#include <string>
#include <vector>

#include "model/forward.hpp"
#include "model/placed_state.hpp"
#include "ops/backend.hpp"

namespace longer {

/// The gradients of all that a batch reads by row number, in one optimizer step: growable tables,
/// whose sums stay here for their row-wise Adagrad step, and dense tables, positions and time
/// buckets, whose sums go to the dense gradients.
class TableGradients {
 public:
  TableGradients(const ModelState& state, Backend& backend);

  /// One entry per table that a batch reads.
  using Groups = std::vector<std::unique_ptr<RowGroups>>;
  /// Groups what a batch reads, before its pass. `num_rows`: the rows of each configured table.
  void group(Stream& stream, const PreparedBatch& batch, const std::vector<int64_t>& num_rows,
             Groups& groups) const;

  void clear(Stream& stream);
  /// Makes room for a batch, the first since `clear` or not; `add` then allocates nothing but
  /// scratch memory.
  void reserve(Stream& stream, const Groups& groups, bool is_first);
  /// Adds a batch's, given what its backward pass left in `inputs`; those of dense tables to
  /// `dense_gradients`. `memory`: scratch.
  void add(Stream& stream, Workspace& memory, const PreparedBatch& batch, const Groups& groups,
           const InputGradients& inputs, float* dense_gradients);
  /// *sum += Σ g² over the growable tables.
  void add_squares(Stream& stream, double* sum);
  /// One row-wise Adagrad step on every growable table.
  void update(Stream& stream, PlacedState& state, const StepNumbers* numbers);

  /// The gradient of a growable table.
  TableGradient& of(int64_t table) const { return *growable_[static_cast<size_t>(table)]; }
  int64_t bytes() const;

 private:
  /// What is read by row number: a configured table, or dense rows of another name.
  struct Table {
    std::string parameter;  // empty for a growable table
    int64_t width = 0;
    int64_t num_rows = 0;  // of dense ones
  };
  struct Read;
  std::vector<Read> reads(const PreparedBatch& batch) const;

  const Config& config_;
  const ParameterLayout& layout_;
  Backend& backend_;
  std::vector<Table> tables_;                             // the configured ones come first
  std::vector<std::unique_ptr<TableGradient>> growable_;  // null for the others
  size_t positions_ = 0, time_buckets_ = 0, user_time_buckets_ = 0;
};

}  // namespace longer
