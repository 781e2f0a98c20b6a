#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "longer/batch.hpp"
#include "model/model_state.hpp"

namespace longer::bench {

/// One workload of the tables, as benchmarks/peers/longer_torch.py names them: B requests of L
/// events and C candidates, 4 globals, an item table of a million rows.
struct Shape {
  const char* name;
  int64_t requests, events, width, merge, heads, queries, self_layers, candidates;
  bool is_ragged;  // lengths uniform in 1 … L

  std::string config() const;
};
extern const std::vector<Shape> kShapes;
const Shape& shape_named(const std::string& name);

constexpr int64_t kItems = 1'000'000;
constexpr int64_t kActions = 16;

/// A model of the shape whose item table has its million rows.
std::unique_ptr<ModelState> model_of(const Shape& shape);

/// Requests with item ids drawn uniformly or from Zipf(1.05), ranks scattered over the ids.
class Requests {
 public:
  Requests(const Shape& shape, const std::string& ids, uint64_t seed);
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;
  BatchView view() const { return view_; }

 private:
  std::vector<int64_t> event_offsets_, candidate_offsets_, times_, reference_times_;
  std::vector<int64_t> items_, actions_, candidate_items_, candidate_actions_;
  std::vector<Column> event_columns_, candidate_columns_;
  std::vector<float> labels_;
  BatchView view_;
};

/// Median and 95th percentile of samples in milliseconds.
struct Summary {
  double median_ms, p95_ms, best_ms;
};
Summary summary_of(std::vector<double> milliseconds);

}  // namespace longer::bench
