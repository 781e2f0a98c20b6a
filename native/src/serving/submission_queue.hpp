#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/condition.hpp"
#include "longer/error.hpp"
#include "serving/ranker.hpp"

namespace longer {

/// What became of a submission.
struct SubmissionOutcome {
  int64_t tag = 0;
  Status status = Status::kOk;
  bool is_cache_miss = false;
  std::string message;
  ErrorDetails details;
  std::vector<float> scores;  // [tasks, C]; empty unless it was ranked
};

/// Ranks copied requests on as many worker threads as the model's device has; they start at the
/// first submission. Safe from any thread.
class SubmissionQueue {
 public:
  SubmissionQueue(Ranker& ranker, int64_t capacity);
  /// Drops what waits, finishes what runs.
  ~SubmissionQueue();
  SubmissionQueue(const SubmissionQueue&) = delete;
  SubmissionQueue& operator=(const SubmissionQueue&) = delete;

  /// Copies the request. Throws Overloaded when `capacity` submissions wait, InvalidArgument for a
  /// malformed request.
  void submit(const RankRequest& request, int64_t tag);
  /// Waits up to `timeout_ms` (at most a day) for a finished submission and passes the oldest to
  /// `take`; false when there was none. The outcome is dropped when `take` returns and kept when it
  /// throws.
  template <class Take>
  bool poll(int64_t timeout_ms, const Take& take) {
    const int64_t timeout = std::clamp<int64_t>(timeout_ms, 0, kLongestPollMs);
    std::unique_lock<std::mutex> lock(mutex_);
    if (!has_finished_.wait_for(lock, timeout, [this] { return !finished_.empty(); })) return false;
    take(static_cast<const SubmissionOutcome&>(finished_.front()));
    finished_.pop_front();
    return true;
  }
  /// Takes a waiting submission back, which then has no outcome; false when it has started, is
  /// finished or is not known.
  bool cancel(int64_t tag);

 private:
  static constexpr int64_t kLongestPollMs = 86'400'000;

  struct Submission;
  void start_workers();
  void work();

  Ranker& ranker_;
  const int64_t capacity_;
  std::mutex mutex_;
  Condition has_work_;
  Condition has_finished_;
  bool is_stopping_ = false;
  std::deque<std::unique_ptr<Submission>> waiting_;
  std::deque<SubmissionOutcome> finished_;
  std::vector<std::thread> workers_;
};

}  // namespace longer
