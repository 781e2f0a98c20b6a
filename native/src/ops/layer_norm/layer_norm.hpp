#pragma once
#include "core/matrix.hpp"
#include "core/thread_pool.hpp"
#include "ops/linear/linear.hpp"

namespace longer {

/// y = (x − mean) · rstd · weight + bias over each row, ε = 1e−5 inside the square root, biased
/// variance.
///
/// x, y [R, D]; weight, bias [D]; mean, rstd [R] are written when not null (kept for backward). y
/// may be x. Two-pass variance; a row's bits depend on the row alone. R may be 0. `pool` null =
/// calling thread.
void layer_norm_forward(ThreadPool* pool, ConstMatrixView x, const float* weight, const float* bias,
                        MatrixView y, float* mean, float* rstd);

/// dx (+)= gradient through the norm; d_weight, d_bias [D] are added to (fixed order over rows).
void layer_norm_backward(ThreadPool* pool, ConstMatrixView x, const float* weight,
                         const float* mean, const float* rstd, ConstMatrixView dy, MatrixView dx,
                         Write write, float* d_weight, float* d_bias);

}  // namespace longer
