#pragma once
#include <memory>

#include "model/model_state.hpp"
#include "model/placed_state.hpp"
#include "model/prepared_batch.hpp"
#include "ops/backend.hpp"

namespace longer {

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
  PlacedState placed_;
  ModelWeights weights_;
  std::unique_ptr<PreparedLinears> prepared_;
  int64_t version_;
};

}  // namespace longer
