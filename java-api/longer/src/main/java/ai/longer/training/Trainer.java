package ai.longer.training;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.data.Request;
import ai.longer.data.RequestSource;
import java.nio.file.Path;
import java.util.List;

/**
 * Trains a model.
 *
 * <p>For one thread at a time: a second call while one runs throws {@link IllegalStateException}.
 * {@link #close} may be called from any thread.
 */
public final class Trainer implements AutoCloseable {
  private Trainer() {}

  /** Trains a freshly initialised model, with the seed of {@code options}. */
  public static Trainer create(LongerConfig config, Device device, TrainerOptions options) {
    throw new UnsupportedOperationException();
  }

  /** Trains on from a copy of a model's weights; the model is unchanged. */
  public static Trainer create(LongerModel model, Device device, TrainerOptions options) {
    throw new UnsupportedOperationException();
  }

  /**
   * Goes on from a checkpoint that {@link #saveCheckpoint} wrote.
   *
   * @throws java.io.UncheckedIOException if a file cannot be read
   * @throws ai.longer.CorruptDataException if a file is damaged; the message names it
   */
  public static Trainer loadCheckpoint(Path folder, Device device, TrainerOptions options) {
    throw new UnsupportedOperationException();
  }

  /** Returns the configuration of the model in training. */
  public LongerConfig config() {
    throw new UnsupportedOperationException();
  }

  /** Returns the options. */
  public TrainerOptions options() {
    throw new UnsupportedOperationException();
  }

  /** Trains on {@code training} without validation. */
  public TrainingResult fit(RequestSource training, TrainingListener... listeners) {
    throw new UnsupportedOperationException();
  }

  /**
   * Trains on {@code training} for the epochs of the options and measures on {@code validation}
   * after each. Deterministic: equal weights, options and requests give equal bits.
   *
   * <p>An interrupt of the calling thread ends the run after the step in progress.
   *
   * @throws IllegalArgumentException if a request does not fit the schema or has no labels
   */
  public TrainingResult fit(
      RequestSource training, RequestSource validation, TrainingListener... listeners) {
    throw new UnsupportedOperationException();
  }

  /**
   * Makes one optimizer step.
   *
   * @throws IllegalArgumentException if {@code requests} is empty, or one of them does not fit the
   *     schema or has no labels; nothing was changed
   */
  public StepResult step(List<Request> requests) {
    throw new UnsupportedOperationException();
  }

  /** Returns loss and gradients of a batch without changing anything. */
  public Gradients gradients(List<Request> requests) {
    throw new UnsupportedOperationException();
  }

  /**
   * Returns probabilities with the present weights.
   *
   * @return row-major [tasks, sum of C], candidates in request order
   */
  public float[] predict(List<Request> requests) {
    throw new UnsupportedOperationException();
  }

  /** Returns a snapshot of the present weights, with a new version; close it. */
  public LongerModel model() {
    throw new UnsupportedOperationException();
  }

  /**
   * Returns the weights of the best validation pass of the last {@link #fit}. This trainer owns the
   * model and closes it with itself; rankers made from it live on.
   *
   * @throws IllegalStateException if the last fit had no validation pass
   */
  public LongerModel bestModel() {
    throw new UnsupportedOperationException();
  }

  /** Writes weights, optimizer state and step: complete or not at all, over what was there. */
  public void saveCheckpoint(Path folder) {
    throw new UnsupportedOperationException();
  }

  /** Frees everything; waits for a call in flight. */
  @Override
  public void close() {}
}
