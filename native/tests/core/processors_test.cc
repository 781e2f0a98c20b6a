#include "core/processors.hpp"

#include <gtest/gtest.h>
#include <sched.h>

namespace longer {
namespace {

TEST(AvailableProcessors, HonourAffinity) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  size_t first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(available_processors(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
  EXPECT_LE(available_processors(), CPU_COUNT(&before));
}

}  // namespace
}  // namespace longer
