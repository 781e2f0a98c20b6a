package ai.longer.training;

import ai.longer.data.Dataset;
import ai.longer.internal.NativeBatch;
import ai.longer.internal.TrainerHandle;
import ai.longer.training.TrainingResult.Outcome;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One call of {@link Trainer#fit} or {@link Trainer#resume}. Not thread-safe. */
final class TrainingRun {
  private final Trainer trainer;
  private final TrainerHandle handle;
  private final TrainerOptions options;
  private final Dataset training;
  private final @Nullable Dataset validation;
  private final List<TrainingListener> listeners;
  private final Progress progress;

  private long epochStart;
  private long stepsSinceSave;

  /** Goes on where {@code progress} stands, and keeps it true. */
  TrainingRun(
      Trainer trainer,
      TrainerHandle handle,
      Dataset training,
      @Nullable Dataset validation,
      List<TrainingListener> listeners,
      Progress progress) {
    this.trainer = trainer;
    this.handle = handle;
    this.options = trainer.options();
    this.training = training;
    this.validation = validation;
    this.listeners = listeners;
    this.progress = progress;
  }

  TrainingResult run() {
    long start = System.nanoTime();
    OptionalLong size = training.size();
    boolean wasFinished = progress.isFinished;
    progress.isFinished = false;
    tell(l -> l.onBegin(new TrainingPlan(options.epochs(), options.batchSize(), size)));
    Outcome outcome = runEpochs();
    progress.isFinished = outcome != Outcome.INTERRUPTED;
    if (stepsSinceSave > 0 || progress.isFinished != wasFinished) {
      save();
    }
    if (outcome == Outcome.INTERRUPTED) {
      Thread.currentThread().interrupt();
    }
    TrainingResult result =
        new TrainingResult(
            outcome, progress.step, progress.epochs, progress.validations, seconds(start));
    tell(l -> l.onEnd(result));
    return result;
  }

  private Outcome runEpochs() {
    try {
      while (!isComplete()) {
        if (hasLostPatience()) {
          return Outcome.STOPPED_EARLY;
        }
        if (progress.epochs.size() < progress.epoch) {
          train(progress.epoch);
        }
        if (validation != null && progress.validations.size() < progress.epoch) {
          validate(progress.epoch, validation);
        }
        beginNextEpoch();
      }
      return Outcome.COMPLETED;
    } catch (InterruptedException e) {
      return Outcome.INTERRUPTED;
    }
  }

  private boolean isComplete() {
    return progress.epoch > options.epochs();
  }

  private boolean hasLostPatience() {
    return options.patience() > 0 && progress.passesWithoutImprovement() >= options.patience();
  }

  private void beginNextEpoch() {
    progress.epoch++;
    progress.batches = 0;
    progress.totals = new Progress.Totals();
  }

  private void train(int epoch) throws InterruptedException {
    epochStart = System.nanoTime() - (long) (progress.totals.seconds * 1e9);
    try (Batches batches = Batches.training(training, handle.config(), options, progress)) {
      while (step(batches)) {
        checkInterrupt();
      }
    } catch (RuntimeException | Error e) {
      forgetBatches(e);
      throw e;
    }
    Progress.Totals totals = progress.totals;
    if (totals.requests == 0) {
      throw new IllegalArgumentException("[trainer] the training source has no requests");
    }
    EpochResult result =
        new EpochResult(
            epoch,
            progress.step,
            totals.weightedLoss / totals.weight,
            totals.requests,
            totals.events,
            totals.candidates,
            seconds(epochStart));
    progress.epochs.add(result);
    tell(l -> l.onEpoch(result));
  }

  /** Makes one optimizer step; returns false when no batch was left. */
  private boolean step(Batches batches) throws InterruptedException {
    int accumulated = 0;
    while (accumulated < options.batchesPerStep()) {
      NativeBatch batch = accumulated == 0 ? batches.next() : batches.nextOfStep();
      if (batch == null) {
        break;
      }
      handle.accumulate(batch);
      batches.recycle(batch);
      accumulated++;
    }
    if (accumulated == 0) {
      return false;
    }
    StepResult result = handle.apply();
    progress.step = result.step();
    progress.batches += accumulated;
    progress.totals.add(result);
    progress.totals.seconds = seconds(epochStart);
    stepsSinceSave++;
    tell(l -> l.onStep(result));
    if (stepsSinceSave >= options.checkpointSteps()) {
      save();
    }
    return true;
  }

  /** A step that failed half-way must not leak into the next one. */
  private void forgetBatches(Throwable failure) {
    try {
      handle.discard();
    } catch (IllegalStateException closed) {
      failure.addSuppressed(closed);
    }
  }

  private void save() {
    options.checkpointFolder().ifPresent(trainer::save);
    stepsSinceSave = 0;
  }

  private void validate(int epoch, Dataset source) throws InterruptedException {
    ValidationPass pass = new ValidationPass();
    try (Batches batches = Batches.inOrder(source, handle.config(), options.batchSize())) {
      NativeBatch batch;
      while ((batch = batches.next()) != null) {
        pass.add(batch.firstLabels(), handle.predict(batch));
        batches.recycle(batch);
        checkInterrupt();
      }
    }
    ValidationResult measured = pass.result(epoch, progress.step);
    boolean best = isBest(measured);
    ValidationResult result =
        new ValidationResult(
            epoch,
            progress.step,
            measured.logLoss(),
            measured.auc(),
            measured.numCandidates(),
            best);
    progress.validations.add(result);
    if (best) {
      trainer.keepAsBest();
    }
    tell(l -> l.onValidation(result));
  }

  private boolean isBest(ValidationResult result) {
    return progress.validations.stream()
        .filter(ValidationResult::best)
        .allMatch(
            earlier ->
                switch (options.metric()) {
                  case LOG_LOSS -> result.logLoss() < earlier.logLoss();
                  case AUC -> result.auc() > earlier.auc() || Double.isNaN(earlier.auc());
                });
  }

  private static void checkInterrupt() throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
  }

  private void tell(Consumer<TrainingListener> news) {
    listeners.forEach(news);
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
