#include "ops/cuda_launch.hpp"
#include "ops/learned_queries/learned_queries_cuda.hpp"

namespace longer {

void learned_queries_forward_cuda(CudaStream& stream, const LearnedQueriesForward& p) {
  const int64_t width = p.rows.cols;
  const int64_t k = p.queries.rows;
  const int32_t* offsets = p.group_offsets;
  const ConstMatrixView groups = p.groups;
  const ConstMatrixView queries = p.queries;
  const MatrixView rows = p.rows;
  for_request_elements(
      stream.get(), "learned queries", p.num_requests,
      [=] __device__(int64_t b) { return (offsets[b + 1] - offsets[b] + k) * width; },
      [=] __device__(int64_t b, int64_t i) {
        const int64_t count = offsets[b + 1] - offsets[b];
        const int64_t r = i / width;
        const int64_t col = i % width;
        const float* from = r < count ? groups.data + (offsets[b] + r) * groups.stride
                                      : queries.data + (r - count) * queries.stride;
        rows.data[(offsets[b] + b * k + r) * rows.stride + col] = from[col];
      });
}

void learned_queries_backward_cuda(CudaStream& stream, const LearnedQueriesBackward& p) {
  const int64_t width = p.d_rows.cols;
  const int64_t k = p.d_queries.rows;
  const int64_t num_requests = p.forward.num_requests;
  const int32_t* offsets = p.forward.group_offsets;
  const ConstMatrixView d_rows = p.d_rows;
  const MatrixView d_groups = p.d_groups;
  const MatrixView d_queries = p.d_queries;
  for_request_elements(
      stream.get(), "groups' gradient", num_requests,
      [=] __device__(int64_t b) { return (offsets[b + 1] - offsets[b]) * width; },
      [=] __device__(int64_t b, int64_t i) {
        const int64_t row = offsets[b] + i / width;
        d_groups.data[row * d_groups.stride + i % width] =
            d_rows.data[(row + b * k) * d_rows.stride + i % width];
      });
  for_elements(stream.get(), "learned queries' gradient", k * width, [=] __device__(int64_t i) {
    float sum = d_queries.data[i / width * d_queries.stride + i % width];
    for (int64_t b = 0; b < num_requests; ++b) {
      const int64_t row = offsets[b + 1] + b * k + i / width;
      sum += d_rows.data[row * d_rows.stride + i % width];
    }
    d_queries.data[i / width * d_queries.stride + i % width] = sum;
  });
}

}  // namespace longer
