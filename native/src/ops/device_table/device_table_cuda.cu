#include <limits>
#include <utility>

#include "core/growing_array.hpp"
#include "core/random.hpp"
#include "ops/cuda_launch.hpp"
#include "ops/device_table/device_table_cuda.hpp"
#include "ops/device_table/id_index.cuh"
#include "ops/sort/number_in_order.cuh"
#include "ops/sort/radix_sort_cuda.hpp"

namespace longer {
namespace {

constexpr int32_t kNever = std::numeric_limits<int32_t>::max();
constexpr int64_t kMostRows = kNever;
constexpr int64_t kFirstCapacity = 1024;
constexpr unsigned kFillBlocks = 1024;

/// Values of new rows, four columns a thread: those that fill_normal gives (core/random.hpp).
__global__ void fill_rows_kernel(const int32_t* former, const int32_t* next, const int64_t* ids,
                                 int64_t width, uint64_t key, float deviation, float* values,
                                 float* states) {
  constexpr double kTwoPi = 6.283185307179586;
  constexpr double kUnit = 1.0 / 4294967296.0;
  const int64_t blocks = (width + 3) / 4;
  const int64_t first = *former;
  const int64_t count = (*next - first) * blocks;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const int64_t row = first + i / blocks;
    const int64_t block = i % blocks;
    const auto id = static_cast<uint64_t>(ids[row]);
    const auto words = philox4x32({static_cast<uint32_t>(block), 0, static_cast<uint32_t>(id),
                                   static_cast<uint32_t>(id >> 32)},
                                  {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)});
    for (int64_t c = 0; c < 4 && block * 4 + c < width; ++c) {
      const auto pair = static_cast<size_t>(c / 2 * 2);
      const double radius = sqrt(-2.0 * log((words[pair] + 1.0) * kUnit));
      const double angle = kTwoPi * words[pair + 1] * kUnit;
      const double normal = radius * (c % 2 == 0 ? cos(angle) : sin(angle));
      values[row * width + block * 4 + c] = static_cast<float>(deviation * normal);
    }
    if (block == 0) states[row] = 0.0F;
  }
}

class CudaDeviceTable final : public DeviceTable {
 public:
  CudaDeviceTable(Memory& memory, const DeviceTableRules& rules)
      : memory_(memory),
        rules_(rules),
        key_(mix_bits(rules.seed ^ mix_bits(rules.random_stream))),
        ids_(memory),
        values_(memory),
        states_(memory),
        counts_(memory),
        slots_(memory),
        admitted_at_(memory) {
    counts_.reserve(3);
    const int32_t counts[] = {1, 0, 0};
    memory_.copy(counts_.data(), counts, sizeof(counts));
    reserve_rows(1);
  }

  void load(Stream& s, const Rows& rows, const std::vector<Pending>& pending) override {
    auto& stream = static_cast<CudaStream&>(s);
    reserve_rows(rows.num_rows);
    grow_index(stream, rows.num_rows + static_cast<int64_t>(pending.size()));
    const auto count = static_cast<size_t>(rows.num_rows);
    memory_.copy(ids_.data(), rows.ids, count * sizeof(int64_t));
    memory_.copy(values_.data(), rows.values,
                 count * static_cast<size_t>(rules_.width) * sizeof(float));
    memory_.copy(states_.data(), rows.states, count * sizeof(float));
    const auto num_rows = static_cast<int32_t>(rows.num_rows);
    memory_.copy(counts_.data(), &num_rows, sizeof(num_rows));
    num_rows_ = rows.num_rows;
    const IdIndex table = index();
    const int64_t* ids = ids_.data();
    for_elements(stream.get(), "index rows", rows.num_rows, [=] __device__(int64_t row) {
      if (row > 0) table.slots[table.find_or_take(ids[row])].row = static_cast<int32_t>(row);
    });
    GrowingArray<Pending> counted(memory_);
    counted.reserve(static_cast<int64_t>(pending.size()));
    if (!pending.empty())
      memory_.copy(counted.data(), pending.data(), pending.size() * sizeof(Pending));
    const Pending* p = counted.data();
    for_elements(
        stream.get(), "index counts", static_cast<int64_t>(pending.size()),
        [=] __device__(int64_t i) { table.slots[table.find_or_take(p[i].id)].count = p[i].count; });
    stream.synchronize();
    read_counts(stream);
  }

  bool moves(int64_t num_ids) const override {
    return ids_.moves(num_rows_ + num_ids) || capacity_for(num_used_ + num_ids) > capacity_;
  }
  void reserve(Stream& s, int64_t num_ids) override {
    auto& stream = static_cast<CudaStream&>(s);
    read_counts(stream);
    reserve_rows(num_rows_ + num_ids);
    grow_index(stream, num_used_ + num_ids);
    most_rows_ = num_rows_ + num_ids;
  }

