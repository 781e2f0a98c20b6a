// A table trained in device memory against the host's: the same rows for the same ids in the same
// order.
#include "ops/device_table/device_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "core/growing_array.hpp"
#include "core/random.hpp"
#include "embedding/embedding_table.hpp"
#include "ops/backend.hpp"

namespace longer {
namespace {

constexpr int64_t kWidth = 6;
constexpr uint64_t kSeed = 11;

class DeviceTables : public ::testing::TestWithParam<int64_t> {
 protected:
  DeviceTables()
      : backend_(make_backend({DeviceKind::kCuda, 0, 0})),
        stream_(backend_->make_stream()),
        host_("movie", kWidth, kSeed, GetParam()),
        device_(backend_->make_device_table(
            {kWidth, GetParam(), kSeed, stream_of("movie"), EmbeddingTable::kDeviation})) {}

  void load() {
    std::vector<DeviceTable::Pending> pending;
    for (const auto& p : host_.pending_by_id()) pending.push_back({p.id, p.count});
    device_->load(*stream_, {host_.num_rows(), host_.ids(), host_.values(), host_.states()},
                  pending);
  }

  template <class T>
  const T* upload(Workspace& memory, const std::vector<T>& values) {
    T* placed = memory.allocate<T>(static_cast<int64_t>(values.size()));
    backend_->memory().copy(placed, values.data(), values.size() * sizeof(T));
    return placed;
  }

  /// Rows on the device; ids whose `present` is 0 get −1.
  std::vector<int32_t> find(const std::vector<int64_t>& ids, const std::vector<uint8_t>& present,
                            bool inserts) {
    Workspace memory(backend_->memory());
    const auto count = static_cast<int64_t>(ids.size());
    auto* rows = memory.allocate<int32_t>(count);
    device_->find(*stream_, upload(memory, ids),
                  present.empty() ? nullptr : upload(memory, present), count, inserts, rows);
    std::vector<int32_t> found(ids.size());
    stream_->read(found.data(), rows, found.size() * sizeof(int32_t));
    return found;
  }
  std::vector<int32_t> host_rows(const std::vector<int64_t>& ids,
                                 const std::vector<uint8_t>& present, bool inserts) {
    std::vector<int32_t> rows(ids.size(), -1);
    for (size_t i = 0; i < ids.size(); ++i) {
      if (!present.empty() && present[i] == 0) continue;
      if (inserts) {
        host_.find_or_insert(&ids[i], 1, &rows[i]);
      } else {
        host_.lookup(&ids[i], 1, &rows[i]);
      }
    }
    return rows;
  }

  void expect_same_tables() {
    const int64_t count = device_->count_rows(*stream_);
    ASSERT_EQ(count, host_.num_rows());
    std::vector<int64_t> ids(static_cast<size_t>(count));
    std::vector<float> values(static_cast<size_t>(count * kWidth));
    std::vector<float> states(static_cast<size_t>(count), 7.0F);
    std::vector<DeviceTable::Pending> pending;
    device_->fetch(*stream_, {count, ids.data(), values.data(), states.data()}, pending);
    for (int32_t row = 1; row < count; ++row) {
      ASSERT_EQ(ids[static_cast<size_t>(row)], host_.id_of(row));
      EXPECT_EQ(states[static_cast<size_t>(row)], host_.states()[row]);
      for (int64_t c = 0; c < kWidth; ++c) {
        // CUDA's logarithm and sines in double are within 2 ulp of the host's.
        EXPECT_FLOAT_EQ(values[static_cast<size_t>(row * kWidth + c)],
                        host_.values()[row * kWidth + c]);
      }
    }
    std::sort(pending.begin(), pending.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    const auto expected = host_.pending_by_id();
    ASSERT_EQ(pending.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(pending[i].id, expected[i].id);
      EXPECT_EQ(pending[i].count, expected[i].count);
    }
  }

  std::shared_ptr<Backend> backend_;
  std::unique_ptr<Stream> stream_;
  EmbeddingTable host_;
  std::unique_ptr<DeviceTable> device_;
};

INSTANTIATE_TEST_SUITE_P(Admission, DeviceTables, ::testing::Values(1, 2, 3, 7));

TEST_P(DeviceTables, GiveIdsTheRowsOfTheHostsTable) {
  std::mt19937_64 random(3);
  // Ids that repeat, are close together, negative, and the extreme ones.
  const auto draw = [&random](int64_t range) -> int64_t {
    switch (random() % 16) {
      case 0:
        return std::numeric_limits<int64_t>::min();
      case 1:
        return std::numeric_limits<int64_t>::max();
      case 2:
        return -static_cast<int64_t>(random() % 40);
      default:
        return static_cast<int64_t>(random() % static_cast<uint64_t>(range)) * 4096;
    }
  };
  load();
  for (const int64_t size : {1, 500, 0, 3000, 6000}) {
    SCOPED_TRACE("ids " + std::to_string(size));
    device_->reserve(*stream_, 2 * size);
    for (int feature = 0; feature < 2; ++feature) {
      std::vector<int64_t> ids;
      std::vector<uint8_t> present;
      for (int64_t i = 0; i < size; ++i) {
        ids.push_back(draw(1 + size / 2));
        if (feature == 1) present.push_back(random() % 4 != 0);
      }
      EXPECT_EQ(find(ids, present, true), host_rows(ids, present, true));
      ids.push_back(987654321);
      if (!present.empty()) present.push_back(1);
      EXPECT_EQ(find(ids, present, false), host_rows(ids, present, false));
    }
    EXPECT_LE(device_->count_rows(*stream_), host_.num_rows());
    expect_same_tables();
  }
}

TEST_P(DeviceTables, GoOnFromATableThatTheHostHas) {
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < 5000; ++i) ids.push_back(i * i % 3001 - 1500);
  std::vector<int32_t> rows(ids.size());
  host_.find_or_insert(ids.data(), static_cast<int64_t>(ids.size()), rows.data());
  for (int64_t row = 0; row < host_.num_rows(); ++row)
    host_.states()[row] = static_cast<float>(row);
  load();
  expect_same_tables();
  for (int64_t& id : ids) id += 700;
  device_->reserve(*stream_, static_cast<int64_t>(ids.size()));
  EXPECT_EQ(find(ids, {}, true), host_rows(ids, {}, true));
  expect_same_tables();
}

}  // namespace
}  // namespace longer
