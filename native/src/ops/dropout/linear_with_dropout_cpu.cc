#include "ops/dropout/linear_with_dropout.hpp"

namespace longer {

void linear_with_dropout(ThreadPool* pool, const LinearForward& linear, const Dropout& p,
                         DropoutSite site) {
  if (!p.is_on()) return linear_forward(pool, linear);
  LinearForward map = linear;
  map.residual = {};
  linear_forward(pool, map);
  apply_dropout(pool, p, site, linear.y, linear.residual, linear.y);
}

ConstMatrixView dropout_backward(ThreadPool* pool, const Dropout& p, DropoutSite site,
                                 ConstMatrixView d_y, MatrixView scratch) {
  if (!p.is_on()) return d_y;
  apply_dropout(pool, p, site, d_y, {}, scratch);
  return scratch;
}

}  // namespace longer
