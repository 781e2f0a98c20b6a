#include <vector>

#include "core/random.hpp"
#include "ops/attention/attention.hpp"
#include "reporter.hpp"

namespace longer::bench {
namespace {

/// `spans` requests of `rows` queries over `prefix` shared keys and `rows` own ones: causal without
/// a prefix, candidates that see the prefix and themselves with one.
struct Shape {
  const char* name;
  int64_t spans, rows, prefix, heads, head_width;
};

std::vector<float> normals(int64_t count, uint64_t stream) {
  std::vector<float> values(static_cast<size_t>(count));
  fill_normal(1, stream, 0, 1.0F, values.data(), count);
  return values;
}

void bench(ThreadPool* pool, Reporter& reporter, const Shape& s) {
  const int64_t width = s.heads * s.head_width;
  const int64_t rows = s.spans * s.rows;
  const int64_t prefix = s.spans * s.prefix;
  std::vector<AttentionSpan> spans;
  std::vector<VisibleKeys> visible;
  double pairs = 0.0;
  for (int64_t i = 0; i < s.spans; ++i) {
    spans.push_back({i * s.rows, (i + 1) * s.rows, i * s.prefix, (i + 1) * s.prefix, i * s.rows,
                     (i + 1) * s.rows});
    for (int64_t r = 0; r < s.rows; ++r) {
      const int64_t end = s.prefix == 0 ? r + 1 : s.prefix;
      const int64_t own = s.prefix == 0 ? end : s.prefix + r;
      visible.push_back({static_cast<int32_t>(end), static_cast<int32_t>(own),
                         static_cast<int32_t>(s.prefix == 0 ? own : own + 1)});
      pairs += static_cast<double>(end + (s.prefix == 0 ? 0 : 1));
    }
  }
  std::vector<float> q = normals(rows * width, 1), kv = normals(rows * 2 * width, 2);
  std::vector<float> prefix_kv = normals(prefix * 2 * width, 3), d_out = normals(rows * width, 4);
  std::vector<float> out(q.size()), lse(static_cast<size_t>(rows * s.heads)), d_q(q.size());
  std::vector<float> d_kv(kv.size()), d_prefix_kv(prefix_kv.size());
  AttentionForward p;
  p.num_spans = s.spans;
  p.spans = spans.data();
  p.visible = visible.data();
  p.heads = s.heads;
  p.q = {q.data(), rows, width, width};
  p.prefix_keys = {prefix_kv.data(), prefix, width, 2 * width};
  p.prefix_values = {prefix_kv.data() + width, prefix, width, 2 * width};
  p.own_keys = {kv.data(), rows, width, 2 * width};
  p.own_values = {kv.data() + width, rows, width, 2 * width};
  p.out = {out.data(), rows, width, width};
  p.lse = lse.data();
  Workspace workspace;
  const double flops = 4.0 * pairs * static_cast<double>(width);
  const double bytes = 4.0 * static_cast<double>((2 * rows + 2 * (prefix + rows)) * width);
  reporter.add("attention_forward", s.name,
               measure(pool, [&] { attention_forward(pool, workspace, p); }), flops, bytes);
  AttentionBackward b{p,
                      {d_out.data(), rows, width, width},
                      {d_q.data(), rows, width, width},
                      {d_prefix_kv.data(), prefix, width, 2 * width},
                      {d_prefix_kv.data() + width, prefix, width, 2 * width},
                      {d_kv.data(), rows, width, 2 * width},
                      {d_kv.data() + width, rows, width, 2 * width}};
  reporter.add("attention_backward", s.name,
               measure(pool, [&] { attention_backward(pool, workspace, b); }), 2.5 * flops,
               3.0 * bytes);
}

}  // namespace

void bench_attention(ThreadPool* pool, Reporter& reporter) {
  bench(pool, reporter, {"causal 1 x 250, 4 heads of 64", 1, 250, 0, 4, 64});
  bench(pool, reporter, {"causal 8 x 125, 4 heads of 64", 8, 125, 0, 4, 64});
  bench(pool, reporter, {"causal 1 x 1250, 4 heads of 64", 1, 1250, 0, 4, 64});
  bench(pool, reporter, {"candidates 32 x 10 on 125, 4 x 64", 32, 10, 125, 4, 64});
  bench(pool, reporter, {"candidates 1 x 500 on 125, 4 x 64", 1, 500, 125, 4, 64});
  bench(pool, reporter, {"candidates 1 x 10 on 10000, 4 x 64", 1, 10, 10000, 4, 64});
  bench(pool, reporter, {"causal 1000 x 8, 2 heads of 16", 1000, 8, 0, 2, 16});
  bench(pool, reporter, {"causal 1000 x 8, 4 heads of 8", 1000, 8, 0, 4, 8});
}

}  // namespace longer::bench