  void find(Stream& s, const int64_t* ids, const uint8_t* present, int64_t count, bool inserts,
            int32_t* rows) override {
    auto& stream = static_cast<CudaStream&>(s);
    const IdIndex table = index();
    if (!inserts) {
      for_elements(stream.get(), "look ids up", count, [=] __device__(int64_t i) {
        if (present != nullptr && present[i] == 0) {
          rows[i] = -1;
          return;
        }
        const int32_t slot = table.find(ids[i]);
        rows[i] = slot < 0 ? 0 : table.slots[slot].row;
      });
      return;
    }
    const WorkspaceScope scope(stream.workspace());
    // slot_of[i]: where an id without a row stands, −1 for the others.
    auto* slot_of = stream.workspace().allocate<int32_t>(count);
    int32_t* admitted_at = admitted_at_.data();
    const bool counts_first = rules_.admission == 1;
    for_elements(stream.get(), "look ids up", count, [=] __device__(int64_t i) {
      slot_of[i] = -1;
      if (present != nullptr && present[i] == 0) {
        rows[i] = -1;
        return;
      }
      const int32_t slot = table.find_or_take(ids[i]);
      rows[i] = table.slots[slot].row;
      if (rows[i] > 0) return;
      slot_of[i] = slot;
      if (counts_first) atomicMin(&admitted_at[slot], static_cast<int32_t>(i));
    });
    if (!counts_first) count_occurrences(stream, slot_of, count);
    int64_t* row_ids = ids_.data();
    number_in_order(
        stream, "give new ids rows", count,
        [=] __device__(int64_t i) {
          return slot_of[i] >= 0 && admitted_at[slot_of[i]] == static_cast<int32_t>(i);
        },
        [=] __device__(int64_t i, int32_t row) {
          table.slots[slot_of[i]].row = row;
          row_ids[row] = ids[i];
        },
        counts_.data(), counts_.data() + 2);
    fill_rows_kernel<<<kFillBlocks, kElementThreads, 0, stream.get()>>>(
        counts_.data() + 2, counts_.data(), row_ids, rules_.width, key_, rules_.deviation,
        values_.data(), states_.data());
    for_elements(stream.get(), "read new rows", count, [=] __device__(int64_t i) {
      const int32_t slot = slot_of[i];
      if (slot >= 0 && i >= admitted_at[slot]) rows[i] = table.slots[slot].row;
    });
  }

  float* values() override { return values_.data(); }
  float* states() override { return states_.data(); }
  int64_t count_rows(Stream& s) override {
    read_counts(static_cast<CudaStream&>(s));
    return num_rows_;
  }
  int64_t most_rows() const override { return most_rows_; }

  void fetch(Stream& s, const Rows& rows, std::vector<Pending>& pending) override {
    auto& stream = static_cast<CudaStream&>(s);
    const auto count = static_cast<size_t>(rows.num_rows);
    const auto width = static_cast<size_t>(rules_.width);
    if (rows.ids != nullptr) stream.read(rows.ids, ids_.data(), count * sizeof(int64_t));
    if (rows.values != nullptr)
      stream.read(rows.values, values_.data(), count * width * sizeof(float));
    if (rows.states != nullptr) stream.read(rows.states, states_.data(), count * sizeof(float));
    pending.clear();
    if (rules_.admission == 1) return;
    std::vector<IdSlot> slots(static_cast<size_t>(capacity_ + 1));
    stream.read(slots.data(), slots_.data(), slots.size() * sizeof(IdSlot));
    for (const IdSlot& slot : slots)
      if (slot.row == 0 && slot.count > 0) pending.push_back({slot.id, slot.count});
  }

  int64_t bytes() const override {
    return ids_.bytes() + values_.bytes() + states_.bytes() + counts_.bytes() + slots_.bytes() +
           admitted_at_.bytes();
  }

 private:
  IdIndex index() const { return {slots_.data(), capacity_, counts_.data() + 1}; }

  /// Three quarters full at most.
  static int64_t capacity_for(int64_t num_ids) {
    int64_t capacity = kFirstCapacity;
    while (capacity / 4 * 3 < num_ids) capacity *= 2;
    return capacity;
  }

  void read_counts(CudaStream& stream) {
    int32_t counts[2];
    stream.read(counts, counts_.data(), sizeof(counts));
    num_rows_ = counts[0];
    num_used_ = counts[1];
    most_rows_ = num_rows_;
  }

