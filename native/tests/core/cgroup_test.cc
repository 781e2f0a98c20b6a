#include "core/cgroup.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

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

TEST(CgroupMemory, Version2TakesTheSmallestOfAllParents) {
  const CgroupTree tree;
  tree.write("a/memory.max", "1073741824\n");
  tree.write("a/b/memory.max", "max\n");
  EXPECT_EQ(cgroup_memory_bytes("0::/a/b\n", tree.root()), 1073741824);
  EXPECT_EQ(cgroup_memory_bytes("0::/\n", tree.root()), 0);
}

TEST(CgroupMemory, Version1WritesNoLimitAsAHugeNumber) {
  const CgroupTree tree;
  tree.write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  tree.write("memory/job/memory.limit_in_bytes", "6442450944\n");
  EXPECT_EQ(cgroup_memory_bytes("4:memory:/\n0::/\n", tree.root()), 0);
  EXPECT_EQ(cgroup_memory_bytes("4:memory:/job\n0::/\n", tree.root()), 6442450944);
  EXPECT_EQ(cgroup_memory_bytes("4:memory:/of/the/host\n", tree.root()), 0);
}

}  // namespace
}  // namespace longer
