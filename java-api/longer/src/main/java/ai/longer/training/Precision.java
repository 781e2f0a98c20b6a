package ai.longer.training;

/**
 * What activations and the copies of weights are in during training (LONGER §3.6). Sums,
 * statistics, logits, the loss and the weights themselves are 32-bit floats in both.
 */
public enum Precision {
  /** 32-bit floats. */
  FP32,
  /**
   * bfloat16 on the tensor cores of a CUDA device, without which creating a trainer throws {@link
   * UnsupportedOperationException}. Shapes that have no such kernels run in 32-bit floats.
   */
  BF16
}
