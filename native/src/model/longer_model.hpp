#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/aligned_buffer.hpp"
#include "embedding/embedding_table.hpp"
#include "longer/config.hpp"
#include "model/parameters.hpp"
#include "model/prepared_batch.hpp"
#include "ops/backend.hpp"

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

  /// One view per configured table.
  std::vector<TableView> table_views() const;
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

/// A model ready to score: immutable, shared by rankers, safe from any thread.
class LongerModel {
 public:
  /// Takes the state over and prepares its weights on `backend`.
  LongerModel(std::unique_ptr<ModelState> state, std::shared_ptr<Backend> backend);
  /// A freshly initialised model.
  static std::shared_ptr<const LongerModel> create(const Config& config, uint64_t seed,
                                                   std::shared_ptr<Backend> backend);
  ~LongerModel();

  const Config& config() const { return state_->config; }
  const ModelState& state() const { return *state_; }
  const ModelWeights& weights() const { return weights_; }
  Backend& backend() const { return *backend_; }
  const std::shared_ptr<Backend>& shared_backend() const { return backend_; }
  /// Unique number of this set of weights in this process.
  int64_t version() const { return version_; }
  int64_t bytes() const;

 private:
  std::unique_ptr<ModelState> state_;
  std::shared_ptr<Backend> backend_;
  ModelWeights weights_;
  std::unique_ptr<PreparedLinears> prepared_;
  int64_t version_;
};

}  // namespace longer
