#include "ops/cuda_launch.hpp"
#include "ops/feature_input/feature_input_cuda.hpp"
#include "ops/global_tokens/global_tokens_cuda.hpp"
#include "ops/linear/linear_cuda.hpp"

namespace longer {
namespace {

/// The token's columns of `input`, side by side.
MatrixView token_input(CudaStream& stream, const TokenWeights& token, ConstMatrixView input) {
  const MatrixView picked = stream.workspace().matrix(input.rows, token.linear.in);
  int64_t column = 0;
  for (const ColumnRange& range : token.columns) {
    const ConstMatrixView from = input.slice_cols(range.begin, range.end);
    const MatrixView to = picked.slice_cols(column, column + from.cols);
    for_elements(stream.get(), "pick columns", from.rows * from.cols, [=] __device__(int64_t i) {
      const int64_t row = i / from.cols;
      const int64_t col = i % from.cols;
      to.data[row * to.stride + col] = from.data[row * from.stride + col];
    });
    column += from.cols;
  }
  return picked;
}

/// The reverse: adds d_picked to the token's columns of d_input.
void add_token_input(CudaStream& stream, const TokenWeights& token, ConstMatrixView d_picked,
                     MatrixView d_input) {
  int64_t column = 0;
  for (const ColumnRange& range : token.columns) {
    const MatrixView to = d_input.slice_cols(range.begin, range.end);
    const ConstMatrixView from = d_picked.slice_cols(column, column + to.cols);
    for_elements(stream.get(), "add columns", to.rows * to.cols, [=] __device__(int64_t i) {
      const int64_t row = i / to.cols;
      const int64_t col = i % to.cols;
      to.data[row * to.stride + col] += from.data[row * from.stride + col];
    });
    column += to.cols;
  }
}

/// The rows of one token before they are put in their places.
MatrixView token_rows(CudaStream& stream, const TokenWeights& token, ConstMatrixView input) {
  const MatrixView rows = stream.workspace().matrix(input.rows, token.linear.out);
  linear_forward_cuda(stream, token_input(stream, token, input), token.linear, rows,
                      Activation::kNone, {}, {});
  return rows;
}

void token_backward(CudaStream& stream, const TokenWeights& token, ConstMatrixView input,
                    ConstMatrixView d_rows, const LinearGradients& gradients, MatrixView d_input) {
  linear_backward_weights_cuda(stream, token_input(stream, token, input), d_rows, gradients);
  const MatrixView d_picked = stream.workspace().matrix(input.rows, token.linear.in);
  linear_backward_input_cuda(stream, d_rows, token.linear, d_picked);
  add_token_input(stream, token, d_picked, d_input);
}

/// Where the rows of user token t stand: once a request, or in each of its blocks.
struct UserRows {
  SideLayout layout;
  bool is_shared;
  int64_t first;  // its place among the request's rows, or among a block's

