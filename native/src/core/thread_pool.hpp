#pragma once
#include <cstdint>
#include <memory>

namespace longer {

/// Runs independent work items on a fixed set of threads (the caller is one of them).
///
/// An item must own its outputs, so results do not depend on the number of threads. Safe to use
/// from several threads: a caller that finds the pool busy, and a call from inside an item, run
/// their items on the calling thread.
class ThreadPool {
 public:
  /// `num_threads` ≥ 1, the caller included; 0 = the processors this process may use (affinity and
  /// cgroup).
  explicit ThreadPool(int num_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return num_threads_; }

  /// Calls `body(i)` once for each i in [0, num_items), and returns when all are done. The first
  /// exception is rethrown. Allocates nothing.
  template <class Body>
  void parallel_for(int64_t num_items, const Body& body) {
    run(
        num_items, [](const void* context, int64_t i) { (*static_cast<const Body*>(context))(i); },
        &body);
  }

  /// The processors this process may use: CPU affinity, capped by the cgroup's quota; at least 1.
  static int available_processors();

 private:
  using Item = void (*)(const void* context, int64_t index);
  void run(int64_t num_items, Item item, const void* context);

  struct State;
  int num_threads_;
  std::unique_ptr<State> state_;
};

/// Runs `body(i)` for i in [0, num_items) on `pool`, or on the calling thread when `pool` is null.
template <class Body>
void parallel_for(ThreadPool* pool, int64_t num_items, const Body& body) {
  if (pool != nullptr) {
    pool->parallel_for(num_items, body);
  } else {
    for (int64_t i = 0; i < num_items; ++i) body(i);
  }
}

}  // namespace longer
