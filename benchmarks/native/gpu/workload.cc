#include "gpu/workload.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <sstream>

#include "longer/error.hpp"

namespace longer::bench {
namespace {

constexpr int64_t kStart = 1'700'000'000;

/// Ids 0 … kItems − 1; drawn from Zipf(1.05), rank r is id r · 2654435761 mod kItems.
std::vector<int64_t> draw_items(int64_t count, const std::string& ids, std::mt19937_64& random) {
  std::vector<int64_t> items(static_cast<size_t>(count));
  if (ids == "uniform") {
    std::uniform_int_distribution<int64_t> item(0, kItems - 1);
    for (int64_t& id : items) id = item(random);
    return items;
  }
  check_argument(ids == "zipf", "[gpu_bench] ids must be uniform or zipf; got ", ids);
  std::vector<double> cumulative(kItems);
  double sum = 0;
  for (int64_t r = 0; r < kItems; ++r)
    cumulative[static_cast<size_t>(r)] = sum += std::pow(static_cast<double>(r + 1), -1.05);
  std::uniform_real_distribution<double> drawn(0, sum);
  for (int64_t& id : items) {
    const auto rank =
        std::lower_bound(cumulative.begin(), cumulative.end(), drawn(random)) - cumulative.begin();
    id = rank * 2654435761 % kItems;
  }
  return items;
}

std::vector<int64_t> draw_actions(int64_t count, std::mt19937_64& random) {
  std::uniform_int_distribution<int64_t> action(0, kActions - 1);
  std::vector<int64_t> actions(static_cast<size_t>(count));
  for (int64_t& id : actions) id = action(random);
  return actions;
}

}  // namespace

const std::vector<Shape> kShapes = {
    {"paper", 256, 2000, 32, 8, 4, 100, 3, 1, false},
    {"wide", 128, 2000, 64, 8, 8, 100, 3, 1, false},
    {"long", 32, 10000, 32, 4, 2, 500, 3, 1, false},
    {"packed", 256, 2000, 32, 8, 4, 100, 3, 20, false},
    {"ragged", 256, 2000, 32, 8, 4, 100, 3, 1, true},
    // For a look at the program itself, not for figures.
    {"tiny", 3, 40, 16, 4, 2, 4, 1, 2, true},
};

const Shape& shape_named(const std::string& name) {
  for (const Shape& shape : kShapes)
    if (name == shape.name) return shape;
  fail(Status::kInvalidArgument, "[gpu_bench] no shape is named ", name);
}

std::string Shape::config() const {
  std::ostringstream out;
  out << R"({"format_version":1,"tables":[{"name":"item","width":)" << width
      << R"(,"rows":0},{"name":"action","width":)" << width << R"(,"rows":)" << kActions
      << R"(}],"event_features":[{"name":"item","table":"item"},{"name":"action","table":"action"}],)"
      << R"("candidate_features":[{"name":"item","table":"item"},{"name":"action","table":"action"}],)"
      << R"("tasks":[{"name":"click"}],"max_history":)" << events << R"(,"event_width":)" << width
      << R"(,"merge_factor":)" << merge << R"(,"inner_heads":2,"heads":)" << heads
      << R"(,"queries":)" << queries << R"(,"self_layers":)" << self_layers
      << R"(,"cls_tokens":3,"time_width":)" << width << "}";
  return out.str();
}

std::unique_ptr<ModelState> model_of(const Shape& shape) {
  auto state = fresh_state(Config::parse(shape.config()), 1);
  std::vector<int64_t> ids(kItems);
  std::vector<int32_t> rows(kItems);
  for (int64_t i = 0; i < kItems; ++i) ids[static_cast<size_t>(i)] = i;
  state->tables[0]->find_or_insert(ids.data(), kItems, rows.data());
  return state;
}

Requests::Requests(const Shape& shape, const std::string& ids, uint64_t seed)
    : event_offsets_{0}, candidate_offsets_{0} {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<int64_t> length(1, shape.events);
  std::uniform_int_distribution<int64_t> gap(0, 5000);
  for (int64_t b = 0; b < shape.requests; ++b) {
    int64_t time = kStart;
    for (int64_t i = shape.is_ragged ? length(random) : shape.events; i > 0; --i)
      times_.push_back(time += gap(random));
    reference_times_.push_back(time + gap(random));
    event_offsets_.push_back(static_cast<int64_t>(times_.size()));
    candidate_offsets_.push_back((b + 1) * shape.candidates);
  }
  const auto events = static_cast<int64_t>(times_.size());
  const int64_t candidates = shape.requests * shape.candidates;
  items_ = draw_items(events, ids, random);
  actions_ = draw_actions(events, random);
  candidate_items_ = draw_items(candidates, ids, random);
  candidate_actions_ = draw_actions(candidates, random);
  for (int64_t c = 0; c < candidates; ++c) labels_.push_back(static_cast<float>(random() % 2));
  event_columns_ = {{items_.data(), nullptr, nullptr, nullptr},
                    {actions_.data(), nullptr, nullptr, nullptr}};
  candidate_columns_ = {{candidate_items_.data(), nullptr, nullptr, nullptr},
                        {candidate_actions_.data(), nullptr, nullptr, nullptr}};
  view_.num_requests = shape.requests;
  view_.num_events = events;
  view_.num_candidates = candidates;
  view_.event_offsets = event_offsets_.data();
  view_.candidate_offsets = candidate_offsets_.data();
  view_.event_columns = event_columns_.data();
  view_.event_times = times_.data();
  view_.reference_times = reference_times_.data();
  view_.candidate_columns = candidate_columns_.data();
  view_.labels = labels_.data();
}

Summary summary_of(std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  const size_t middle = ms.size() / 2;
  const double median = ms.size() % 2 == 1 ? ms[middle] : (ms[middle - 1] + ms[middle]) / 2;
  return {median, ms[static_cast<size_t>(0.95 * static_cast<double>(ms.size() - 1))], ms.front()};
}

}  // namespace longer::bench
