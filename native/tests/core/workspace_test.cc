#include "core/workspace.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>

#include "longer/error.hpp"

namespace longer {
namespace {

bool is_aligned(const void* p) { return reinterpret_cast<uintptr_t>(p) % 64 == 0; }

TEST(Workspace, AllocationsAreAlignedAndApart) {
  Workspace workspace;
  auto* bytes = workspace.allocate<char>(1);
  auto* floats = workspace.allocate<float>(100);
  auto* nothing = workspace.allocate<float>(0);
  auto* after = workspace.allocate<float>(1);
  EXPECT_TRUE(is_aligned(bytes) && is_aligned(floats) && is_aligned(nothing) && is_aligned(after));
  *bytes = 'x';
  std::memset(floats, 0, 400);
  *after = 1.0F;
  EXPECT_EQ(*bytes, 'x');
  EXPECT_EQ(floats[99], 0.0F);
  EXPECT_NE(nothing, after);
}

TEST(Workspace, BlocksDoNotMoveWhenItGrows) {
  Workspace workspace;
  std::vector<int*> pointers;
  for (int i = 0; i < 200; ++i) {
    pointers.push_back(workspace.allocate<int>(10000));
    *pointers.back() = i;
  }
  for (int i = 0; i < 200; ++i) EXPECT_EQ(*pointers[static_cast<size_t>(i)], i);
}

TEST(Workspace, ScopeGivesMemoryBack) {
  Workspace workspace;
  workspace.allocate<float>(10);
  float* inside = nullptr;
  {
    const WorkspaceScope scope(workspace);
    inside = workspace.allocate<float>(10);
  }
  EXPECT_EQ(workspace.allocate<float>(10), inside);
}

TEST(Workspace, SteadyStateDoesNotGrow) {
  Workspace workspace;
  const auto pass = [&](int64_t unit) {
    const WorkspaceScope scope(workspace);
    workspace.allocate<float>(unit);
    for (int64_t i = 1; i < 20; ++i) {
      const WorkspaceScope inner(workspace);
      workspace.allocate<float>(i * unit);
      workspace.allocate<double>((20 - i) * unit);
    }
    workspace.allocate<float>(7 * unit);
  };
  pass(40000);
  const size_t capacity = workspace.capacity_bytes();
  for (int64_t unit : {40000, 100, 40000, 39999, 1, 40000}) pass(unit);
  EXPECT_EQ(workspace.capacity_bytes(), capacity);
}

TEST(Workspace, MatrixIsDense) {
  Workspace workspace;
  const MatrixView m = workspace.matrix(3, 5);
  EXPECT_EQ(m.rows, 3);
  EXPECT_EQ(m.cols, 5);
  EXPECT_EQ(m.stride, 5);
}

TEST(Workspace, NoRoomIsATypedErrorAndLeavesItUsable) {
  Workspace workspace;
  auto* before = workspace.allocate<float>(4);
  *before = 2.0F;
  for (int64_t count : {int64_t{1} << 62, int64_t{-1}}) {
    try {
      workspace.allocate<float>(count);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), Status::kOutOfMemory);
      EXPECT_FALSE(error.details().is_fatal);
    }
  }
  EXPECT_EQ(*before, 2.0F);
  EXPECT_NE(workspace.allocate<float>(4), nullptr);
}

TEST(ThreadWorkspace, IsTheThreadsOwn) {
  Workspace* mine = &thread_workspace();
  Workspace* other = nullptr;
  std::thread([&] { other = &thread_workspace(); }).join();
  EXPECT_EQ(mine, &thread_workspace());
  EXPECT_NE(mine, other);
}

}  // namespace
}  // namespace longer
