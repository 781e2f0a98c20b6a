package ai.longer.training;

/** What becomes of an optimizer step whose loss or gradients are not finite. */
public enum OnNonfinite {
  /** It changes nothing; {@link StepResult#skipped} and {@link StepResult#nonfinite} say so. */
  SKIP,
  /**
   * It changes nothing and throws {@link IllegalStateException}, which names the step and the first
   * value that was not finite.
   */
  FAIL
}
