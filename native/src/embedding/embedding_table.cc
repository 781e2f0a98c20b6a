#include "embedding/embedding_table.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/random.hpp"
#include "longer/error.hpp"

namespace longer {
namespace {

constexpr size_t kFirstIndex = 1024;
constexpr int64_t kMostRows = std::numeric_limits<int32_t>::max();

/// SplitMix64's finaliser: ids that differ in few bits land far apart.
uint64_t scatter(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

EmbeddingTable::EmbeddingTable(std::string name, int64_t width, uint64_t seed, int64_t admission)
    : name_(std::move(name)),
      width_(width),
      seed_(seed),
      admission_(admission),
      values_(kMostRows * width),
      states_(kMostRows),
      ids_(kMostRows),
      index_(kFirstIndex, 0) {
  values_.reserve(width_);
  states_.reserve(1);
  ids_.reserve(1);
}

EmbeddingTable::EmbeddingTable(const EmbeddingTable& other)
    : name_(other.name_),
      width_(other.width_),
      seed_(other.seed_),
      admission_(other.admission_),
      num_rows_(other.num_rows_),
      values_(kMostRows * other.width_),
      states_(kMostRows),
      ids_(kMostRows),
      index_(other.index_),
      pending_(other.pending_) {
  values_.reserve(num_rows_ * width_);
  states_.reserve(num_rows_);
  ids_.reserve(num_rows_);
  std::copy_n(other.values_.data(), num_rows_ * width_, values_.data());
  std::copy_n(other.states_.data(), num_rows_, states_.data());
  std::copy_n(other.ids_.data(), num_rows_, ids_.data());
}

size_t EmbeddingTable::slot_of(int64_t id) const {
  return scatter(static_cast<uint64_t>(id)) & (index_.size() - 1);
}

int32_t EmbeddingTable::find(int64_t id) const {
  const size_t mask = index_.size() - 1;
  for (size_t slot = slot_of(id);; slot = (slot + 1) & mask) {
    const int32_t row = index_[slot];
    if (row == 0 || ids_[row] == id) return row;
  }
}

void EmbeddingTable::place(int64_t id, int32_t row) {
  const size_t mask = index_.size() - 1;
  size_t slot = slot_of(id);
  while (index_[slot] != 0) slot = (slot + 1) & mask;
  index_[slot] = row;
}

void EmbeddingTable::grow_index() {
  index_.assign(index_.size() * 2, 0);
  for (int64_t row = 1; row < num_rows_; ++row) place(ids_[row], static_cast<int32_t>(row));
}

int32_t EmbeddingTable::insert_new(int64_t id) {
  if (num_rows_ == kMostRows) {
    fail(Status::kOutOfMemory, "[embedding_table] table \"", name_,
         "\" holds the most rows it can: ", num_rows_);
  }
  values_.reserve((num_rows_ + 1) * width_);
  states_.reserve(num_rows_ + 1);
  ids_.reserve(num_rows_ + 1);
  if (static_cast<size_t>(num_rows_) * 2 >= index_.size()) grow_index();
  const auto row = static_cast<int32_t>(num_rows_);
  ids_[row] = id;
  states_[row] = 0.0F;
  place(id, row);
  ++num_rows_;
  return row;
}

void EmbeddingTable::lookup(const int64_t* ids, int64_t count, int32_t* rows) const {
  for (int64_t i = 0; i < count; ++i) rows[i] = find(ids[i]);
}

void EmbeddingTable::find_or_insert(const int64_t* ids, int64_t count, int32_t* rows) {
  const uint64_t stream = stream_of(name_);
  for (int64_t i = 0; i < count; ++i) {
    rows[i] = find(ids[i]);
    if (rows[i] != 0 || !is_admitted(ids[i])) continue;
    rows[i] = insert_new(ids[i]);
    fill_normal(seed_, stream, static_cast<uint64_t>(ids[i]), kDeviation,
                values() + rows[i] * width_, width_);
  }
}

bool EmbeddingTable::is_admitted(int64_t id) {
  if (admission_ == 1) return true;
  int32_t& count = pending_[id];
  if (++count < admission_) return false;
  pending_.erase(id);
  return true;
}

std::vector<EmbeddingTable::Pending> EmbeddingTable::pending_by_id() const {
  std::vector<Pending> pending;
  pending.reserve(pending_.size());
  for (const auto& [id, count] : pending_) pending.push_back({id, count});
  std::sort(pending.begin(), pending.end(),
            [](const Pending& a, const Pending& b) { return a.id < b.id; });
  return pending;
}

void EmbeddingTable::reset_training() {
  std::fill_n(states(), num_rows_, 0.0F);
  pending_.clear();
}

void EmbeddingTable::add_rows(const int64_t* ids, int64_t count) {
  for (int64_t i = 0; i < count; ++i) insert_new(ids[i]);
}

void EmbeddingTable::insert_or_assign(int64_t id, const float* values_in, float state) {
  int32_t row = find(id);
  if (row == 0) row = insert_new(id);
  std::copy_n(values_in, width_, values() + row * width_);
  states_[row] = state;
}

std::vector<int32_t> EmbeddingTable::rows_by_id() const {
  std::vector<int32_t> rows;
  rows.reserve(static_cast<size_t>(num_ids()));
  for (int64_t row = 1; row < num_rows_; ++row) rows.push_back(static_cast<int32_t>(row));
  std::sort(rows.begin(), rows.end(), [this](int32_t a, int32_t b) { return ids_[a] < ids_[b]; });
  return rows;
}

int64_t EmbeddingTable::bytes() const {
  // A node of the map holds its pair and a link; a bucket is one link more.
  const size_t pending = pending_.size() * (sizeof(*pending_.begin()) + sizeof(void*)) +
                         pending_.bucket_count() * sizeof(void*);
  return values_.bytes() + states_.bytes() + ids_.bytes() +
         static_cast<int64_t>(index_.capacity() * sizeof(int32_t) + pending);
}

}  // namespace longer
