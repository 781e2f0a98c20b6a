#pragma once
#include <cstdint>

#include "core/aligned_vector.hpp"
#include "core/matrix.hpp"
#include "core/thread_pool.hpp"

namespace longer {

/// What the weights are packed for: the forward map only, or its input gradient too.
enum class PackFor { kInference, kTraining };

/// The weights of y = x·Wᵀ + b in the order in which the CPU tiles read them.
class PackedLinear {
 public:
  /// weight [out, in], rows `stride` floats apart (0 = in); bias [out] or null (= 0). Copies;
  /// reuses memory when packed again.
  void pack(const float* weight, const float* bias, int64_t out, int64_t in, PackFor purpose,
            int64_t stride = 0);

  int64_t out() const { return out_; }
  int64_t in() const { return in_; }
  bool has_backward() const { return has_backward_; }
  const float* bias() const { return bias_.data(); }
  const float* forward_panels() const { return forward_.data(); }  // [⌈out/P⌉, in, P], zero padded
  const float* backward_panels() const {
    return backward_.data();
  }  // [⌈in/P⌉, out, P], zero padded; empty for inference
  int64_t bytes() const;

 private:
  int64_t out_ = 0;
  int64_t in_ = 0;
  bool has_backward_ = false;
  AlignedFloats bias_;
  AlignedFloats forward_;
  AlignedFloats backward_;
};

/// y = act(x·Wᵀ + b) + residual.
///
/// x [R, in], y [R, out], residual [R, out] or empty (may be y itself), pre_activation [R, out] or
/// empty: x·Wᵀ + b kept for backward (with kGelu). One fixed order of summation: a row's bits
/// depend on neither R, nor its position, nor the number of threads. R may be 0. y may not alias x.
/// `pool` null = calling thread.
enum class Activation { kNone, kGelu };
struct LinearForward {
  ConstMatrixView x;
  const PackedLinear* weights = nullptr;
  MatrixView y;
  Activation activation = Activation::kNone;
  ConstMatrixView residual;
  MatrixView pre_activation;
};
void linear_forward(ThreadPool* pool, const LinearForward& p);

/// Whether an output is overwritten or added to.
enum class Write { kSet, kAdd };

/// dx (+)= dy·W. Needs weights packed for training. Row-invariant as the forward map.
void linear_backward_input(ThreadPool* pool, ConstMatrixView dy, const PackedLinear& weights,
                           MatrixView dx, Write write);

/// d_weight [out, in] += dyᵀ·x, its rows `stride` floats apart (0 = in); d_bias [out] += column
/// sums of dy (null = not wanted). Fixed order of summation over rows, whatever the number of
/// threads.
void linear_backward_weights(ThreadPool* pool, ConstMatrixView x, ConstMatrixView dy,
                             float* d_weight, float* d_bias, int64_t stride = 0);

/// dx = dy ⊙ gelu'(pre_activation), gelu by tanh (native/docs/model.md). dx may be dy.
void gelu_backward(ThreadPool* pool, ConstMatrixView pre_activation, ConstMatrixView dy,
                   MatrixView dx);
/// y = gelu(x); y may be x. The same bits as the epilogue of linear_forward.
void gelu_forward(ThreadPool* pool, ConstMatrixView x, MatrixView y);

}  // namespace longer
