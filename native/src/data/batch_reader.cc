#include "data/batch_reader.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "longer/error.hpp"

namespace longer {
namespace {

using Json = nlohmann::json;

constexpr int kStateVersion = 1;
constexpr int64_t kMaxThreads = 256;
constexpr int64_t kMaxRequests = int64_t{1} << 30;

const ReaderOptions& checked(const ReaderOptions& options) {
  const auto check = [](const char* name, int64_t value, int64_t low, int64_t high) {
    check_argument(value >= low && value <= high, "[reader] ", name, " must be in ", low, " … ",
                   high, "; got ", value);
  };
  check("batch_requests", options.batch_requests, 1, kMaxRequests);
  check("batch_events", options.batch_events, 0, kMaxRequests);
  check("max_history", options.max_history, 0, kMaxRequests);
  check("epoch", options.epoch, 0, int64_t{1} << 62);
  check("num_workers", options.num_workers, 1, int64_t{1} << 30);
  check("worker", options.worker, 0, options.num_workers - 1);
  check("threads", options.threads, 0, kMaxThreads);
  return options;
}

/// Places worker, worker + num_workers … below `total`.
int64_t share(int64_t total, const ReaderOptions& options) {
  return total <= options.worker ? 0 : (total - options.worker - 1) / options.num_workers + 1;
}

}  // namespace

BatchReader::BatchReader(std::shared_ptr<const Shards> shards, const ColumnSelection& selection,
                         const ReaderOptions& options)
    : shards_(std::move(shards)),
      options_(checked(options)),
      permutation_(shards_->counts().requests, options.seed, static_cast<uint64_t>(options.epoch)),
      num_requests_(share(shards_->counts().requests, options)) {
  check_argument(options.first_request >= 0 && options.first_request <= num_requests_,
                 "[reader] first_request must be in 0 … ", num_requests_, "; got ",
                 options.first_request);
  planned_position_ = position_ = options.first_request;
  // One in use, one ready, one being gathered by each thread.
  const int64_t num_slots = options_.threads == 0 ? 1 : options_.threads + 2;
  slots_.reserve(static_cast<size_t>(num_slots));
  for (int64_t i = 0; i < num_slots; ++i)
    slots_.emplace_back(GatheredBatch(shards_->schema(), selection));
}

BatchReader::~BatchReader() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_stopped_ = true;
  }
  has_room_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

int64_t BatchReader::request_at(int64_t position) const {
  const int64_t place = options_.worker + position * options_.num_workers;
  return options_.shuffle ? permutation_(place) : place;
}

bool BatchReader::is_all_planned() const {
  return is_broken_ || planned_position_ == num_requests_;
}

/// Decides which requests the next batch has. Needs the lock: batches follow each other.
BatchReader::Slot& BatchReader::plan() {
  Slot& slot = slots_[static_cast<size_t>(planned_) % slots_.size()];
  ++planned_;
  slot.requests.clear();
  slot.is_ready = false;
  slot.error = nullptr;
  try {
    int64_t events = 0;
    while (planned_position_ < num_requests_ &&
           static_cast<int64_t>(slot.requests.size()) < options_.batch_requests) {
      const int64_t request = request_at(planned_position_);
      if (options_.batch_events > 0) {
        const auto [shard, index] = shards_->place(request);
        events += GatheredBatch::newest(shard->request(index), options_.max_history).events.size();
        if (events > options_.batch_events && !slot.requests.empty()) break;
      }
      slot.requests.push_back(request);
      ++planned_position_;
    }
  } catch (...) {
    slot.error = std::current_exception();
    is_broken_ = true;
  }
  slot.end = planned_position_;
  return slot;
}

void BatchReader::gather(Slot& slot) noexcept {
  if (slot.error != nullptr) return;
  try {
    slot.batch.gather(*shards_, slot.requests, options_.max_history);
  } catch (...) {
    slot.error = std::current_exception();
  }
}

void BatchReader::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto num_slots = static_cast<int64_t>(slots_.size());
  for (;;) {
    has_room_.wait(
        lock, [&] { return is_stopped_ || is_all_planned() || planned_ < released_ + num_slots; });
    if (is_stopped_ || is_all_planned()) return;
    Slot& slot = plan();
    lock.unlock();
    gather(slot);
    lock.lock();
    slot.is_ready = true;
    has_batch_.notify_one();
  }
}

void BatchReader::start() {
  is_started_ = true;
  for (int64_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
}

const GatheredBatch* BatchReader::next() {
  if (!is_started_) start();
  std::unique_lock<std::mutex> lock(mutex_);
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  if (released_ < returned_) {
    released_ = returned_;
    has_room_.notify_one();
  }
  if (returned_ == planned_ && is_all_planned()) return nullptr;
  if (threads_.empty()) {
    Slot& slot = plan();
    gather(slot);
    slot.is_ready = true;
  }
  Slot& slot = slots_[static_cast<size_t>(returned_) % slots_.size()];
  has_batch_.wait(lock, [&] { return planned_ > returned_ && slot.is_ready; });
  ++returned_;
  if (slot.error != nullptr) {
    failure_ = slot.error;
    std::rethrow_exception(failure_);
  }
  position_ = slot.end;
  return &slot.batch;
}

std::string BatchReader::state() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Json state = {{"format_version", kStateVersion},
                      {"shards", shards_->fingerprint()},
                      {"requests", shards_->counts().requests},
                      {"shuffle", options_.shuffle},
                      {"seed", options_.seed},
                      {"epoch", options_.epoch},
                      {"worker", options_.worker},
                      {"num_workers", options_.num_workers},
                      {"position", position_}};
  return state.dump();
}

void BatchReader::restore(std::string_view text) {
  if (is_started_)
    fail(Status::kInvalidState, "[reader] the state must be restored before the first batch");
  const Json state = Json::parse(text, nullptr, false);
  check_argument(state.is_object(), "[reader] the state is not a JSON object");
  Json expected = Json::parse(this->state());
  expected.erase("position");
  for (const auto& item : expected.items()) {
    const auto found = state.find(item.key());
    check_argument(found != state.end() && *found == item.value(), "[reader] the state's ",
                   item.key(), " must be ", item.value().dump(), "; got ",
                   found == state.end() ? "nothing" : found->dump());
  }
  const auto position = state.find("position");
  const bool valid = position != state.end() && position->is_number_unsigned() &&
                     position->get<uint64_t>() <= static_cast<uint64_t>(num_requests_);
  check_argument(valid, "[reader] the state's position must be in 0 … ", num_requests_, "; got ",
                 position == state.end() ? "nothing" : position->dump());
  planned_position_ = position->get<int64_t>();
  position_ = planned_position_;
}

}  // namespace longer
