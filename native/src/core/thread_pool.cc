#include "core/thread_pool.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/condition.hpp"
#include "core/processors.hpp"
#include "longer/error.hpp"

namespace longer {
namespace {

// Polls before a thread goes to sleep, about 20 µs: longer than the gap between two stages of a
// pass, short enough that an idle pool costs nothing.
constexpr int kPolls = 1000;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// The control word: generation in the high half, then one bit that says whether the region takes
// helpers, then the number of helpers inside. A helper joins by compare-and-swap on the whole word,
// so it can enter no region but the open one.
constexpr uint64_t kOpen = uint64_t{1} << 31;
constexpr uint64_t kInside = kOpen - 1;
constexpr uint64_t kGeneration = uint64_t{1} << 32;

}  // namespace

struct ThreadPool::State {
  alignas(64) std::atomic<uint64_t> control{0};
  alignas(64) std::atomic<int64_t> next{0};
  alignas(64) std::atomic<bool> busy{false};

  // The open region. Written by the owner of `busy` while the word is closed and nobody is inside.
  Item item = nullptr;
  const void* context = nullptr;
  int64_t num_items = 0;
  std::exception_ptr error;
  std::atomic<bool> failed{false};

  std::mutex mutex;
  Condition wake;      // helpers: a region opened, or stop
  Condition finished;  // owner: the last helper left
  std::atomic<int> sleepers{0};
  std::atomic<bool> owner_sleeps{false};
  std::atomic<bool> stop{false};
  int polls = kPolls;
  std::vector<std::thread> threads;

  bool has_work(uint64_t seen) const {
    const uint64_t word = control.load();
    return (word & kOpen) != 0 && word / kGeneration != seen;
  }

  void work() {
    for (int64_t i = next.fetch_add(1); i < num_items; i = next.fetch_add(1)) {
      try {
        item(context, i);
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
        next.store(num_items);
      }
    }
  }

  void join(uint64_t* seen) {
    uint64_t word = control.load();
    while ((word & kOpen) != 0 && word / kGeneration != *seen) {
      if (!control.compare_exchange_weak(word, word + 1)) continue;
      *seen = word / kGeneration;
      work();
      control.fetch_sub(1);
      if (owner_sleeps.load()) {
        const std::lock_guard<std::mutex> lock(mutex);
        finished.notify_one();
      }
      return;
    }
  }

  void help() {
    uint64_t seen = 0;
    while (!stop.load()) {
      for (int poll = 0; poll < polls && !has_work(seen); ++poll) relax();
      if (!has_work(seen)) {
        std::unique_lock<std::mutex> lock(mutex);
        sleepers.fetch_add(1);
        wake.wait(lock, [&] { return stop.load() || has_work(seen); });
        sleepers.fetch_sub(1);
      }
      join(&seen);
    }
  }

  void open() {
    const uint64_t generation = control.load() / kGeneration + 1;
    control.store(generation * kGeneration | kOpen);
    if (sleepers.load() > 0) {
      const std::lock_guard<std::mutex> lock(mutex);
      wake.notify_all();
    }
  }

  void close() {
    control.fetch_and(~kOpen);
    const auto is_empty = [&] { return (control.load() & kInside) == 0; };
    for (int poll = 0; poll < polls && !is_empty(); ++poll) relax();
    if (is_empty()) return;
    std::unique_lock<std::mutex> lock(mutex);
    owner_sleeps.store(true);
    finished.wait(lock, is_empty);
    owner_sleeps.store(false);
  }
};

ThreadPool::ThreadPool(int num_threads)
    : num_threads_(num_threads == 0 ? available_processors() : num_threads),
      state_(std::make_unique<State>()) {
  check_argument(num_threads >= 0, "[thread_pool] num_threads must not be negative; got ",
                 num_threads);
  if (num_threads_ > available_processors()) state_->polls = 1;  // polling would steal their time
  state_->threads.reserve(static_cast<size_t>(num_threads_ - 1));
  for (int i = 1; i < num_threads_; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->help(); });
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->stop.store(true);
    state_->wake.notify_all();
  }
  for (std::thread& thread : state_->threads) thread.join();
}

void ThreadPool::run(int64_t num_items, Item item, const void* context) {
  if (num_items <= 0) return;
  State& state = *state_;
  if (num_items == 1 || num_threads_ == 1 || state.busy.exchange(true)) {
    for (int64_t i = 0; i < num_items; ++i) item(context, i);
    return;
  }
  state.item = item;
  state.context = context;
  state.num_items = num_items;
  state.failed.store(false);
  state.next.store(0);
  state.open();
  state.work();
  state.close();
  const std::exception_ptr error = std::exchange(state.error, nullptr);
  state.busy.store(false);
  if (error != nullptr) std::rethrow_exception(error);
}

int ThreadPool::available_processors() { return longer::available_processors(); }

}  // namespace longer
