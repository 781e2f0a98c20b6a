#pragma once
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "longer/error.hpp"
#include "serving/ranker.hpp"

namespace longer {

/// What became of a submission.
struct SubmissionOutcome {
  int64_t tag = 0;
  Status status = Status::kOk;
  bool is_cache_miss = false;
  std::string message;
  std::vector<float> scores;  // [tasks, C]
};

/// Ranks copied requests on worker threads, started at the first submission. Safe from any thread.
class SubmissionQueue {
 public:
  SubmissionQueue(Ranker& ranker, int64_t capacity);
  /// Drops what waits, finishes what runs.
  ~SubmissionQueue();

  /// Copies the request. Throws Overloaded when `capacity` submissions wait, InvalidArgument for a malformed request.
  void submit(const RankRequest& request, int64_t tag);
  /// Waits up to `timeout_ms` for a finished submission, oldest first; false when there was none. `take` receives it and
  /// returns whether to remove it.
  template <class Take>
  bool poll(int64_t timeout_ms, const Take& take) {
    std::unique_lock<std::mutex> lock(mutex_);
    const bool is_done = has_finished_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                                                [this] { return !finished_.empty(); });
    if (!is_done) return false;
    if (take(finished_.front())) finished_.pop_front();
    return true;
  }
  /// Takes a waiting submission back; false when it has started, is finished or is not known.
  bool cancel(int64_t tag);

 private:
  struct Submission;
  void work();

  Ranker& ranker_;
  const int64_t capacity_;
  std::mutex mutex_;
  std::condition_variable has_work_;
  std::condition_variable has_finished_;
  bool is_stopping_ = false;
  std::deque<std::unique_ptr<Submission>> waiting_;
  std::deque<SubmissionOutcome> finished_;
  std::vector<std::thread> workers_;
};

}  // namespace longer
