#pragma once
#include <pthread.h>
#include <time.h>

#include <cstdint>
#include <mutex>

namespace longer {

/// std::condition_variable on the C library: the one of g++ 12 needs GLIBCXX_3.4.30, which RHEL 9
/// and its like lack. Thread-safe.
class Condition {
 public:
  Condition() {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&condition_, &attributes);
    pthread_condattr_destroy(&attributes);
  }
  ~Condition() { pthread_cond_destroy(&condition_); }
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void notify_one() { pthread_cond_signal(&condition_); }
  void notify_all() { pthread_cond_broadcast(&condition_); }

  /// Waits until `holds()`; `lock` is held at every call of it and on return.
  template <class Predicate>
  void wait(std::unique_lock<std::mutex>& lock, Predicate holds) {
    while (!holds()) pthread_cond_wait(&condition_, lock.mutex()->native_handle());
  }

  /// As `wait`, for at most `timeout_ms` milliseconds; whether `holds()` on return.
  template <class Predicate>
  bool wait_for(std::unique_lock<std::mutex>& lock, int64_t timeout_ms, Predicate holds) {
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
      until.tv_sec += 1;
      until.tv_nsec -= 1000000000;
    }
    while (!holds()) {
      if (pthread_cond_timedwait(&condition_, lock.mutex()->native_handle(), &until) != 0) {
        return holds();
      }
    }
    return true;
  }

 private:
  pthread_cond_t condition_;
};

}  // namespace longer
