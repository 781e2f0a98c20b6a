#pragma once
#include <memory>
#include <vector>

#include "serving/ranker.hpp"

namespace longer {

/// The working memory of one call; kept between calls, so that a call in steady state allocates
/// nothing.
struct Ranker::Context {
  explicit Context(Backend& backend) : stream(backend.make_stream()), memory(backend.memory()) {}
  std::unique_ptr<Stream> stream;
  Workspace memory;
  PreparedBatch batch;
  UserKeysValues keys_values;
  Activations activations;
  std::vector<float> fetched;  // what the host reads of a pass
};

/// A context taken from the ranker's free ones, given back on scope exit.
class Ranker::ContextLease {
 public:
  explicit ContextLease(Ranker& ranker) : ranker_(ranker) {
    {
      const std::lock_guard<std::mutex> lock(ranker.contexts_mutex_);
      if (!ranker.free_contexts_.empty()) {
        context_ = std::move(ranker.free_contexts_.back());
        ranker.free_contexts_.pop_back();
      } else {
        ranker.free_contexts_.reserve(ranker.num_contexts_ + 1);  // giving back never allocates
        ++ranker.num_contexts_;
      }
    }
    if (context_ == nullptr) context_ = std::make_unique<Context>(ranker.model_->backend());
    mark_ = context_->memory.mark();
  }
  ~ContextLease() {
    context_->memory.release(mark_);
    const std::lock_guard<std::mutex> lock(ranker_.contexts_mutex_);
    ranker_.free_contexts_.push_back(std::move(context_));
  }
  ContextLease(const ContextLease&) = delete;
  ContextLease& operator=(const ContextLease&) = delete;

  Context& operator*() { return *context_; }

 private:
  Ranker& ranker_;
  std::unique_ptr<Context> context_;
  Workspace::Mark mark_{};
};

}  // namespace longer
