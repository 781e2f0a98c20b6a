#include "ops/dropout/dropout_bf16_cuda.hpp"
#include "ops/dropout/dropout_cuda.hpp"
#include "ops/linear/linear_bf16_cuda.hpp"
#include "ops/transformer_layer/row_copies_cuda.cuh"

namespace longer {

void linear_with_dropout_bf16(CudaStream& stream, const Bf16View& x, const LinearWeights& weights,
                              MatrixView y, ConstMatrixView residual, const int32_t* rows,
                              const Dropout& p, DropoutSite site) {
  Bf16Epilogue e;
  e.bias = weights.bias;
  e.out_f32 = y;
  if (!p.is_on()) {
    e.residual = residual;
    e.residual_rows = rows;
    linear_forward_bf16(stream, x, weights, e);
    return;
  }
  linear_forward_bf16(stream, x, weights, e);
  const WorkspaceScope scope(stream.workspace());
  if (rows != nullptr) {
    const MatrixView gathered = stream.workspace().matrix(y.rows, y.cols);
    gather_rows(stream.get(), residual, rows, gathered);
    residual = gathered;
  }
  apply_dropout_cuda(stream, p, site, y, residual, y);
}

Bf16View dropout_backward_bf16(CudaStream& stream, const Dropout& p, DropoutSite site,
                               ConstMatrixView d_y, const Bf16View& rounded) {
  Workspace& arena = stream.workspace();
  if (!p.is_on() && rounded.data != nullptr) return rounded;
  const Bf16View result = bf16_matrix(arena, d_y.rows, d_y.cols);
  const WorkspaceScope scope(arena);
  const MatrixView scratch = p.is_on() ? arena.matrix(d_y.rows, d_y.cols) : MatrixView();
  round_to_bf16(stream, dropout_backward_cuda(stream, p, site, d_y, scratch), result);
  return result;
}

}  // namespace longer
