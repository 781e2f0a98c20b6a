#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/matrix.hpp"
#include "core/memory.hpp"

namespace longer {

/// A growing stack of scratch memory, on the host or on a device: allocation is a pointer bump,
/// memory is kept between uses. One thread at a time.
///
/// Blocks never move, so pointers stay valid until their mark is released. Allocations are 64-byte
/// aligned and not initialised. After the first pass over the largest shape no call allocates.
class Workspace {
 public:
  explicit Workspace(Memory& memory = host_memory()) : memory_(&memory) {}
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  /// `count` elements of a trivial type. Throws OutOfMemory.
  template <class T>
  T* allocate(int64_t count) {
    return static_cast<T*>(allocate_elements(count, sizeof(T)));
  }
  MatrixView matrix(int64_t rows, int64_t cols) {
    return {allocate<float>(rows * cols), rows, cols};
  }

  /// A position to return to; releasing it frees, in stack order, all that was allocated after.
  struct Mark {
    size_t block;
    size_t used;
  };
  Mark mark() const { return {current_, used_}; }
  void release(Mark mark) {
    current_ = mark.block;
    used_ = mark.used;
  }
  size_t capacity_bytes() const;
  Memory& memory() const { return *memory_; }

 private:
  struct Block {
    std::byte* data;
    size_t bytes;
  };
  void* allocate_elements(int64_t count, size_t element_bytes);

  Memory* memory_;
  std::vector<Block> blocks_;
  size_t current_ = 0;  // block in use
  size_t used_ = 0;     // bytes used of it
};

/// Releases on scope exit what was allocated inside the scope.
class WorkspaceScope {
 public:
  explicit WorkspaceScope(Workspace& workspace) : workspace_(workspace), mark_(workspace.mark()) {}
  ~WorkspaceScope() { workspace_.release(mark_); }
  WorkspaceScope(const WorkspaceScope&) = delete;
  WorkspaceScope& operator=(const WorkspaceScope&) = delete;

 private:
  Workspace& workspace_;
  Workspace::Mark mark_;
};

/// The calling thread's own scratch, for what one work item needs; kept until the thread ends. Use
/// it inside a WorkspaceScope.
Workspace& thread_workspace();

}  // namespace longer
