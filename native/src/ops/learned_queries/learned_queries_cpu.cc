#include "ops/learned_queries/learned_queries_cpu.hpp"

#include <algorithm>

namespace longer {
namespace {

/// body(its first group, its groups, its first row) for each request.
template <class Body>
void for_requests(const LearnedQueriesForward& p, const Body& body) {
  for (int64_t b = 0; b < p.num_requests; ++b) {
    const int64_t begin = p.group_offsets[b];
    body(begin, p.group_offsets[b + 1] - begin, begin + b * p.queries.rows);
  }
}

}  // namespace

void learned_queries_forward_cpu(const LearnedQueriesForward& p) {
  const int64_t width = p.rows.cols;
  for_requests(p, [&](int64_t group, int64_t groups, int64_t row) {
    for (int64_t i = 0; i < groups; ++i)
      std::copy_n(p.groups.row(group + i), width, p.rows.row(row + i));
    for (int64_t i = 0; i < p.queries.rows; ++i)
      std::copy_n(p.queries.row(i), width, p.rows.row(row + groups + i));
  });
}

void learned_queries_backward_cpu(const LearnedQueriesBackward& p) {
  const int64_t width = p.d_rows.cols;
  for_requests(p.forward, [&](int64_t group, int64_t groups, int64_t row) {
    for (int64_t i = 0; i < groups; ++i)
      std::copy_n(p.d_rows.row(row + i), width, p.d_groups.row(group + i));
    for (int64_t i = 0; i < p.d_queries.rows; ++i) {
      const float* from = p.d_rows.row(row + groups + i);
      float* to = p.d_queries.row(i);
      for (int64_t c = 0; c < width; ++c) to[c] += from[c];
    }
  });
}

}  // namespace longer
