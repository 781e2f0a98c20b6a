package ai.longer.benchmarks.quality;

import ai.longer.training.TrainerOptions;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One point of a tuning grid.
 *
 * @param learningRate AdamW, dense parameters
 * @param tableLearningRate row-wise Adagrad, growable tables
 * @param weightDecay AdamW, weight matrices
 * @param epochs passes; the learning rate decays over exactly these
 * @param config keys of {@code config.json} that this point changes, for example dropout
 */
record Setting(
    double learningRate,
    double tableLearningRate,
    double weightDecay,
    int epochs,
    @Nullable ObjectNode config) {

  /** What every point of a grid has in common. */
  record Schedule(int batchSize, int warmupSteps, double decayFloor) {}

  TrainerOptions options(Schedule schedule, int requests, long seed) {
    long steps = (requests + schedule.batchSize() - 1L) / schedule.batchSize();
    return TrainerOptions.builder()
        .learningRate(learningRate)
        .tableLearningRate(tableLearningRate)
        .weightDecay(weightDecay)
        .warmupSteps(schedule.warmupSteps())
        .decaySteps(epochs * steps)
        .decayFloor(schedule.decayFloor())
        .batchSize(schedule.batchSize())
        .epochs(epochs)
        .seed(seed)
        .build();
  }

  /** For tables and file names' readers. */
  String title() {
    String rates =
        String.format(
            Locale.ROOT,
            "rate %s, tables %s, decay %s, %d epochs",
            learningRate,
            tableLearningRate,
            weightDecay,
            epochs);
    return config == null ? rates : rates + ", " + config;
  }
}
