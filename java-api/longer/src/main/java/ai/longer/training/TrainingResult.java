package ai.longer.training;

import java.util.List;
import java.util.Optional;

/**
 * How a training run ended.
 *
 * @param outcome why it ended
 * @param step steps done by the trainer so far
 * @param epochs complete passes of this run, in order
 * @param validations validation passes of this run, in order
 * @param seconds wall time
 */
public record TrainingResult(
    Outcome outcome,
    long step,
    List<EpochResult> epochs,
    List<ValidationResult> validations,
    double seconds) {
  /** Why a run ended. */
  public enum Outcome {
    /** All epochs are done. */
    COMPLETED,
    /** Validation did not improve for as long as the options allow. */
    STOPPED_EARLY,
    /** The thread was interrupted; the last step was finished. Its interrupt flag is set. */
    INTERRUPTED
  }

  /** Copies the lists. */
  public TrainingResult {
    epochs = List.copyOf(epochs);
    validations = List.copyOf(validations);
  }

  /** Returns the best validation pass, empty without validation. */
  public Optional<ValidationResult> bestValidation() {
    return validations.stream().filter(ValidationResult::best).reduce((first, last) -> last);
  }
}
