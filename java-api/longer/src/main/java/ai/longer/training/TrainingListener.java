package ai.longer.training;

import ai.longer.internal.Terminal;

/**
 * Is told how training goes, on the thread that called {@link Trainer#fit}.
 *
 * <p>An exception thrown by a listener ends the run and leaves {@code fit}.
 */
public interface TrainingListener {
  /** Called once before the first step. */
  default void onBegin(TrainingPlan plan) {}

  /** Called after every step. */
  default void onStep(StepResult result) {}

  /** Called after every complete pass. */
  default void onEpoch(EpochResult result) {}

  /** Called after every validation pass. */
  default void onValidation(ValidationResult result) {}

  /** Called once after the last step, however the run ended, unless it failed. */
  default void onEnd(TrainingResult result) {}

  /**
   * Returns a listener that prints loss, requests/s, events/s and the time left to standard error:
   * a bar on a terminal, a plain line every few seconds otherwise. Use it for one run at a time.
   */
  static TrainingListener progressBar() {
    return new ProgressBar(System.err, Terminal.isPresent(), System::nanoTime);
  }
}
