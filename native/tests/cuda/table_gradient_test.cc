// Gradients of table rows grouped and summed on the device: against sums in double, and the same
// bits twice.
#include "ops/segment_sum/table_gradient.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "ops/backend.hpp"

namespace longer {
namespace {

/// What one stage sends, on the host and on the device.
struct Sent {
  std::vector<int32_t> rows, offsets;
  std::vector<float> values;  // [count, stride]
  int64_t count = 0, stride = 0;
};

class TableGradients : public ::testing::Test {
 protected:
  TableGradients()
      : backend_(make_backend({DeviceKind::kCuda, 0, 0})),
        stream_(backend_->make_stream()),
        memory_(backend_->memory()) {}

  template <class T>
  const T* upload(const std::vector<T>& values) {
    if (values.empty()) return nullptr;
    T* placed = memory_.allocate<T>(static_cast<int64_t>(values.size()));
    backend_->memory().copy(placed, values.data(), values.size() * sizeof(T));
    return placed;
  }

  /// `hot` of 8 gradient rows go to row 1.
  Sent plain(int64_t count, int64_t stride, int32_t num_rows, int hot, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    Sent sent;
    sent.count = count;
    sent.stride = stride;
    for (int64_t i = 0; i < count; ++i) {
      const auto drawn = static_cast<int32_t>(random() % static_cast<uint64_t>(num_rows));
      const bool is_hot = static_cast<int>(random() % 8) < hot;
      sent.rows.push_back(random() % 11 == 0 ? -1 : is_hot ? 1 : drawn);
    }
    for (int64_t i = 0; i < count * stride; ++i) sent.values.push_back(normal(random));
    return sent;
  }
  Sent bags(int64_t count, int64_t stride, int32_t num_rows, uint64_t seed) {
    Sent sent = plain(4 * count, stride, num_rows, 1, seed);
    std::mt19937_64 random(seed);
    sent.count = count;
    sent.offsets = {0};
    for (int64_t i = 0; i < count; ++i)
      sent.offsets.push_back(sent.offsets.back() + static_cast<int32_t>(random() % 4));
    sent.rows.resize(static_cast<size_t>(sent.offsets.back()));
    return sent;
  }

  using Sums = std::map<int32_t, std::vector<double>>;
  static void add(Sums& sums, const std::vector<Sent>& batch, int64_t width) {
    for (const Sent& s : batch) {
      for (int64_t i = 0; i < s.count; ++i) {
        const int64_t begin = s.offsets.empty() ? i : s.offsets[static_cast<size_t>(i)];
        const int64_t end = s.offsets.empty() ? i + 1 : s.offsets[static_cast<size_t>(i) + 1];
        for (int64_t at = begin; at < end; ++at) {
          const int32_t row = s.rows[static_cast<size_t>(at)];
          if (row < 0) continue;
          auto& sum = sums[row];
          sum.resize(static_cast<size_t>(width));
          for (int64_t c = 0; c < width; ++c) {
            sum[static_cast<size_t>(c)] +=
                static_cast<double>(s.values[static_cast<size_t>(i * s.stride + c)]);
          }
        }
      }
    }
  }

  /// Groups and places a batch.
  std::unique_ptr<RowGroups> group(const std::vector<Sent>& batch, int64_t num_rows,
                                   std::vector<GradientRows>& gradients) {
    std::vector<RowSource> sources;
    gradients.clear();
    for (const Sent& s : batch) {
      sources.push_back(
          {upload(s.rows), s.count, upload(s.offsets), static_cast<int64_t>(s.rows.size())});
      gradients.push_back({upload(s.values), s.stride});
    }
    std::unique_ptr<RowGroups> groups;
    backend_->group_rows(*stream_, sources, num_rows, groups);
    return groups;
  }

  void expect_sums(const TableGradient::Rows& found, const Sums& expected, int64_t width) {
    ASSERT_EQ(found.rows->size(), expected.size());
    for (size_t i = 0; i < found.rows->size(); ++i) {
      const auto at = expected.find((*found.rows)[i]);
      ASSERT_NE(at, expected.end()) << "row " << (*found.rows)[i];
      for (int64_t c = 0; c < width; ++c) {
        EXPECT_NEAR(found.sums.row(static_cast<int64_t>(i))[c], at->second[static_cast<size_t>(c)],
                    kTolerance)
            << "row " << at->first << ", column " << c;
      }
    }
  }

