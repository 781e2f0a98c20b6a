#include "core/thread_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "longer/error.hpp"

namespace longer {
namespace {

TEST(ThreadPool, RunsEveryItemOnce) {
  for (int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.num_threads(), threads);
    for (int64_t items : {0, 1, 2, 3, 63, 1000}) {
      std::vector<int> runs(static_cast<size_t>(items));
      pool.parallel_for(items, [&](int64_t i) { ++runs[static_cast<size_t>(i)]; });
      EXPECT_EQ(runs, std::vector<int>(static_cast<size_t>(items), 1)) << threads << " threads";
    }
  }
}

TEST(ThreadPool, NegativeCountRunsNothing) {
  ThreadPool pool(2);
  pool.parallel_for(-3, [](int64_t) { FAIL(); });
}

TEST(ThreadPool, HelpersTakePart) {
  ThreadPool pool(2);
  // Two items that wait for each other can only end on two threads.
  std::atomic<int> arrived{0};
  pool.parallel_for(2, [&](int64_t) {
    arrived.fetch_add(1);
    while (arrived.load() < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived.load(), 2);
}

TEST(ThreadPool, ManyShortRegionsLoseNothing) {
  ThreadPool pool(7);
  std::atomic<int64_t> sum{0};
  for (int region = 0; region < 20000; ++region) {
    pool.parallel_for(3, [&](int64_t i) { sum.fetch_add(i + 1, std::memory_order_relaxed); });
  }
  EXPECT_EQ(sum.load(), 20000 * 6);
}

TEST(ThreadPool, NestedRegionsRunInside) {
  ThreadPool pool(4);
  std::vector<int64_t> sums(20);
  pool.parallel_for(20, [&](int64_t outer) {
    int64_t sum = 0;  // unguarded: the inner region runs on this thread
    pool.parallel_for(100, [&](int64_t inner) { sum += inner; });
    sums[static_cast<size_t>(outer)] = sum;
  });
  EXPECT_EQ(sums, std::vector<int64_t>(20, 4950));
}

TEST(ThreadPool, SeveralCallersShareIt) {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  std::vector<int64_t> sums(5);
  for (size_t caller = 0; caller < sums.size(); ++caller) {
    callers.emplace_back([&, caller] {
      for (int region = 0; region < 300; ++region) {
        std::vector<int64_t> values(50);
        pool.parallel_for(50, [&](int64_t i) { values[static_cast<size_t>(i)] = i; });
        sums[caller] += std::accumulate(values.begin(), values.end(), int64_t{0});
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sums, std::vector<int64_t>(5, 300 * 1225));
}

TEST(ThreadPool, RethrowsAndStaysUsable) {
  for (int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 50; ++round) {
      EXPECT_THROW(pool.parallel_for(100,
                                     [](int64_t i) {
                                       if (i % 10 == 3) throw std::runtime_error("item");
                                     }),
                   std::runtime_error);
      std::atomic<int> runs{0};
      pool.parallel_for(10, [&](int64_t) { runs.fetch_add(1); });
      EXPECT_EQ(runs.load(), 10);
    }
  }
}

TEST(ThreadPool, IdleThreadsSleep) {
  ThreadPool pool(2);
  pool.parallel_for(2, [](int64_t) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_LT(seconds, 0.05) << "idle helpers burn the processor";
}

TEST(ThreadPool, ZeroMeansAllAvailableProcessors) {
  EXPECT_GE(ThreadPool::available_processors(), 1);
  EXPECT_EQ(ThreadPool(0).num_threads(), ThreadPool::available_processors());
}

TEST(ThreadPool, NegativeThreadsAreAnError) {
  try {
    ThreadPool pool(-1);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), Status::kInvalidArgument);
    EXPECT_STREQ(error.what(), "[thread_pool] num_threads must not be negative; got -1");
  }
}

TEST(ParallelFor, NullPoolRunsInOrderOnTheCaller) {
  std::vector<int64_t> order;
  parallel_for(nullptr, 4, [&](int64_t i) { order.push_back(i); });
  EXPECT_EQ(order, (std::vector<int64_t>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace longer
