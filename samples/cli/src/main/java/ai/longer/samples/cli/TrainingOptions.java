package ai.longer.samples.cli;

import ai.longer.training.TrainerOptions;
import picocli.CommandLine.Option;

/** How to train. */
final class TrainingOptions {
  private static final TrainerOptions DEFAULTS = TrainerOptions.defaults();

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Passes over the data (default: ${DEFAULT-VALUE}).")
  private int epochs = DEFAULTS.epochs();

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      description = "Requests of a batch (default: ${DEFAULT-VALUE}).")
  private int batchSize = DEFAULTS.batchSize();

  @Option(
      names = "--batches-per-step",
      paramLabel = "N",
      description = "Batches accumulated for a step (default: ${DEFAULT-VALUE}).")
  private int batchesPerStep = DEFAULTS.batchesPerStep();

  @Option(
      names = "--learning-rate",
      paramLabel = "RATE",
      description = "AdamW's rate for dense parameters (default: ${DEFAULT-VALUE}).")
  private double learningRate = DEFAULTS.learningRate();

  @Option(
      names = "--table-learning-rate",
      paramLabel = "RATE",
      description = "Row-wise Adagrad's rate for growing tables (default: ${DEFAULT-VALUE}).")
  private double tableLearningRate = DEFAULTS.tableLearningRate();

  @Option(
      names = "--weight-decay",
      paramLabel = "RATE",
      description = "Of the weights of linear maps (default: ${DEFAULT-VALUE}).")
  private double weightDecay = DEFAULTS.weightDecay();

  @Option(
      names = "--warmup-steps",
      paramLabel = "N",
      description = "Steps of linear warm-up (default: ${DEFAULT-VALUE}).")
  private long warmupSteps = DEFAULTS.warmupSteps();

  @Option(
      names = "--patience",
      paramLabel = "N",
      description = "Stop after so many validations without improvement (default: never).")
  private int patience;

  @Option(
      names = "--metric",
      paramLabel = "NAME",
      description =
          "What makes a validation the best: one of ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}).")
  private TrainerOptions.Metric metric = DEFAULTS.metric();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of weights, dropout and order (default: ${DEFAULT-VALUE}).")
  private long seed = DEFAULTS.seed();

  TrainerOptions.Builder options() {
    TrainerOptions.Builder options =
        TrainerOptions.builder()
            .epochs(epochs)
            .batchSize(batchSize)
            .batchesPerStep(batchesPerStep)
            .learningRate(learningRate)
            .tableLearningRate(tableLearningRate)
            .weightDecay(weightDecay)
            .warmupSteps(warmupSteps)
            .seed(seed);
    return options.earlyStopping(metric, patience > 0 ? patience : Integer.MAX_VALUE);
  }
}
