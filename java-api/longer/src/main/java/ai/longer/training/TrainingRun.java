package ai.longer.training;

import ai.longer.data.RequestSource;
import ai.longer.internal.BatchBuffer.Content;
import ai.longer.internal.TrainerHandle;
import ai.longer.training.TrainingResult.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One call of {@link Trainer#fit}. Not thread-safe. */
final class TrainingRun {
  private final Trainer trainer;
  private final TrainerHandle handle;
  private final TrainerOptions options;
  private final RequestSource training;
  private final @Nullable RequestSource validation;
  private final List<TrainingListener> listeners;
  private final int run;

  private final List<EpochResult> epochs = new ArrayList<>();
  private final List<ValidationResult> validations = new ArrayList<>();
  private long step;
  private int passesWithoutImprovement;

  TrainingRun(
      Trainer trainer,
      TrainerHandle handle,
      RequestSource training,
      @Nullable RequestSource validation,
      List<TrainingListener> listeners,
      int run) {
    this.trainer = trainer;
    this.handle = handle;
    this.options = trainer.options();
    this.training = training;
    this.validation = validation;
    this.listeners = listeners;
    this.run = run;
  }

  TrainingResult run() {
    long start = System.nanoTime();
    OptionalLong size = training.size();
    tell(l -> l.onBegin(new TrainingPlan(options.epochs(), options.batchSize(), size)));
    Outcome outcome = runEpochs();
    TrainingResult result = new TrainingResult(outcome, step, epochs, validations, seconds(start));
    tell(l -> l.onEnd(result));
    return result;
  }

  private Outcome runEpochs() {
    try {
      for (int epoch = 1; epoch <= options.epochs(); epoch++) {
        train(epoch);
        if (validation != null) {
          validate(epoch, validation);
          boolean isPatient =
              options.patience() == 0 || passesWithoutImprovement < options.patience();
          if (!isPatient && epoch < options.epochs()) {
            return Outcome.STOPPED_EARLY;
          }
        }
      }
      return Outcome.COMPLETED;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Outcome.INTERRUPTED;
    }
  }

  private void train(int epoch) throws InterruptedException {
    long start = System.nanoTime();
    Totals totals = new Totals();
    ShuffleBuffer shuffle = new ShuffleBuffer(options.shuffleBuffer(), options.seed(), run, epoch);
    try (BatchPipeline batches =
        new BatchPipeline(
            training, shuffle, options.batchSize(), handle.config(), Content.LABELS)) {
      BatchPipeline.Batch batch;
      while ((batch = batches.next()) != null) {
        StepResult result = handle.step(batch.buffer());
        batches.recycle(batch);
        step = result.step();
        totals.add(result);
        tell(l -> l.onStep(result));
        checkInterrupt();
      }
    }
    if (totals.requests == 0) {
      throw new IllegalArgumentException("[trainer] the training source has no requests");
    }
    EpochResult result =
        new EpochResult(
            epoch,
            step,
            totals.weightedLoss / totals.weight,
            totals.requests,
            totals.events,
            totals.candidates,
            seconds(start));
    epochs.add(result);
    tell(l -> l.onEpoch(result));
  }

  private void validate(int epoch, RequestSource source) throws InterruptedException {
    ValidationPass pass = new ValidationPass();
    try (BatchPipeline batches =
        new BatchPipeline(
            source, ShuffleBuffer.none(), options.batchSize(), handle.config(), Content.LABELS)) {
      BatchPipeline.Batch batch;
      while ((batch = batches.next()) != null) {
        pass.add(batch.requests(), handle.predict(batch.buffer()));
        batches.recycle(batch);
        checkInterrupt();
      }
    }
    ValidationResult measured = pass.result(epoch, step);
    boolean best = isBest(measured);
    ValidationResult result =
        new ValidationResult(
            epoch, step, measured.logLoss(), measured.auc(), measured.numCandidates(), best);
    validations.add(result);
    if (best) {
      trainer.keepAsBest();
    }
    passesWithoutImprovement = best ? 0 : passesWithoutImprovement + 1;
    tell(l -> l.onValidation(result));
  }

  private boolean isBest(ValidationResult result) {
    return validations.stream()
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

  /** Sums over the steps of a pass. */
  private static final class Totals {
    double weightedLoss;
    double weight;
    long requests;
    long events;
    long candidates;

    void add(StepResult result) {
      if (!result.skipped()) {
        weightedLoss += result.loss() * result.weight();
        weight += result.weight();
      }
      requests += result.numRequests();
      events += result.numEvents();
      candidates += result.numCandidates();
    }
  }
}
