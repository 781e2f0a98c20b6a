#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "serving/ranking_request.hpp"
#include "support/cases.hpp"
#include "support/random_model.hpp"

// Sanitizers bring their own allocator, which cannot be counted here.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {
thread_local int64_t num_allocations = 0;
}  // namespace

extern "C" {
void* __libc_malloc(size_t bytes);  // NOLINT(bugprone-reserved-identifier): glibc's own names
void* __libc_calloc(size_t count, size_t bytes);        // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* pointer, size_t bytes);      // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(size_t alignment, size_t bytes);  // NOLINT(bugprone-reserved-identifier)

void* malloc(size_t bytes) {
  ++num_allocations;
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  ++num_allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* pointer, size_t bytes) {
  ++num_allocations;
  return __libc_realloc(pointer, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  ++num_allocations;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** pointer, size_t alignment, size_t bytes) {
  ++num_allocations;
  *pointer = __libc_memalign(alignment, bytes);
  return *pointer == nullptr ? ENOMEM : 0;
}
}

namespace longer {
namespace {

using testing::RankingRequest;

template <class Call>
int64_t allocations_of(const Call& call) {
  const int64_t before = num_allocations;
  call();
  return num_allocations - before;
}

TEST(Ranker, AllocatesNothingInSteadyState) {
  for (const testing::ModelCase& model_case : testing::model_cases()) {
    SCOPED_TRACE(model_case.name);
    const Config& config = model_case.config;
    // One thread, so that all work is the counting thread's.
    Ranker ranker(testing::random_model(config, 1, 1), int64_t{1} << 30);
    const RankingRequest large(config, config.max_history, 40, 1);
    const RankingRequest small(config, 3, 2, 2);
    std::vector<float> scores = large.buffer();
    const auto rank = [&](const RankingRequest& request, CacheMode mode, int64_t user_key) {
      const RankRequest r = request.with(mode, user_key, 1);
      return allocations_of([&] { ranker.rank(r, scores.data()); });
    };
    EXPECT_GT(rank(large, CacheMode::kNone, 0), 0) << "the counter must count";
    rank(large, CacheMode::kUse, 1);
    rank(small, CacheMode::kUse, 2);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(rank(large, CacheMode::kNone, 0), 0);
      EXPECT_EQ(rank(small, CacheMode::kNone, 0), 0);
      EXPECT_EQ(rank(large, CacheMode::kUse, 1), 0);
      EXPECT_EQ(rank(small, CacheMode::kOnly, 2), 0);
    }
  }
}

}  // namespace
}  // namespace longer

#endif
