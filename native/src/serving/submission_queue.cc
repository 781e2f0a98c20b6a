#include "serving/submission_queue.hpp"

#include <algorithm>

#include "core/thread_pool.hpp"

namespace longer {

/// A request with columns of its own.
struct SubmissionQueue::Submission {
  int64_t tag = 0;
  RankRequest request;
  std::vector<int64_t> integers;
  std::vector<float> scores;

  Submission(const Config& config, const RankRequest& source, int64_t tag_in) : tag(tag_in), request(source) {
    const BatchView& b = source.batch;
    const auto event_features = static_cast<int64_t>(config.event_features.size());
    const auto candidate_features = static_cast<int64_t>(config.candidate_features.size());
    BatchView& own = request.batch;
    std::vector<std::pair<const int64_t**, int64_t>> columns;  // where the copy's pointer goes, and its length
    auto copy = [&](const int64_t* from, int64_t count, const int64_t** to) {
      if (from == nullptr) return;
      integers.insert(integers.end(), from, from + count);
      columns.emplace_back(to, count);
    };
    copy(b.event_offsets, 2, &own.event_offsets);
    copy(b.candidate_offsets, 2, &own.candidate_offsets);
    copy(b.event_ids, event_features * b.num_events, &own.event_ids);
    copy(b.event_times, b.num_events, &own.event_times);
    copy(b.first_ordinals, 1, &own.first_ordinals);
    copy(b.reference_times, 1, &own.reference_times);
    copy(b.user_ids, config.num_user_features(), &own.user_ids);
    copy(b.candidate_ids, candidate_features * b.num_candidates, &own.candidate_ids);
    const int64_t* next = integers.data();
    for (const auto& [pointer, count] : columns) {
      *pointer = next;
      next += count;
    }
    own.labels = nullptr;
    own.weights = nullptr;
    scores.resize(config.tasks.size() * static_cast<size_t>(b.num_candidates));
  }
};

SubmissionQueue::SubmissionQueue(Ranker& ranker, int64_t capacity) : ranker_(ranker), capacity_(capacity) {
  check_argument(capacity > 0, "[submission_queue] capacity must be positive; got ", capacity);
}

SubmissionQueue::~SubmissionQueue() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_stopping_ = true;
    waiting_.clear();
  }
  has_work_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void SubmissionQueue::submit(const RankRequest& request, int64_t tag) {
  check_argument(request.batch.num_requests == 1, "[submit] a ranking request holds one history; got num_requests ",
                 request.batch.num_requests);
  validate_batch(ranker_.model().config(), request.batch);
  auto submission = std::make_unique<Submission>(ranker_.model().config(), request, tag);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (static_cast<int64_t>(waiting_.size()) >= capacity_) {
      fail(Status::kOverloaded, "[submit] ", capacity_, " submissions are waiting already");
    }
    if (workers_.empty()) {
      for (int i = 0; i < ThreadPool::available_processors(); ++i) workers_.emplace_back([this] { work(); });
    }
    waiting_.push_back(std::move(submission));
  }
  has_work_.notify_one();
}

void SubmissionQueue::work() {
  for (;;) {
    std::unique_ptr<Submission> submission;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      has_work_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
      if (is_stopping_) return;
      submission = std::move(waiting_.front());
      waiting_.pop_front();
    }
    SubmissionOutcome outcome;
    outcome.tag = submission->tag;
    try {
      outcome.is_cache_miss = !ranker_.rank(submission->request, submission->scores.data());
      outcome.scores = std::move(submission->scores);
    } catch (const Error& e) {
      outcome.status = e.status();
      outcome.message = e.what();
    } catch (const std::exception& e) {
      outcome.status = Status::kInternal;
      outcome.message = e.what();
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      finished_.push_back(std::move(outcome));
    }
    has_finished_.notify_one();
  }
}

bool SubmissionQueue::cancel(int64_t tag) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [tag](const auto& s) { return s->tag == tag; });
  if (found == waiting_.end()) return false;
  waiting_.erase(found);
  return true;
}

}  // namespace longer