  static constexpr double kTolerance = 2e-3;  // sums of thousands of normal numbers in fp32
  std::shared_ptr<Backend> backend_;
  std::unique_ptr<Stream> stream_;
  Workspace memory_;
};

TEST_F(TableGradients, AreTheSumsOverBatchesAndSources) {
  for (const int64_t width : {1, 5, 32, 40, 64}) {
    SCOPED_TRACE("width " + std::to_string(width));
    const auto gradient = backend_->make_table_gradient(width);
    // Rows with thousands of gradients, with one, and none; the table grows in between.
    const std::vector<Sent> batches[] = {
        {plain(3000, width + 3, 50, 6, 1), bags(200, width, 90, 2), plain(0, width, 9, 0, 3)},
        {plain(700, width, 4000, 1, 4)},
        {},
        {plain(64, width, 3, 8, 5), plain(65, width, 3, 0, 6)}};
    std::vector<float> bits[2];
    for (std::vector<float>& sums_bits : bits) {
      Sums expected;
      bool is_first = true;
      std::vector<GradientRows> rows;
      for (const auto& batch : batches) {
        const auto groups = group(batch, is_first ? 90 : 4000, rows);
        gradient->reserve(*stream_, *groups, is_first);
        if (is_first) gradient->clear(*stream_);
        is_first = false;
        gradient->add(*stream_, *groups, rows);
        add(expected, batch, width);
        expect_sums(gradient->fetch(*stream_), expected, width);
      }
      const TableGradient::Rows found = gradient->fetch(*stream_);
      sums_bits.assign(found.sums.data, found.sums.data + found.sums.rows * width);
      double squares = 0;
      for (const float value : sums_bits)
        squares += static_cast<double>(value) * static_cast<double>(value);
      Workspace numbers(backend_->memory());
      auto* sum = numbers.allocate<double>(1);
      const double start = 5;
      stream_->write(sum, &start, sizeof(start));
      gradient->add_squares(*stream_, sum);
      double read = 0;
      stream_->read(&read, sum, sizeof(read));
      EXPECT_NEAR(read - start, squares, 1e-9 * squares);
    }
    EXPECT_EQ(bits[0], bits[1]);
  }
}

TEST_F(TableGradients, AreAddedToTheRowsOfADenseTable) {
  constexpr int64_t kWidth = 33;
  const std::vector<Sent> batch = {plain(5000, kWidth, 17, 7, 8), bags(300, kWidth, 17, 9)};
  Sums expected;
  add(expected, batch, kWidth);
  std::vector<float> table(17 * kWidth, 2.0F);
  auto* placed = const_cast<float*>(upload(table));
  std::vector<GradientRows> rows;
  const auto groups = group(batch, 17, rows);
  backend_->add_to_rows(*stream_, *groups, rows, kWidth, placed);
  stream_->read(table.data(), placed, table.size() * sizeof(float));
  for (int32_t row = 0; row < 17; ++row) {
    const auto at = expected.find(row);
    for (int64_t c = 0; c < kWidth; ++c) {
      const double sum = at == expected.end() ? 0.0 : at->second[static_cast<size_t>(c)];
      EXPECT_NEAR(table[static_cast<size_t>(row * kWidth + c)], 2.0 + sum, kTolerance);
    }
  }
}

TEST_F(TableGradients, UpdateTheirRowsAndNoOther) {
  constexpr int64_t kWidth = 7;
  const std::vector<Sent> batch = {plain(900, kWidth, 300, 0, 8)};
  Sums sums;
  add(sums, batch, kWidth);
  std::vector<float> table(400 * kWidth, 1.0F);
  std::vector<float> states(400, 0.5F);
  StepNumbers numbers;
  numbers.rates.table_learning_rate = 0.05F;
  numbers.rates.table_epsilon = 1e-8F;
  numbers.rates.table_gradient_scale = 0.5F;
  RowWiseAdagradStep step;
  step.table = const_cast<float*>(upload(table));
  step.states = const_cast<float*>(upload(states));
  const auto gradient = backend_->make_table_gradient(kWidth);
  std::vector<GradientRows> rows;
  const auto groups = group(batch, 400, rows);
  gradient->reserve(*stream_, *groups, true);
  gradient->clear(*stream_);
  gradient->add(*stream_, *groups, rows);
  for (const bool is_skipped : {true, false}) {
    numbers.is_skipped = is_skipped ? 1 : 0;
    const std::vector<StepNumbers> placed = {numbers};
    step.numbers = upload(placed);
    gradient->update(*stream_, step);
    stream_->read(table.data(), step.table, table.size() * sizeof(float));
    stream_->read(states.data(), step.states, states.size() * sizeof(float));
    for (int32_t row = 0; row < 400; ++row) {
      const auto at = sums.find(row);
      double state = 0.5;
      if (!is_skipped && at != sums.end()) {
        double squares = 0;
        for (const double g : at->second) squares += 0.25 * g * g;
        state += squares / kWidth;
      }
      EXPECT_NEAR(states[static_cast<size_t>(row)], state, 1e-3);
      for (int64_t c = 0; c < kWidth; ++c) {
        const double g = at == sums.end() || is_skipped ? 0 : at->second[static_cast<size_t>(c)];
        EXPECT_NEAR(table[static_cast<size_t>(row * kWidth + c)],
                    1.0 - 0.05 * 0.5 * g / (std::sqrt(state) + 1e-8), 1e-4);
      }
    }
  }
}

}  // namespace
}  // namespace longer
