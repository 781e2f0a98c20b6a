#include "serving/submission_queue.hpp"

#include <new>
#include <utility>

#include "core/thread_pool.hpp"
#include "model/batch_copy.hpp"

namespace longer {

/// A request with columns of its own.
struct SubmissionQueue::Submission {
  int64_t tag;
  RankRequest request;
  BatchCopy copy;

  Submission(const Config& config, const RankRequest& source, int64_t tag_in)
      : tag(tag_in), request(source), copy(config, source.batch) {
    request.batch = copy.view();
  }
};

SubmissionQueue::SubmissionQueue(Ranker& ranker, int64_t capacity)
    : ranker_(ranker), capacity_(capacity) {
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
  ranker_.check_request(request);
  auto submission = std::make_unique<Submission>(ranker_.model().config(), request, tag);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (static_cast<int64_t>(waiting_.size()) >= capacity_) {
      fail(Status::kOverloaded, "[submit] ", capacity_, " submissions are waiting already");
    }
    if (workers_.empty()) start_workers();
    waiting_.push_back(std::move(submission));
  }
  has_work_.notify_one();
}

void SubmissionQueue::start_workers() {
  const int wanted = ranker_.model().backend().device().num_threads;
  const int count = wanted > 0 ? wanted : ThreadPool::available_processors();
  for (int i = 0; i < count; ++i) workers_.emplace_back([this] { work(); });
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
      std::vector<float> scores(ranker_.model().config().tasks.size() *
                                static_cast<size_t>(submission->request.batch.num_candidates));
      outcome.is_cache_miss = !ranker_.rank(submission->request, scores.data());
      if (!outcome.is_cache_miss) outcome.scores = std::move(scores);
    } catch (const Error& e) {
      outcome.status = e.status();
      outcome.message = e.what();
      outcome.details = e.details();
    } catch (const std::bad_alloc&) {
      outcome.status = Status::kOutOfMemory;
      outcome.message = "[rank] the process has no memory left for this request";
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
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [tag](const auto& s) { return s->tag == tag; });
  if (found == waiting_.end()) return false;
  waiting_.erase(found);
  return true;
}

}  // namespace longer
