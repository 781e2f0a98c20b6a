#include "model/longer_model.hpp"

#include <atomic>

#include "core/live_count.hpp"

namespace longer {
namespace {

std::atomic<int64_t> next_version{1};

}  // namespace

LongerModel::LongerModel(std::unique_ptr<ModelState> state, std::shared_ptr<Backend> backend)
    : state_(std::move(state)),
      backend_(std::move(backend)),
      placed_(*state_, backend_->memory()),
      weights_(
          bind_weights(state_->config, state_->layout, placed_.dense(), placed_.table_views())),
      version_(next_version.fetch_add(1)) {
  // For training too: explain() needs the input gradients.
  backend_->prepare(weights_.linears(), PackFor::kTraining, prepared_);
  live_bytes().add(bytes());
}

LongerModel::~LongerModel() { live_bytes().add(-bytes()); }

int64_t LongerModel::bytes() const {
  return state_->bytes() + placed_.bytes() + prepared_->bytes();
}

std::shared_ptr<const LongerModel> LongerModel::create(const Config& config, uint64_t seed,
                                                       std::shared_ptr<Backend> backend) {
  return std::make_shared<const LongerModel>(fresh_state(config, seed), std::move(backend));
}

}  // namespace longer
