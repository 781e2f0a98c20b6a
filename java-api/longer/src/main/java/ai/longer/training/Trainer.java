package ai.longer.training;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.data.Dataset;
import ai.longer.data.Request;
import ai.longer.internal.Access;
import ai.longer.internal.BatchBuffer;
import ai.longer.internal.BatchBuffer.Content;
import ai.longer.internal.ModelAccess;
import ai.longer.internal.TrainerHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Trains a model.
 *
 * <p>For one thread at a time: a call while another thread's call runs throws {@link
 * IllegalStateException}. Listeners may call it. {@link #close} may be called from any thread;
 * later calls throw {@link IllegalStateException}.
 */
public final class Trainer implements AutoCloseable {
  static {
    Access.TRAINER.set(trainer -> batch -> trainer.alone(() -> trainer.handle.predict(batch)));
  }

  private final TrainerHandle handle;
  private final TrainerOptions options;
  private final BatchBuffer batch;
  private final ReentrantLock lock = new ReentrantLock();
  private final BestWeights bestWeights = new BestWeights();
  private Progress progress;
  private volatile @Nullable LongerModel best;

  private Trainer(TrainerHandle handle, TrainerOptions options, Progress progress) {
    this.handle = handle;
    this.options = options;
    this.progress = progress;
    this.batch = new BatchBuffer(handle.config());
  }

  /**
   * Trains a freshly initialised model, with the seed of {@code options}.
   *
   * @throws IllegalArgumentException if the configuration or an option is not valid; the message
   *     names it
   * @throws UnsupportedOperationException if the loaded library lacks the device or an option
   */
  public static Trainer create(LongerConfig config, Device device, TrainerOptions options) {
    try (LongerModel model = LongerModel.create(config, options.seed(), device)) {
      return create(model, device, options);
    }
  }

  /**
   * Trains on from a copy of a model's weights; the model is unchanged.
   *
   * @throws IllegalArgumentException if an option is not valid; the message names it
   * @throws IllegalStateException if the model is closed
   */
  public static Trainer create(LongerModel model, Device device, TrainerOptions options) {
    return new Trainer(
        TrainerHandle.create(ModelAccess.get().unwrap(model), device, options),
        options,
        Progress.none(options));
  }

  /**
   * Goes on from a checkpoint that {@link #save} or {@link TrainerOptions.Builder#checkpoint}
   * wrote: with the same options, later steps have the bits of a trainer that was never
   * interrupted. A run that was in progress goes on with {@link #resume}.
   *
   * @throws java.io.UncheckedIOException if a file cannot be read
   * @throws ai.longer.CorruptDataException if a file is damaged; the message names it
   * @throws IllegalArgumentException if the folder holds no checkpoint of a trainer
   */
  public static Trainer load(Path folder, Device device, TrainerOptions options) {
    TrainerHandle handle = TrainerHandle.load(folder, device, options);
    try {
      String text = handle.progress();
      Progress progress = text.isEmpty() ? Progress.none(options) : Progress.parse(text);
      Trainer trainer = new Trainer(handle, options, progress);
      trainer.bestWeights.load(folder, progress, device).ifPresent(trainer::setBest);
      return trainer;
    } catch (RuntimeException | Error e) {
      handle.close();
      throw e;
    }
  }

  /** Returns the configuration of the model in training. */
  public LongerConfig config() {
    return handle.config();
  }

  /** Returns the options. */
  public TrainerOptions options() {
    return options;
  }

  /**
   * Trains on {@code training} for the epochs of the options, without validation.
   *
   * @see #fit(Dataset, Dataset, TrainingListener...)
   */
  public TrainingResult fit(Dataset training, TrainingListener... listeners) {
    return run(training, null, listeners);
  }

  /**
   * Trains on {@code training} for the epochs of the options and measures on {@code validation}
   * after each. Deterministic: equal weights, options, requests and earlier fits give equal bits.
   * Other threads read and pack requests ahead of the steps; over {@link ai.longer.data.Shards}
   * they are native ones, each pass has a uniform order of its own, and shards that are closed
   * meanwhile end the run with the pass in progress.
   *
   * <p>An interrupt of the calling thread ends the run after the step in progress, see {@link
   * TrainingResult.Outcome#INTERRUPTED}; {@link #resume} goes on with it.
   *
   * @throws IllegalArgumentException if a source is empty, or a request does not fit the schema or
   *     has no labels; steps before it are done
   * @throws ai.longer.CorruptDataException if a shard is damaged; the message names file and place
   */
  public TrainingResult fit(Dataset training, Dataset validation, TrainingListener... listeners) {
    return run(training, validation, listeners);
  }

  private TrainingResult run(
      Dataset training, @Nullable Dataset validation, TrainingListener[] listeners) {
    return alone(
        () -> {
          setBest(null);
          progress = progress.next(options, training);
          return new TrainingRun(this, handle, training, validation, List.of(listeners), progress)
              .run();
        });
  }

  /**
   * Goes on with the last run, without validation.
   *
   * @see #resume(Dataset, Dataset, TrainingListener...)
   */
  public TrainingResult resume(Dataset training, TrainingListener... listeners) {
    return goOn(training, null, listeners);
  }

  /**
   * Goes on with the last run of this trainer, or of the checkpoint it was loaded from, where it
   * stands: given the sources and options that it began with, everything that follows has the bits
   * of a run that was never interrupted. A {@link ai.longer.data.RequestSource} is read up to that
   * place without training, shards are not. A run that was complete ends at once.
   *
   * @return figures of the whole run, what was done before included; its time apart
   * @throws IllegalStateException if there was no run
   * @throws IllegalArgumentException if batch size, batches per step, shuffle buffer, seed or
   *     shards differ from the run's, or as {@link #fit}
   */
  public TrainingResult resume(
      Dataset training, Dataset validation, TrainingListener... listeners) {
    return goOn(training, validation, listeners);
  }

  private TrainingResult goOn(
      Dataset training, @Nullable Dataset validation, TrainingListener[] listeners) {
    return alone(
        () -> {
          if (progress.run == 0) {
            throw new IllegalStateException("[trainer] there is no run to resume");
          }
          progress.checkUnits(options, training);
          return new TrainingRun(this, handle, training, validation, List.of(listeners), progress)
              .run();
        });
  }

  /**
   * Makes one optimizer step, over accumulated batches too if there are any.
   *
   * @throws IllegalArgumentException if {@code requests} is empty, or one of them does not fit the
   *     schema or has no labels; nothing was changed
   * @throws IllegalStateException if the step is not finite and the options say that this fails
   */
  public StepResult step(List<Request> requests) {
    return alone(() -> handle.step(packed(requests, Content.LABELS)));
  }

  /**
   * Adds the gradients of one of several batches of an optimizer step, which {@link #apply} makes.
   *
   * @throws IllegalArgumentException as {@link #step}; earlier batches stay
   */
  public void accumulate(List<Request> requests) {
    alone(
        () -> {
          handle.accumulate(packed(requests, Content.LABELS));
          return requests;
        });
  }

  /**
   * Makes one optimizer step over all batches that were accumulated since the last one; the loss is
   * normalised over all of them.
   *
   * @throws IllegalStateException if there is no batch, or as {@link #step}
   */
  public StepResult apply() {
    return alone(handle::apply);
  }

  /** Forgets the accumulated batches. */
  public void discard() {
    alone(
        () -> {
          handle.discard();
          return this;
        });
  }

  /**
   * Returns loss and gradients of a batch; no weight changes. Dropout is that of the next step. Ids
   * that growable tables have not seen are counted and get their initial rows, as in a step.
   *
   * @throws IllegalArgumentException as {@link #step}
   * @throws IllegalStateException between {@link #accumulate} and {@link #apply}
   */
  public Gradients gradients(List<Request> requests) {
    return alone(() -> handle.gradients(packed(requests, Content.LABELS)));
  }

  /**
   * Returns probabilities with the present weights.
   *
   * @return row-major [tasks, sum of C], candidates in request order
   * @throws IllegalArgumentException if a request does not fit the schema
   */
  public float[] predict(List<Request> requests) {
    return alone(() -> handle.predict(packed(requests, Content.INPUTS)));
  }

  private BatchBuffer packed(List<Request> requests, Content content) {
    if (content == Content.LABELS && requests.isEmpty()) {
      throw new IllegalArgumentException("[trainer] a step needs at least one request");
    }
    batch.fill(requests.toArray(new Request[0]), content);
    return batch;
  }

  /** Returns a snapshot of the present weights, with a new version; close it. */
  public LongerModel model() {
    return alone(() -> ModelAccess.get().wrap(handle.model()));
  }

  /**
   * Returns the weights of the best validation pass of the last {@link #fit}. This trainer owns the
   * model and closes it with itself or the next fit; rankers made from it live on.
   *
   * @throws IllegalStateException if the last fit had no validation pass
   */
  public LongerModel bestModel() {
    LongerModel model = best;
    if (model == null) {
      throw new IllegalStateException("[trainer] the last fit had no validation pass");
    }
    return model;
  }

  /** Keeps a snapshot of the present weights as the best ones. */
  void keepAsBest() {
    setBest(model());
  }

  private void setBest(@Nullable LongerModel model) {
    LongerModel old = best;
    best = model;
    if (old != null) {
      old.close();
    }
  }

  /**
   * Writes a checkpoint that {@link #load} goes on from: weights, optimizer state, step, and where
   * the run stands that is in progress. Complete or not at all, over what was there; a model folder
   * too. The best weights of a run with validation are written beside it, to {@code folder.best-…}.
   *
   * @throws java.io.UncheckedIOException if it cannot be written; what was there is unchanged
   * @throws IllegalStateException between {@link #accumulate} and {@link #apply}
   */
  public void save(Path folder) {
    alone(
        () -> {
          bestWeights.save(folder, progress, best, () -> handle.save(folder, progress.toJson()));
          return folder;
        });
  }

  private <T> T alone(Supplier<T> call) {
    if (!lock.tryLock()) {
      throw new IllegalStateException("[trainer] is in use by another thread");
    }
    try {
      return call.get();
    } finally {
      lock.unlock();
    }
  }

  /** Frees everything; waits for a native call in flight, not for a whole {@link #fit}. */
  @Override
  public void close() {
    handle.close();
    setBest(null);
  }
}
