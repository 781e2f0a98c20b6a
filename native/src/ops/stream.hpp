#pragma once
#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "core/matrix.hpp"
#include "core/placed_array.hpp"
#include "core/thread_pool.hpp"
#include "core/workspace.hpp"

namespace longer {

/// Work that a stream has run before, in the form in which it runs it again.
class Recording {
 public:
  virtual ~Recording() = default;
};

/// The order in which a backend runs stages, its scratch memory, and the ways in and out of the
/// memory that stages read (native/docs/design/0006-device-memory.md). One thread at a time. The
/// CPU runs a stage before the call returns; the CUDA stream (cuda_stream.hpp) enqueues.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Waits until all that was enqueued is done.
  virtual void synchronize() = 0;
  virtual int64_t scratch_bytes() const = 0;
  /// What is enqueued here from now on runs after all that `other`, of the same backend, has.
  virtual void wait_for(Stream& other) = 0;
  /// Runs `work`, which enqueues stages and reads nothing back, as one: launched once where the
  /// device can. `ready` is called before the first of it may run; `recording`, null at first,
  /// makes the next run of similar work cheaper. Rethrows what either throws.
  virtual void run(std::unique_ptr<Recording>& recording, const std::function<void()>& ready,
                   const std::function<void()>& work) = 0;

  virtual void zero(float* data, int64_t count) = 0;
  /// Either side may be host memory, which may be changed or freed when the call returns, but what
  /// goes to the host is there only after `synchronize`.
  virtual void copy(float* to, const float* from, int64_t count) = 0;
  /// Puts host arrays where stages read them: copies in `memory`, written at once, or the arrays
  /// themselves where that is host memory.
  virtual void place(Workspace& memory, const Placement* arrays, size_t count) = 0;
  /// Sets bytes that stages read; `from` may be changed when the call returns.
  virtual void write(void* to, const void* from, size_t bytes) = 0;
  /// Reads bytes once all that was enqueued is done.
  virtual void read(void* to, const void* from, size_t bytes) = 0;
  /// A contiguous matrix where the host reads it, once all that was enqueued is done: itself on the
  /// CPU, else in `copy`.
  virtual ConstMatrixView fetch(ConstMatrixView m, std::vector<float>& copy) = 0;
};

/// The CPU's stream: threads (null = the calling one) and a workspace.
class CpuStream final : public Stream {
 public:
  explicit CpuStream(ThreadPool* pool) : pool_(pool) {}
  void synchronize() override {}
  int64_t scratch_bytes() const override {
    return static_cast<int64_t>(workspace_.capacity_bytes());
  }
  void wait_for(Stream&) override {}
  void run(std::unique_ptr<Recording>&, const std::function<void()>& ready,
           const std::function<void()>& work) override {
    ready();
    work();
  }
  void zero(float* data, int64_t count) override { std::fill_n(data, count, 0.0F); }
  void copy(float* to, const float* from, int64_t count) override { std::copy_n(from, count, to); }
  void place(Workspace&, const Placement* arrays, size_t count) override {
    for (size_t i = 0; i < count; ++i) *arrays[i].placed = arrays[i].host;
  }
  void write(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void read(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  ConstMatrixView fetch(ConstMatrixView m, std::vector<float>&) override { return m; }

  ThreadPool* pool() const { return pool_; }
  Workspace& workspace() { return workspace_; }

 private:
  ThreadPool* pool_;
  Workspace workspace_;
};

}  // namespace longer
