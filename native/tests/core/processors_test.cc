#include "core/processors.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <fstream>

namespace longer {
namespace {

/// A made-up /sys/fs/cgroup, removed at the end.
class CgroupTree {
 public:
  CgroupTree() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::temp_directory_path() / (std::string("cgroup-") + test->name());
    std::filesystem::remove_all(root_);
  }
  ~CgroupTree() { std::filesystem::remove_all(root_); }
  CgroupTree(const CgroupTree&) = delete;
  CgroupTree& operator=(const CgroupTree&) = delete;

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  std::string root() const { return root_.string(); }

 private:
  std::filesystem::path root_;
};

TEST(CgroupProcessors, Version2TakesTheSmallestOfAllParents) {
  const CgroupTree tree;
  tree.write("cpu.max", "max 100000\n");
  tree.write("a/cpu.max", "350000 100000\n");
  tree.write("a/b/cpu.max", "800000 100000\n");
  EXPECT_EQ(cgroup_processors("0::/a/b\n", tree.root()), 4);  // 3.5, rounded up
  EXPECT_EQ(cgroup_processors("0::/a\n", tree.root()), 4);
  EXPECT_EQ(cgroup_processors("0::/\n", tree.root()), 0);
}

TEST(CgroupProcessors, Version2InsideAContainerReadsTheMountPoint) {
  const CgroupTree tree;
  tree.write("cpu.max", "50000 100000\n");
  EXPECT_EQ(cgroup_processors("0::/\n", tree.root()), 1);
  EXPECT_EQ(cgroup_processors("0::/the/host/path\n", tree.root()), 1);
}

TEST(CgroupProcessors, Version1ReadsQuotaAndPeriod) {
  const CgroupTree tree;
  tree.write("cpu,cpuacct/job/cpu.cfs_quota_us", "250000\n");
  tree.write("cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  tree.write("cpu,cpuacct/free/cpu.cfs_quota_us", "-1\n");
  tree.write("cpu,cpuacct/free/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_processors("5:memory:/job\n4:cpu,cpuacct:/job\n", tree.root()), 3);
  EXPECT_EQ(cgroup_processors("4:cpu,cpuacct:/free\n", tree.root()), 0);
  EXPECT_EQ(cgroup_processors("4:memory:/job\n", tree.root()), 0);
}

TEST(CgroupProcessors, NonsenseMeansNoQuota) {
  const CgroupTree tree;
  tree.write("cpu.max", "many few\n");
  EXPECT_EQ(cgroup_processors("0::/\n", tree.root()), 0);
  EXPECT_EQ(cgroup_processors("", tree.root()), 0);
  EXPECT_EQ(cgroup_processors("no colons here", tree.root()), 0);
}

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
