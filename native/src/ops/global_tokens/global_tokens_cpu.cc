#include "ops/global_tokens/global_tokens_cpu.hpp"

#include <cstring>

namespace longer {
namespace {

void copy_floats(float* to, const float* from, int64_t count) {
  if (count > 0) std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
}

/// Where the rows of one kind stand among the side rows: user(b) and candidate(b, c) of request b.
struct SideRows {
  const GlobalTokensInputs& inputs;
  int64_t num_cls;
  int64_t user(int64_t b) const { return inputs.side_offsets[b] + num_cls; }
  int64_t first_candidate(int64_t b) const { return user(b) + 1; }
  int64_t num_candidates(int64_t b) const {
    return inputs.side_offsets[b + 1] - first_candidate(b);
  }
};

}  // namespace

void global_tokens_forward_cpu(CpuStream& stream, const GlobalTokensForward& p) {
  Workspace& workspace = stream.workspace();
  WorkspaceScope scope(workspace);
  const GlobalTokensWeights& w = *p.weights;
  const GlobalTokensInputs& in = p.inputs;
  const int64_t width = p.side.cols;

  gather_features(w.user_tables, in.user_features, 0, p.user_input);
  const int64_t time_column = features_width(w.user_tables);
  for (int64_t b = 0; b < in.num_requests; ++b) {
    copy_floats(p.user_input.row(b) + time_column,
                w.user_time_bucket + in.user_time_buckets[b] * w.time_width, w.time_width);
  }
  gather_features(w.candidate_tables, in.candidate_features, 0, p.candidate_input);

  const MatrixView users = workspace.matrix(in.num_requests, width);
  const MatrixView candidates = workspace.matrix(in.num_candidates, width);
  linear_forward(stream.pool(), {p.user_input, w.user.packed, users, Activation::kNone, {}, {}});
  linear_forward(stream.pool(),
                 {p.candidate_input, w.candidate.packed, candidates, Activation::kNone, {}, {}});

  const SideRows rows{in, w.num_cls};
  int64_t candidate = 0;
  for (int64_t b = 0; b < in.num_requests; ++b) {
    copy_floats(p.side.row(in.side_offsets[b]), w.cls, w.num_cls * width);
    copy_floats(p.side.row(rows.user(b)), users.row(b), width);
    const int64_t count = rows.num_candidates(b);
    copy_floats(p.side.row(rows.first_candidate(b)), candidates.row(candidate), count * width);
    candidate += count;
  }
}

void global_tokens_backward_cpu(CpuStream& stream, const GlobalTokensBackward& p) {
  Workspace& workspace = stream.workspace();
  WorkspaceScope scope(workspace);
  const GlobalTokensForward& f = p.forward;
  const GlobalTokensWeights& w = *f.weights;
  const GlobalTokensInputs& in = f.inputs;
  const int64_t width = p.d_side.cols;

  const MatrixView d_users = workspace.matrix(in.num_requests, width);
  const MatrixView d_candidates = workspace.matrix(in.num_candidates, width);
  const SideRows rows{in, w.num_cls};
  int64_t candidate = 0;
  for (int64_t b = 0; b < in.num_requests; ++b) {
    const float* d_cls_rows = p.d_side.row(in.side_offsets[b]);
    for (int64_t i = 0; i < w.num_cls * width; ++i) p.d_cls[i] += d_cls_rows[i];
    copy_floats(d_users.row(b), p.d_side.row(rows.user(b)), width);
    const int64_t count = rows.num_candidates(b);
    copy_floats(d_candidates.row(candidate), p.d_side.row(rows.first_candidate(b)), count * width);
    candidate += count;
  }

  ThreadPool* pool = stream.pool();
  linear_backward_weights(pool, f.user_input, d_users, p.d_user.weight, p.d_user.bias);
  linear_backward_input(pool, d_users, *w.user.packed, p.d_user_input, Write::kSet);
  linear_backward_weights(pool, f.candidate_input, d_candidates, p.d_candidate.weight,
                          p.d_candidate.bias);
  linear_backward_input(pool, d_candidates, *w.candidate.packed, p.d_candidate_input, Write::kSet);
}

}  // namespace longer
