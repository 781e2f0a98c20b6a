package ai.longer.samples.quickstart;

import ai.longer.training.TrainerOptions;

/**
 * What was tuned, for each variant on the validation requests alone.
 *
 * @param learningRate AdamW, dense parameters
 * @param tableLearningRate row-wise Adagrad, movie and user rows
 * @param weightDecay AdamW, weight matrices
 */
record Settings(double learningRate, double tableLearningRate, double weightDecay) {
  private static final int BATCH_SIZE = 64;
  private static final int WARM_UP_STEPS = 50;
  private static final int PATIENCE = 3;

  TrainerOptions options(long seed, int epochs) {
    return TrainerOptions.builder()
        .learningRate(learningRate)
        .tableLearningRate(tableLearningRate)
        .weightDecay(weightDecay)
        .warmupSteps(WARM_UP_STEPS)
        .batchSize(BATCH_SIZE)
        .epochs(epochs)
        .earlyStopping(TrainerOptions.Metric.AUC, PATIENCE)
        .seed(seed)
        .build();
  }
}
