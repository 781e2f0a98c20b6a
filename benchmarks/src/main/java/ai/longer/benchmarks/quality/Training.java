package ai.longer.benchmarks.quality;

import ai.longer.data.Request;
import ai.longer.data.RequestSource;
import ai.longer.evaluation.Evaluation;
import ai.longer.evaluation.Predictions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Trains one learner: every contender of an experiment sees the same requests in the same order and
 * number.
 */
final class Training {
  /** Told how far a training is. */
  interface Listener {
    /** {@code done}: share of all steps, 0 … 1. */
    void onStep(double done, double loss);
  }

  /**
   * A pass over the training requests.
   *
   * @param loss mean over its steps
   * @param validationAuc after it; null without validation requests
   * @param validationLogLoss after it; null without validation requests
   */
  record Epoch(double loss, @Nullable Double validationAuc, @Nullable Double validationLogLoss) {}

  private final Learner learner;
  private final Setting setting;
  private final int batchSize;
  private final long seed;

  Training(Learner learner, Setting setting, int batchSize, long seed) {
    this.learner = learner;
    this.setting = setting;
    this.batchSize = batchSize;
    this.seed = seed;
  }

  /** Trains for the setting's epochs; measures after each if there are validation requests. */
  List<Epoch> run(List<Request> training, List<Request> validation, Listener listener) {
    List<Epoch> epochs = new ArrayList<>();
    List<Request> order = new ArrayList<>(training);
    for (int epoch = 0; epoch < setting.epochs(); epoch++) {
      // Odd multipliers keep the epochs of one seed apart.
      Collections.shuffle(order, new Random(seed + epoch * 0x9E3779B97F4A7C15L));
      double loss = 0;
      int steps = 0;
      for (int begin = 0; begin < order.size(); begin += batchSize) {
        int end = Math.min(order.size(), begin + batchSize);
        double stepLoss = learner.step(order.subList(begin, end));
        loss += stepLoss;
        steps++;
        double inEpoch = (double) end / order.size();
        listener.onStep((epoch + inEpoch) / setting.epochs(), stepLoss);
      }
      Predictions measured = validation.isEmpty() ? null : predict(validation);
      epochs.add(
          new Epoch(
              loss / steps,
              measured == null ? null : measured.auc(),
              measured == null ? null : measured.logLoss()));
    }
    return epochs;
  }

  /** Scores requests; a row for each labelled candidate. */
  Predictions predict(List<Request> requests) {
    return Evaluation.predict(learner::predict, RequestSource.of(requests));
  }
}
