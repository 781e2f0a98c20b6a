package ai.longer.samples.quickstart;

import ai.longer.data.RequestSource;
import ai.longer.training.TrainerOptions;

/**
 * What was tuned, on the validation requests alone.
 *
 * @param learningRate AdamW, dense parameters
 * @param tableLearningRate row-wise Adagrad, movie and user rows
 * @param weightDecay AdamW, weight matrices
 */
record Settings(double learningRate, double tableLearningRate, double weightDecay) {
  /** Best or within .0007 of it for every variant; README.md has the grid. */
  static final Settings CHOSEN = new Settings(3e-3, 0.02, 0.01);

  private static final int BATCH_SIZE = 64;
  private static final int WARM_UP_STEPS = 50;
  private static final double DECAY_FLOOR = 0.1;
  private static final int PATIENCE = 2;

  /** Options whose rates decay to a tenth over {@code epochs}. */
  TrainerOptions options(RequestSource training, int epochs, long seed) {
    long steps = (training.size().orElseThrow() + BATCH_SIZE - 1) / BATCH_SIZE;
    return TrainerOptions.builder()
        .learningRate(learningRate)
        .tableLearningRate(tableLearningRate)
        .weightDecay(weightDecay)
        .warmupSteps(WARM_UP_STEPS)
        .decaySteps(epochs * steps)
        .decayFloor(DECAY_FLOOR)
        .batchSize(BATCH_SIZE)
        .epochs(epochs)
        .earlyStopping(TrainerOptions.Metric.AUC, PATIENCE)
        .seed(seed)
        .build();
  }
}
