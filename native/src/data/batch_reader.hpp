#pragma once
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/condition.hpp"
#include "data/gathered_batch.hpp"
#include "data/permutation.hpp"
#include "data/shards.hpp"

namespace longer {

/// How a pass over shards is cut into batches. Field for field `longer_reader_options` of the C
/// ABI.
struct ReaderOptions {
  int64_t batch_requests = 64;  ///< most requests of a batch
  int64_t batch_events = 0;     ///< most events of a batch of several requests; 0 = any number
  int64_t max_history = 0;      ///< newest events kept of a history; 0 = all
  bool shuffle = true;          ///< false: stored order
  uint64_t seed = 0;
  int64_t epoch = 0;   ///< each has an order of its own
  int64_t worker = 0;  ///< reads places worker, worker + num_workers … of the order
  int64_t num_workers = 1;
  int64_t threads = 2;        ///< that gather ahead; 0 = the caller gathers
  int64_t first_request = 0;  ///< requests of the pass that come before the first batch
};

/// One pass over shards in batches; threads gather ahead. Order and batches depend on shards,
/// options and nothing else, for any number of threads. One thread at a time.
class BatchReader {
 public:
  /// Throws InvalidArgument for options out of range.
  BatchReader(std::shared_ptr<const Shards> shards, const ColumnSelection& selection,
              const ReaderOptions& options);
  ~BatchReader();
  BatchReader(const BatchReader&) = delete;
  BatchReader& operator=(const BatchReader&) = delete;

  /// The next batch, valid until the next call, or null at the end. Throws what gathering it threw,
  /// in the batch's turn, and from then on.
  const GatheredBatch* next();

  /// Requests of this worker's whole pass.
  int64_t num_requests() const { return num_requests_; }
  /// Where the pass stands after the last batch that `next` returned, as JSON: what `restore` needs
  /// to go on with the very next one.
  std::string state() const;
  /// Goes to a state of the same shards, order and worker; before the first `next`. Batch limits
  /// may differ. Throws InvalidArgument naming what differs.
  void restore(std::string_view state);

 private:
  struct Slot {
    explicit Slot(GatheredBatch empty) : batch(std::move(empty)) {}
    GatheredBatch batch;
    std::vector<int64_t> requests;
    int64_t end = 0;  // position after it
    bool is_ready = false;
    std::exception_ptr error;
  };

  void start();
  void work();
  bool is_all_planned() const;
  Slot& plan();
  void gather(Slot& slot) noexcept;
  int64_t request_at(int64_t position) const;

  const std::shared_ptr<const Shards> shards_;
  const ReaderOptions options_;
  const Permutation permutation_;
  const int64_t num_requests_;
  std::vector<Slot> slots_;  // batch s lies in slot s mod size
  std::vector<std::thread> threads_;

  mutable std::mutex mutex_;
  Condition has_room_;            // a batch was given back, or stop
  Condition has_batch_;           // a batch is ready
  int64_t planned_position_ = 0;  // of the first request in no batch yet
  int64_t planned_ = 0;           // batches planned
  int64_t returned_ = 0;          // batches that next returned
  int64_t released_ = 0;          // batches whose slot is free again
  int64_t position_ = 0;          // after the last batch returned
  bool is_broken_ = false;        // planning met an error: nothing follows it
  bool is_started_ = false;
  bool is_stopped_ = false;
  std::exception_ptr failure_;
};

}  // namespace longer
