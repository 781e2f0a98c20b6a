#pragma once
#include <memory>
#include <string>

#include "model/longer_model.hpp"
#include "model/model_builder.hpp"
#include "serving/ranker.hpp"
#include "serving/submission_queue.hpp"
#include "training/trainer.hpp"

// What the opaque types of longer.h are.
struct longer_model {
  std::shared_ptr<const longer::LongerModel> model;
};
struct longer_model_builder {
  longer::ModelBuilder builder;
};
struct longer_trainer {
  std::unique_ptr<longer::Trainer> trainer;
  std::string progress;  // of the checkpoint it was loaded from
};
struct longer_ranker {
  longer_ranker(std::shared_ptr<const longer::LongerModel> model,
                const longer::UserKvCacheLimits& limits, int64_t queue_capacity)
      : ranker(std::move(model), limits), queue(ranker, queue_capacity) {}
  longer::Ranker ranker;
  longer::SubmissionQueue queue;
};
