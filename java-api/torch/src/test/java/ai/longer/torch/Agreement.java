package ai.longer.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * How far 32-bit numbers may lie from their 64-bit values: {@code |actual − exact| ≤ relative · max
 * |exact| + absolute}, element by element, the maximum over the tensor. Each tolerance says where
 * its rounding comes from.
 */
record Agreement(double relative, double absolute) {

  /** Values that come out of a few roundings of numbers known exactly. */
  static Agreement fewRoundings() {
    return new Agreement(1e-6, 0);
  }

  /**
   * Logits: of order 0.1 … 1 after about ten roundings in a row, each 6e-8 of the largest summand.
   */
  static Agreement logits() {
    return new Agreement(1e-5, 2e-6);
  }

  /** Mean of the cross entropies, summed in 64 bits: the logits' rounding averaged. */
  static Agreement loss() {
    return new Agreement(1e-6, 0);
  }

  /** Losses along a trajectory: each step starts from weights that are off by {@link #weights}. */
  static Agreement trajectory() {
    return new Agreement(1e-5, 0);
  }

  /**
   * Gradients: sums over the batch of products with rounded factors. Where the exact sum cancels
   * (the keys' bias: exactly 0; weights that few rows touch) what is left is rounding of the
   * summands, whose scale is the global norm.
   */
  static Agreement gradient(double globalNorm) {
    return new Agreement(1e-5, 2e-7 * globalNorm);
  }

  /**
   * Weights after some steps: rounded once a step, and each step's direction is off by the
   * gradients' tolerance over ε, far below a thousandth of the rate.
   */
  static Agreement weights(double learningRate, int numSteps) {
    return new Agreement(1e-6, 1e-3 * learningRate * numSteps);
  }

  void check(String what, double exact, double actual) {
    check(what, new double[] {exact}, new double[] {actual});
  }

  void check(String what, double[] exact, float[] actual) {
    double[] doubles = new double[actual.length];
    for (int i = 0; i < doubles.length; i++) {
      doubles[i] = actual[i];
    }
    check(what, exact, doubles);
  }

  void check(String what, double[] exact, double[] actual) {
    assertEquals(exact.length, actual.length, what);
    double scale = 0;
    double error = 0;
    int where = 0;
    for (int i = 0; i < exact.length; i++) {
      scale = Math.max(scale, Math.abs(exact[i]));
      double distance = Math.abs(exact[i] - actual[i]);
      if (!(distance <= error)) {
        error = distance;
        where = i;
      }
    }
    String message =
        "%s: element %d is off by %.3g, relative to the largest %.3g"
            .formatted(what, where, error, error / scale);
    assertTrue(error <= relative * scale + absolute, message);
  }
}
