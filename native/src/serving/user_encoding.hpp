#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/aligned_buffer.hpp"
#include "model/encode_append.hpp"
#include "model/owned_events.hpp"
#include "serving/history_hash.hpp"

namespace longer {

/// Which of a user's events an encoding read: ordinals [window_start, event_count); counted from
/// the window's oldest event under Anchor::kNewest, where ordinals do not matter.
struct HistoryExtent {
  int64_t window_start = 0;
  int64_t event_count = 0;

  bool operator==(const HistoryExtent& other) const {
    return window_start == other.window_start && event_count == other.event_count;
  }
};

/// What a cached encoding must agree on to be used (LONGER §3.6.3). The version of the model stands
/// for its configuration too.
struct HistoryKey {
  int64_t user_key = 0;
  int64_t history_version = 0;  // the caller's, or the hash of the history
  int64_t model_version = 0;
  int64_t reference_time = 0;           // 0 unless the time mode is REQUEST_RELATIVE
  std::optional<HistoryExtent> extent;  // absent in a request that comes without its history

  bool matches(const HistoryKey& wanted) const {
    return user_key == wanted.user_key && history_version == wanted.history_version &&
           model_version == wanted.model_version && reference_time == wanted.reference_time &&
           (!wanted.extent.has_value() || extent == wanted.extent);
  }
};

/// What an append goes on from.
struct HistoryEnd {
  OwnedEvents tail;                      // of the last group, while it has free slots
  std::optional<int64_t> previous_time;  // of the event before the tail; absent outside the window
  HistoryHash hash;
  int64_t first_ordinal = 0;  // of the first event in the hash
};

/// What an append makes of an encoding.
struct HistoryChange {
  HistoryKey key;
  CachedHistory history;
  HistoryEnd end;
  AppendedRows rows;
};

/// The keys and values of one user's merged rows in every layer, their share of the head, and what
/// an append needs beside these. Changed by appends alone, while nobody works with it. Counts its
/// bytes as native memory.
class UserEncoding {
 public:
  /// Keys and values, and the share of the head, are yet to be written.
  UserEncoding(const HistoryKey& key, const Config& config, const CachedHistory& history,
               Memory& memory = host_memory());
  /// A changed copy, with new room for appends.
  UserEncoding(const UserEncoding& former, HistoryChange&& change);
  ~UserEncoding();
  UserEncoding& operator=(const UserEncoding&) = delete;

  const HistoryKey& key() const { return key_; }
  const CachedHistory& history() const { return history_; }
  UserKeysValues& keys_values() { return keys_values_; }
  const UserKeysValues& keys_values() const { return keys_values_; }
  const HistoryEnd& end() const { return end_; }
  ConstMatrixView query_rows() const { return query_rows_.view(); }
  ConstMatrixView head_rows() const { return head_rows_.view(); }
  int64_t bytes() const { return bytes_; }

  /// Keeps what an append needs: where the history ends, and the rows that its encoding left.
  void finish(HistoryEnd&& end, const Activations& activations);
  /// Whether `apply` writes few rows and has room for them.
  bool has_room(const HistoryChange& change) const;
  void apply(HistoryChange&& change);

 private:
  friend class EncodingInUse;
  /// Counts the bytes and views the memory.
  void update();
  void copy_share(ConstMatrixView share);

  HistoryKey key_;
  CachedHistory history_;
  HistoryEnd end_;
  std::vector<GrowingRows> layers_;  // keys and values [rows, 2D]
  GrowingRows query_rows_;           // [queries, D] input of layer 1; none unless needs_query_rows
  GrowingRows head_rows_;            // [queries, D] rows for the head; none unless needs_head_rows
  AlignedBuffer head_share_;         // [D]; empty where the head takes nothing from the history
  UserKeysValues keys_values_;       // views of these
  int64_t bytes_ = 0;
  std::atomic<int64_t> users_{0};
};

/// An encoding that a call works with: it stays alive and unchanged until this ends. Movable, one
/// thread.
class EncodingInUse {
 public:
  EncodingInUse() = default;
  explicit EncodingInUse(std::shared_ptr<UserEncoding> encoding) : encoding_(std::move(encoding)) {
    if (encoding_ != nullptr) encoding_->users_.fetch_add(1, std::memory_order_relaxed);
  }
  EncodingInUse(EncodingInUse&& other) noexcept = default;
  EncodingInUse& operator=(EncodingInUse&& other) noexcept {
    std::swap(encoding_, other.encoding_);
    return *this;
  }
  ~EncodingInUse() {
    // Pairs with the acquire in is_shared: what was read is read before a change is written.
    if (encoding_ != nullptr) encoding_->users_.fetch_sub(1, std::memory_order_release);
  }

  explicit operator bool() const { return encoding_ != nullptr; }
  const UserEncoding& operator*() const { return *encoding_; }
  const UserEncoding* operator->() const { return encoding_.get(); }
  /// Whether another call works with it too. Final only while nobody can find it in the cache.
  bool is_shared() const { return encoding_->users_.load(std::memory_order_acquire) > 1; }

 private:
  std::shared_ptr<UserEncoding> encoding_;
};

}  // namespace longer