  UserRows(const GlobalTokensForward& p, size_t t)
      : layout(p.inputs.layout), is_shared(layout.request_rows > p.weights->num_cls) {
    const auto before =
        is_shared ? p.weights->num_cls : static_cast<int64_t>(p.weights->candidate_tokens.size());
    first = before + static_cast<int64_t>(t);
  }
  constexpr int64_t count(int64_t b) const { return is_shared ? 1 : layout.num_candidates(b); }
  constexpr int64_t row(int64_t b, int64_t c) const {
    return (is_shared ? layout.offsets[b] : layout.block(b, c)) + first;
  }
};

void put_user_rows(CudaStream& stream, const UserRows& places, ConstMatrixView rows,
                   MatrixView side) {
  const int64_t width = side.cols;
  for_request_elements(
      stream.get(), "put user rows", places.layout.num_requests,
      [=] __device__(int64_t b) { return places.count(b) * width; },
      [=] __device__(int64_t b, int64_t i) {
        side.data[places.row(b, i / width) * side.stride + i % width] =
            rows.data[b * rows.stride + i % width];
      });
}

/// d_rows[b] = Σ of the rows where the token stands, in order.
void sum_user_rows(CudaStream& stream, const UserRows& places, ConstMatrixView d_side,
                   MatrixView d_rows) {
  for_elements(stream.get(), "sum user rows", d_rows.rows * d_rows.cols, [=] __device__(int64_t i) {
    const int64_t b = i / d_rows.cols;
    const int64_t col = i % d_rows.cols;
    float sum = 0.0F;
    for (int64_t c = 0; c < places.count(b); ++c) {
      sum += d_side.data[places.row(b, c) * d_side.stride + col];
    }
    d_rows.data[b * d_rows.stride + col] = sum;
  });
}

void put_candidate_rows(CudaStream& stream, const SideLayout& layout, int64_t token,
                        ConstMatrixView rows, MatrixView side) {
  const int64_t width = side.cols;
  for_request_elements(
      stream.get(), "put candidate rows", layout.num_requests,
      [=] __device__(int64_t b) { return layout.num_candidates(b) * width; },
      [=] __device__(int64_t b, int64_t i) {
        side.data[(layout.block(b, i / width) + token) * side.stride + i % width] =
            rows.data[(layout.first_candidate(b) + i / width) * rows.stride + i % width];
      });
}

void pick_candidate_rows(CudaStream& stream, const SideLayout& layout, int64_t token,
                         ConstMatrixView d_side, MatrixView d_rows) {
  const int64_t width = d_side.cols;
  for_request_elements(
      stream.get(), "pick candidate rows", layout.num_requests,
      [=] __device__(int64_t b) { return layout.num_candidates(b) * width; },
      [=] __device__(int64_t b, int64_t i) {
        d_rows.data[(layout.first_candidate(b) + i / width) * d_rows.stride + i % width] =
            d_side.data[(layout.block(b, i / width) + token) * d_side.stride + i % width];
      });
}

/// The time bucket's columns of the user input, behind the features.
void gather_time_buckets(CudaStream& stream, const GlobalTokensForward& p) {
  const float* table = p.weights->user_time_bucket;
  const int32_t* buckets = p.inputs.user_time_buckets;
  const int64_t width = p.weights->time_width;
  const MatrixView to =
      p.user_input.slice_cols(p.weights->user_width, p.weights->user_width + width);
  for_elements(stream.get(), "gather time buckets", to.rows * width, [=] __device__(int64_t i) {
    const int64_t row = i / width;
    to.data[row * to.stride + i % width] = table[buckets[row] * width + i % width];
  });
}

}  // namespace

void global_tokens_forward_cuda(CudaStream& stream, const GlobalTokensForward& p) {
  Workspace& workspace = stream.workspace();
  const WorkspaceScope scope(workspace);
  const GlobalTokensWeights& w = *p.weights;
  const SideLayout layout = p.inputs.layout;
  const MatrixView side = p.side;

  gather_features_cuda(stream, w.user_tables, p.inputs.user_features, p.user_input);
  gather_time_buckets(stream, p);
  gather_features_cuda(stream, w.candidate_tables, p.inputs.candidate_features, p.candidate_input);
  const float* cls = w.cls;
  const int64_t cls_floats = w.num_cls * side.cols;
  for_elements(stream.get(), "put CLS rows", layout.num_requests * cls_floats,
               [=] __device__(int64_t i) {
                 const int64_t row = layout.offsets[i / cls_floats] + i % cls_floats / side.cols;
                 side.data[row * side.stride + i % side.cols] = cls[i % cls_floats];
               });
  for (size_t t = 0; t < w.user_tokens.size(); ++t) {
    const WorkspaceScope token_scope(workspace);
    const MatrixView rows = token_rows(stream, w.user_tokens[t], p.user_input);
    put_user_rows(stream, UserRows(p, t), rows, side);
  }
  for (size_t t = 0; t < w.candidate_tokens.size(); ++t) {
    const WorkspaceScope token_scope(workspace);
    const MatrixView rows = token_rows(stream, w.candidate_tokens[t], p.candidate_input);
    put_candidate_rows(stream, layout, static_cast<int64_t>(t), rows, side);
  }
}

void global_tokens_backward_cuda(CudaStream& stream, const GlobalTokensBackward& p) {
  Workspace& workspace = stream.workspace();
  const WorkspaceScope scope(workspace);
  const GlobalTokensForward& f = p.forward;
  const GlobalTokensWeights& w = *f.weights;
  const SideLayout layout = f.inputs.layout;
  const ConstMatrixView d_side = p.d_side;
  float* d_cls = p.d_cls;
  for_elements(stream.get(), "CLS gradient", w.num_cls * d_side.cols, [=] __device__(int64_t i) {
    float sum = d_cls[i];
    for (int64_t b = 0; b < layout.num_requests; ++b) {
      const int64_t row = layout.offsets[b] + i / d_side.cols;
      sum += d_side.data[row * d_side.stride + i % d_side.cols];
    }
    d_cls[i] = sum;
  });
  stream.zero(p.d_user_input.data, p.d_user_input.rows * p.d_user_input.cols);
  for (size_t t = 0; t < w.user_tokens.size(); ++t) {
    const WorkspaceScope token_scope(workspace);
    const MatrixView d_rows = workspace.matrix(layout.num_requests, d_side.cols);
    sum_user_rows(stream, UserRows(f, t), d_side, d_rows);
    token_backward(stream, w.user_tokens[t], f.user_input, d_rows, (*p.d_user_tokens)[t],
                   p.d_user_input);
  }
  stream.zero(p.d_candidate_input.data, p.d_candidate_input.rows * p.d_candidate_input.cols);
  for (size_t t = 0; t < w.candidate_tokens.size(); ++t) {
    const WorkspaceScope token_scope(workspace);
    const MatrixView d_rows = workspace.matrix(f.inputs.num_candidates, d_side.cols);
    pick_candidate_rows(stream, layout, static_cast<int64_t>(t), d_side, d_rows);
    token_backward(stream, w.candidate_tokens[t], f.candidate_input, d_rows,
                   (*p.d_candidate_tokens)[t], p.d_candidate_input);
  }
}

}  // namespace longer
