#pragma once
#include <memory>
#include <vector>

#include "core/aligned_buffer.hpp"
#include "embedding/embedding_table.hpp"
#include "longer/config.hpp"
#include "model/parameters.hpp"
#include "model/prepared_features.hpp"

namespace longer {

/// The learned numbers of a model on the host: the dense arena and one growable table per
/// configured table with rows = 0 (null for the others, whose rows are dense parameters).
struct ModelState {
  explicit ModelState(const Config& config_in);
  ModelState(const ModelState& other);
  ModelState& operator=(const ModelState&) = delete;

  Config config;
  ParameterLayout layout;
  AlignedBuffer dense;
  std::vector<std::unique_ptr<EmbeddingTable>> tables;

  /// One view per configured table; dense tables' rows are in `arena`, this state's or a copy.
  std::vector<TableView> table_views(const float* arena) const;
  int64_t num_table_rows() const;
  int64_t bytes() const;
};

/// The state training starts from: initialised parameters, empty tables.
std::unique_ptr<ModelState> fresh_state(const Config& config, uint64_t seed);

/// Looks ids up in the tables of a state without changing them; unknown ids read row 0. Any number
/// of threads.
class ReadOnlyLookup final : public RowLookup {
 public:
  explicit ReadOnlyLookup(const ModelState& state) : state_(state) {}
  void rows(int64_t table, const int64_t* ids, int64_t count, int32_t* rows) override;

 private:
  const ModelState& state_;
};

/// Rows of a dense table: id i reads row i + 1, ids outside 0 … num_ids − 1 row 0.
void dense_table_rows(int64_t num_ids, const int64_t* ids, int64_t count, int32_t* rows);

}  // namespace longer