  void reserve_rows(int64_t count) {
    if (count > kMostRows) {
      fail(Status::kOutOfMemory, "[embedding_table] a table holds at most ", kMostRows, " rows");
    }
    ids_.reserve(count);
    values_.reserve(ids_.capacity() * rules_.width);
    states_.reserve(ids_.capacity());
  }

 public:  // device lambdas must not stand in private functions
  /// Sets, of every id without a row, the occurrence that makes its count full (kNever if none
  /// does), or adds to its count.
  void count_occurrences(CudaStream& stream, const int32_t* slot_of, int64_t count) {
    const WorkspaceScope scope(stream.workspace());
    Workspace& workspace = stream.workspace();
    SortedPairs pairs;
    for (auto& keys : pairs.keys) keys = workspace.allocate<uint32_t>(count);
    for (auto& values : pairs.values) values = workspace.allocate<int32_t>(count);
    uint32_t* keys = pairs.keys[0];
    int32_t* occurrences = pairs.values[0];
    const int64_t none = capacity_ + 1;
    for_elements(stream.get(), "list ids without rows", count, [=] __device__(int64_t i) {
      keys[i] = static_cast<uint32_t>(slot_of[i] < 0 ? none : slot_of[i]);
      occurrences[i] = static_cast<int32_t>(i);
    });
    const int sorted = radix_sort_cuda(stream, pairs, count, bits_of(none));
    const uint32_t* slots = pairs.keys[sorted];
    const int32_t* order = pairs.values[sorted];
    const IdIndex table = index();
    int32_t* admitted_at = admitted_at_.data();
    const auto admission = static_cast<int32_t>(rules_.admission);
    for_elements(stream.get(), "count ids without rows", count, [=] __device__(int64_t i) {
      const uint32_t slot = slots[i];
      if (slot == none || (i > 0 && slots[i - 1] == slot)) return;
      int64_t low = i;  // of this slot
      int64_t high = count;
      while (high - low > 1) {
        const int64_t middle = (low + high) / 2;
        (slots[middle] == slot ? low : high) = middle;
      }
      const auto occurred = static_cast<int32_t>(high - i);
      const int32_t missing = admission - table.slots[slot].count;
      admitted_at[slot] = occurred >= missing ? order[i + missing - 1] : kNever;
      table.slots[slot].count = occurred >= missing ? 0 : table.slots[slot].count + occurred;
    });
  }

  void grow_index(CudaStream& stream, int64_t num_ids) {
    const int64_t capacity = capacity_for(num_ids);
    if (capacity <= capacity_) return;
    GrowingArray<IdSlot> former = std::move(slots_);
    const int64_t former_capacity = std::exchange(capacity_, capacity);
    slots_ = GrowingArray<IdSlot>(memory_);
    slots_.reserve(capacity + 1);
    admitted_at_ = GrowingArray<int32_t>(memory_);
    admitted_at_.reserve(capacity + 1);
    const IdIndex table = index();
    int32_t* admitted_at = admitted_at_.data();
    for_elements(stream.get(), "clear an index", capacity + 1, [=] __device__(int64_t i) {
      table.slots[i] = {IdIndex::kFree, 0, 0};
      admitted_at[i] = kNever;
    });
    check_cuda(cudaMemsetAsync(counts_.data() + 1, 0, sizeof(int32_t), stream.get()),
               "clear an index");
    const IdSlot* old = former.data();
    for_elements(stream.get(), "index again", former_capacity > 0 ? former_capacity + 1 : 0,
                 [=] __device__(int64_t i) {
                   const IdSlot slot = old[i];
                   const bool is_extra = i == former_capacity;
                   if (slot.id == IdIndex::kFree && !is_extra) return;
                   IdSlot& to = table.slots[table.find_or_take(slot.id)];
                   to.row = slot.row;
                   to.count = slot.count;
                 });
    stream.synchronize();  // the former slots are freed
  }

 private:
  Memory& memory_;
  DeviceTableRules rules_;
  uint64_t key_;
  int64_t num_rows_ = 1, num_used_ = 0, most_rows_ = 1;  // as last read
  int64_t capacity_ = 0;
  GrowingArray<int64_t> ids_;          // [rows]; entry 0 unused
  GrowingArray<float> values_;         // [rows, width]
  GrowingArray<float> states_;         // [rows]
  GrowingArray<int32_t> counts_;       // rows; used slots; rows before the last insertion
  GrowingArray<IdSlot> slots_;         // [capacity + 1]
  GrowingArray<int32_t> admitted_at_;  // [capacity + 1] occurrence that got the row
};

}  // namespace

std::unique_ptr<DeviceTable> make_device_table_cuda(Memory& memory, const DeviceTableRules& rules) {
  auto table = std::make_unique<CudaDeviceTable>(memory, rules);
  return table;
}

}  // namespace longer
