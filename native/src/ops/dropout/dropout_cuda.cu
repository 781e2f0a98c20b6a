#include "ops/cuda_launch.hpp"
#include "ops/dropout/dropout_cuda.hpp"
#include "ops/linear/linear_cuda.hpp"

namespace longer {

void apply_dropout_cuda(CudaStream& stream, const Dropout& p, DropoutSite site, ConstMatrixView x,
                        ConstMatrixView residual, MatrixView y) {
  const DropoutMask mask(p, site);
  const DropoutRow* rows = p.rows;
  const int64_t fours = (x.cols + 3) / 4;
  for_elements(stream.get(), "dropout", x.rows * fours, [=] __device__(int64_t i) {
    const int64_t row = i / fours;
    const int64_t begin = i % fours * 4;
    const std::array<uint32_t, 4> words = mask.words(rows[row], begin);
    for (int64_t j = 0; j < 4 && begin + j < x.cols; ++j) {
      const float value = mask.factor(words[j]) * x.data[row * x.stride + begin + j];
      const float base =
          residual.data != nullptr ? residual.data[row * residual.stride + begin + j] : 0.0F;
      y.data[row * y.stride + begin + j] = base + value;
    }
  });
}

void linear_with_dropout_cuda(CudaStream& stream, ConstMatrixView x, const LinearWeights& weights,
                              MatrixView y, ConstMatrixView residual, const Dropout& p,
                              DropoutSite site) {
  const ConstMatrixView added = p.is_on() ? ConstMatrixView() : residual;
  linear_forward_cuda(stream, x, weights, y, Activation::kNone, added, {});
  if (p.is_on()) apply_dropout_cuda(stream, p, site, y, residual, y);
}

ConstMatrixView dropout_backward_cuda(CudaStream& stream, const Dropout& p, DropoutSite site,
                                      ConstMatrixView d_y, MatrixView scratch) {
  if (!p.is_on()) return d_y;
  apply_dropout_cuda(stream, p, site, d_y, {}, scratch);
  return scratch;
}

}  // namespace longer
