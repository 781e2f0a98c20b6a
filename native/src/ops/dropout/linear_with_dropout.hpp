#pragma once
#include "ops/dropout/dropout.hpp"
#include "ops/linear/linear.hpp"

namespace longer {

/// As linear_forward, with dropout of the map's result before the residual is added; without
/// activation. `p` may be off.
void linear_with_dropout(ThreadPool* pool, const LinearForward& linear, const Dropout& p,
                         DropoutSite site);
/// The gradient of what linear_with_dropout dropped from: d_y itself when `p` is off, else m ⊙ d_y
/// in `scratch`.
ConstMatrixView dropout_backward(ThreadPool* pool, const Dropout& p, DropoutSite site,
                                 ConstMatrixView d_y, MatrixView scratch);

}  // namespace longer
