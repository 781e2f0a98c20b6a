#include <algorithm>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "embedding/embedding_table.hpp"
#include "ops/optimizer/optimizer.hpp"
#include "ops/segment_sum/segment_index.hpp"
#include "reporter.hpp"

namespace longer::bench {
namespace {

std::vector<float> normals(int64_t count, uint64_t stream) {
  std::vector<float> values(static_cast<size_t>(count));
  fill_normal(1, stream, 0, 1.0F, values.data(), count);
  return values;
}

/// Gradient rows of a batch of events into a table of `rows` rows, each as likely as any other.
void bench_segment_sum(ThreadPool* pool, Reporter& reporter, int64_t rows, int64_t width) {
  constexpr int64_t kOccurrences = 64000;
  const std::vector<float> values = normals(kOccurrences * width, 1);
  std::vector<int32_t> targets;
  for (int64_t i = 0; i < kOccurrences; ++i) {
    targets.push_back(static_cast<int32_t>((i * 2654435761) % rows));
  }
  SegmentIndex index;
  CpuStream stream(pool);
  std::vector<float> sums;
  const double elements = static_cast<double>(kOccurrences * width);
  reporter.add("segment_sum",
               "64000 of " + std::to_string(rows) + " rows of " + std::to_string(width),
               measure(pool,
                       [&] {
                         index.clear();
                         const Segments segments = index.add({{targets.data(), kOccurrences}},
                                                             {{values.data(), width}}, width, rows);
                         sums.assign(index.rows().size() * static_cast<size_t>(width), 0.0F);
                         add_segments_cpu(stream, segments, sums.data());
                       }),
               elements, 4.0 * elements);
}

void bench_lookup(ThreadPool* pool, Reporter& reporter, int64_t ids) {
  constexpr int64_t kLookups = 64000;
  EmbeddingTable table("movie", 1, 1);
  std::vector<int64_t> all(static_cast<size_t>(ids));
  std::vector<int32_t> rows(static_cast<size_t>(std::max(ids, kLookups)));
  for (int64_t i = 0; i < ids; ++i) all[static_cast<size_t>(i)] = i * 1000003;
  table.find_or_insert(all.data(), ids, rows.data());
  std::vector<int64_t> asked;
  for (int64_t i = 0; i < kLookups; ++i) asked.push_back((i * 2654435761) % ids * 1000003);
  reporter.add("embedding_lookup", "64000 of " + std::to_string(ids) + " ids",
               measure(pool, [&] { table.lookup(asked.data(), kLookups, rows.data()); }), 0.0,
               12.0 * kLookups);
}

void bench_optimizer(ThreadPool* pool, Reporter& reporter) {
  constexpr int64_t kCount = 4000000;
  const std::vector<float> gradients = normals(kCount, 1);
  std::vector<float> weights(kCount), first(kCount), second(kCount);
  const std::vector<DecayRange> ranges = {{0, kCount / 2, true}, {kCount / 2, kCount, false}};
  StepNumbers numbers;
  numbers.rates.decayed = adamw_coefficients({1e-3, 0.9, 0.999, 1e-8, 0.01}, 1, true);
  numbers.rates.plain = adamw_coefficients({1e-3, 0.9, 0.999, 1e-8, 0.01}, 1, false);
  numbers.rates.table_learning_rate = 0.01F;
  numbers.rates.table_epsilon = 1e-8F;
  AdamwStep step;
  step.weights = weights.data();
  step.gradients = gradients.data();
  step.first_moment = first.data();
  step.second_moment = second.data();
  step.ranges = ranges.data();
  step.num_ranges = 2;
  step.numbers = &numbers;
  reporter.add("adamw_step", "[4000000]", measure(pool, [&] { adamw_step(pool, step); }),
               13.0 * kCount, 28.0 * kCount);
  volatile double norm = 0.0;
  reporter.add("squared_norm", "[4000000]",
               measure(pool, [&] { norm = squared_norm(pool, gradients.data(), kCount); }),
               2.0 * kCount, 4.0 * kCount);
  for (const int64_t width : {16, 32}) {
    constexpr int64_t kRows = 20000;
    std::vector<int32_t> rows;
    for (int64_t i = 0; i < kRows; ++i) rows.push_back(static_cast<int32_t>(i * 7919 % kRows));
    std::vector<float> states(kRows, 1.0F);
    const auto elements = static_cast<double>(kRows * width);
    reporter.add("row_wise_adagrad_step", "[20000, " + std::to_string(width) + "]",
                 measure(pool,
                         [&] {
                           row_wise_adagrad_step(pool, {weights.data(), states.data(), rows.data(),
                                                        gradients.data(), kRows, width, &numbers});
                         }),
                 5.0 * elements, 12.0 * elements);
  }
}

}  // namespace

void bench_training(ThreadPool* pool, Reporter& reporter) {
  bench_segment_sum(pool, reporter, 9000, 32);
  bench_segment_sum(pool, reporter, 1000000, 32);
  bench_segment_sum(pool, reporter, 32, 16);
  bench_lookup(pool, reporter, 9000);
  bench_lookup(pool, reporter, 4000000);
  bench_optimizer(pool, reporter);
}

}  // namespace longer::bench
