#include "ops/global_tokens/global_tokens_cpu.hpp"

#include <algorithm>
#include <cstring>

namespace longer {
namespace {

void copy_floats(float* to, const float* from, int64_t count) {
  if (count > 0) std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
}

/// Row i of the result = the token's columns of row i of `input`, side by side.
MatrixView token_input(const TokenWeights& token, ConstMatrixView input, Workspace& workspace) {
  const MatrixView picked = workspace.matrix(input.rows, token.linear.in);
  for (int64_t i = 0; i < input.rows; ++i) {
    float* to = picked.row(i);
    for (const ColumnRange& range : token.columns) {
      copy_floats(to, input.row(i) + range.begin, range.end - range.begin);
      to += range.end - range.begin;
    }
  }
  return picked;
}

/// The reverse: adds row i of `d_picked` to the token's columns of row i of `d_input`.
void add_token_input(const TokenWeights& token, ConstMatrixView d_picked, MatrixView d_input) {
  for (int64_t i = 0; i < d_input.rows; ++i) {
    const float* from = d_picked.row(i);
    for (const ColumnRange& range : token.columns) {
      float* to = d_input.row(i);
      for (int64_t c = range.begin; c < range.end; ++c) to[c] += *from++;
    }
  }
}

/// body(b, row): for each place where user token t of request b stands.
template <class Body>
void for_user_rows(const GlobalTokensForward& p, size_t t, const Body& body) {
  const SideLayout& layout = p.inputs.layout;
  const auto token = static_cast<int64_t>(t);
  const bool is_shared = layout.request_rows > p.weights->num_cls;
  for (int64_t b = 0; b < layout.num_requests; ++b) {
    if (is_shared) {
      body(b, layout.offsets[b] + p.weights->num_cls + token);
      continue;
    }
    const auto first = static_cast<int64_t>(p.weights->candidate_tokens.size()) + token;
    for (int64_t c = 0; c < layout.num_candidates(b); ++c) body(b, layout.block(b, c) + first);
  }
}

/// body(candidate of the batch, row): for the rows of candidate token t.
template <class Body>
void for_candidate_rows(const SideLayout& layout, size_t t, const Body& body) {
  int64_t candidate = 0;
  for (int64_t b = 0; b < layout.num_requests; ++b) {
    for (int64_t c = 0; c < layout.num_candidates(b); ++c) {
      body(candidate++, layout.block(b, c) + static_cast<int64_t>(t));
    }
  }
}

/// The rows of one token before they are put in their places.
MatrixView token_rows(CpuStream& stream, const TokenWeights& token, ConstMatrixView input) {
  Workspace& workspace = stream.workspace();
  const MatrixView rows = workspace.matrix(input.rows, token.linear.out);
  linear_forward(
      stream.pool(),
      {token_input(token, input, workspace), token.linear.packed, rows, Activation::kNone, {}, {}});
  return rows;
}

void token_backward(CpuStream& stream, const TokenWeights& token, ConstMatrixView input,
                    ConstMatrixView d_rows, const LinearGradients& gradients, MatrixView d_input) {
  Workspace& workspace = stream.workspace();
  linear_backward_weights(stream.pool(), token_input(token, input, workspace), d_rows,
                          gradients.weight, gradients.bias);
  const MatrixView d_picked = workspace.matrix(input.rows, token.linear.in);
  linear_backward_input(stream.pool(), d_rows, *token.linear.packed, d_picked, Write::kSet);
  add_token_input(token, d_picked, d_input);
}

void set_zero(MatrixView m) {
  for (int64_t r = 0; r < m.rows; ++r) std::fill_n(m.row(r), m.cols, 0.0F);
}

}  // namespace

void global_tokens_forward_cpu(CpuStream& stream, const GlobalTokensForward& p) {
  Workspace& workspace = stream.workspace();
  WorkspaceScope scope(workspace);
  const GlobalTokensWeights& w = *p.weights;
  const GlobalTokensInputs& in = p.inputs;
  const int64_t width = p.side.cols;

  gather_features(w.user_tables, in.user_features, 0, p.user_input);
  const int64_t time_column = w.user_width;
  for (int64_t b = 0; b < in.layout.num_requests; ++b) {
    copy_floats(p.user_input.row(b) + time_column,
                w.user_time_bucket + in.user_time_buckets[b] * w.time_width, w.time_width);
    copy_floats(p.side.row(in.layout.offsets[b]), w.cls, w.num_cls * width);
  }
  gather_features(w.candidate_tables, in.candidate_features, 0, p.candidate_input);

  for (size_t t = 0; t < w.user_tokens.size(); ++t) {
    WorkspaceScope token_scope(workspace);
    const MatrixView rows = token_rows(stream, w.user_tokens[t], p.user_input);
    for_user_rows(
        p, t, [&](int64_t b, int64_t row) { copy_floats(p.side.row(row), rows.row(b), width); });
  }
  for (size_t t = 0; t < w.candidate_tokens.size(); ++t) {
    WorkspaceScope token_scope(workspace);
    const MatrixView rows = token_rows(stream, w.candidate_tokens[t], p.candidate_input);
    for_candidate_rows(in.layout, t, [&](int64_t candidate, int64_t row) {
      copy_floats(p.side.row(row), rows.row(candidate), width);
    });
  }
}

void global_tokens_backward_cpu(CpuStream& stream, const GlobalTokensBackward& p) {
  Workspace& workspace = stream.workspace();
  WorkspaceScope scope(workspace);
  const GlobalTokensForward& f = p.forward;
  const GlobalTokensWeights& w = *f.weights;
  const SideLayout& layout = f.inputs.layout;
  const int64_t width = p.d_side.cols;
  const auto add_row = [&](int64_t row, float* to) {
    const float* from = p.d_side.row(row);
    for (int64_t i = 0; i < width; ++i) to[i] += from[i];
  };

  for (int64_t b = 0; b < layout.num_requests; ++b) {
    for (int64_t i = 0; i < w.num_cls; ++i) add_row(layout.offsets[b] + i, p.d_cls + i * width);
  }
  set_zero(p.d_user_input);
  for (size_t t = 0; t < w.user_tokens.size(); ++t) {
    WorkspaceScope token_scope(workspace);
    const MatrixView d_rows = workspace.matrix(layout.num_requests, width);
    set_zero(d_rows);
    for_user_rows(f, t, [&](int64_t b, int64_t row) { add_row(row, d_rows.row(b)); });
    token_backward(stream, w.user_tokens[t], f.user_input, d_rows, (*p.d_user_tokens)[t],
                   p.d_user_input);
  }
  set_zero(p.d_candidate_input);
  for (size_t t = 0; t < w.candidate_tokens.size(); ++t) {
    WorkspaceScope token_scope(workspace);
    const MatrixView d_rows = workspace.matrix(f.inputs.num_candidates, width);
    for_candidate_rows(layout, t, [&](int64_t candidate, int64_t row) {
      copy_floats(d_rows.row(candidate), p.d_side.row(row), width);
    });
    token_backward(stream, w.candidate_tokens[t], f.candidate_input, d_rows,
                   (*p.d_candidate_tokens)[t], p.d_candidate_input);
  }
}

}  // namespace longer
