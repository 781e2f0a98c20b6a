#pragma once
#include "core/thread_pool.hpp"
#include "core/workspace.hpp"

namespace longer {

/// The order in which a backend runs stages, and its scratch memory. One thread at a time. The CPU
/// runs a stage before the call returns; the CUDA stream (cuda_stream.hpp) enqueues.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Waits until all that was enqueued is done.
  virtual void synchronize() = 0;
};

/// The CPU's stream: threads (null = the calling one) and a workspace.
class CpuStream final : public Stream {
 public:
  explicit CpuStream(ThreadPool* pool) : pool_(pool) {}
  void synchronize() override {}
  ThreadPool* pool() const { return pool_; }
  Workspace& workspace() { return workspace_; }

 private:
  ThreadPool* pool_;
  Workspace workspace_;
};

}  // namespace longer
