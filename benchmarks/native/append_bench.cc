#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "model/longer_model.hpp"
#include "model/window.hpp"
#include "reporter.hpp"
#include "serving/ranker.hpp"

namespace longer::bench {
namespace {

constexpr int64_t kNumIds = 10000;
constexpr int64_t kUser = 1;

/// The paper's industrial size (LONGER §4.4): 2000 events, 100 query rows.
Config config_of(int64_t self_layers, int64_t query_block) {
  Config config;
  config.tables = {{"item", 32, kNumIds}};
  config.event_features = {{"item", "item"}};
  config.candidate_features = {{"item", "item"}};
  config.tasks = {{"click"}};
  config.max_history = 2000;
  config.event_width = 32;
  config.merge_factor = 8;
  config.queries = 100;
  config.query_block = query_block;
  config.self_layers = self_layers;
  config.anchor = Anchor::kOldest;
  config.time = TimeMode::kEventRelative;
  return config;
}

/// Multiplications and additions of encoding histories, matrix products only.
struct Flops {
  const Config& c;

  double events(int64_t groups) const {
    const auto d = static_cast<double>(c.event_width);
    const auto k = static_cast<double>(c.merge_factor);
    const auto input = static_cast<double>(c.features_width(c.event_features) + c.time_width);
    const double mlp = 2.0 * (2.0 * d * input + 2.0 * d * d);
    const double inner = static_cast<double>(c.inner_layers) * (24.0 * d * d + 4.0 * k * d);
    return static_cast<double>(groups) * k * (mlp + inner);
  }
  /// One layer: keys and values of `rows`, `queries` over the newest of `keys` keys.
  double layer(int64_t rows, int64_t queries, int64_t keys) const {
    const auto width = static_cast<double>(c.model_width());
    const double seen = static_cast<double>(keys) - (static_cast<double>(queries) - 1.0) / 2.0;
    return 4.0 * width * width * static_cast<double>(rows) +
           static_cast<double>(queries) * (20.0 * width * width + 4.0 * width * seen);
  }
  double rebuild(int64_t groups) const {
    const int64_t queries = groups - first_recent_query(c, groups);
    double sum = events(groups);
    for (int64_t l = 0; l < c.num_layers(); ++l) {
      sum += layer(l == 0 ? groups : queries, l + 1 < c.num_layers() ? queries : 0,
                   l == 0 ? groups : queries);
    }
    return sum;
  }
  /// One more group after `groups` full ones.
  double append(int64_t groups) const {
    const int64_t queries = groups + 1 - first_recent_query(c, groups + 1);
    const bool moves = first_recent_query(c, groups + 1) != first_recent_query(c, groups);
    double sum = events(1);
    for (int64_t l = 0; l < c.num_layers(); ++l) {
      const int64_t rows = moves && l >= 2 ? queries : 1;
      const int64_t asked = l + 1 == c.num_layers() ? 0 : moves && l >= 1 ? queries : 1;
      sum += layer(rows, asked, l == 0 ? groups + 1 : queries);
    }
    return sum;
  }
};

/// One user's events; `part` views some of them as a request without candidates.
class Events {
 public:
  explicit Events(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      ids_.push_back(static_cast<int64_t>(static_cast<uint64_t>(i) * 2654435761 % kNumIds));
      times_.push_back(i * (1 + i % 977));
    }
    std::sort(times_.begin(), times_.end());
  }
  RankRequest part(int64_t begin, int64_t end) {
    column_.ids = ids_.data() + begin;
    offsets_[1] = end - begin;
    RankRequest request;
    request.cache_mode = CacheMode::kUse;
    request.user_key = kUser;
    request.batch.num_requests = 1;
    request.batch.num_events = end - begin;
    request.batch.event_offsets = offsets_;
    request.batch.candidate_offsets = kNone;
    request.batch.event_columns = &column_;
    request.batch.event_times = times_.data() + begin;
    request.batch.reference_times = &times_.back();
    return request;
  }

 private:
  static constexpr int64_t kNone[2] = {0, 0};
  std::vector<int64_t> ids_, times_;
  int64_t offsets_[2] = {0, 0};
  Column column_{};
};

/// A history grows from just after the window moved to just before it moves again, group by group.
void bench(ThreadPool* pool, Reporter& reporter, int64_t self_layers, int64_t query_block) {
  const Config config = config_of(self_layers, query_block);
  const int threads = pool == nullptr ? 1 : pool->num_threads();
  Ranker ranker(LongerModel::create(config, 1, make_cpu_backend({DeviceKind::kCpu, 0, threads})),
                int64_t{1} << 30);
  const int64_t merge = config.merge_factor;
  const int64_t last = config.max_history / merge;
  const int64_t first = last - config.max_history / 8 / merge;
  Events events(config.max_history);
  const auto encode = [&](int64_t groups) {
    ranker.evict(kUser);
    ranker.rank(events.part(0, groups * merge), nullptr);
  };
  const Timing base = measure(pool, [&] { encode(first); });
  const Timing whole = measure(pool, [&] { encode(last); });
  const Timing grown = measure(pool, [&] {
    encode(first);
    for (int64_t g = first; g < last; ++g) {
      if (!ranker.append(events.part(g * merge, (g + 1) * merge), 0)) std::abort();
    }
  });

  const auto appends = static_cast<double>(last - first);
  const Timing append = {(grown.median_us - base.median_us) / appends,
                         (grown.best_us - base.best_us) / appends, grown.noise_percent};
  const Flops flops{config};
  double append_flops = 0.0;
  for (int64_t g = first; g < last; ++g) append_flops += flops.append(g) / appends;
  const std::string shape = "N " + std::to_string(self_layers) + ", block " +
                            std::to_string(query_block) + ", 2000 events";
  reporter.add("history_rebuild", shape, whole, flops.rebuild(last), 0.0);
  reporter.add("history_append", shape + ", 8 more", append, append_flops, 0.0);
  std::printf("%-24s %s: an append costs %.1f times less than a rebuild; %.1f times fewer FLOPs\n",
              "", shape.c_str(), whole.median_us / append.median_us,
              flops.rebuild(last) / append_flops);
}

}  // namespace

void bench_append(ThreadPool* pool, Reporter& reporter) {
  for (const int64_t self_layers : {1, 3}) {
    for (const int64_t query_block : {1, 16}) bench(pool, reporter, self_layers, query_block);
  }
}

}  // namespace longer::bench
