package ai.longer.training;

import ai.longer.evaluation.Metrics;
import java.util.Arrays;

/** Collects scores beside labels of the first task. Not thread-safe. */
final class ValidationPass {
  private float[] scores = new float[1024];
  private float[] labels = new float[1024];
  private int size;
  private int positives;

  /** Adds a batch; {@code batchScores} [tasks, sum of C] as predicted. */
  void add(float[] batchLabels, float[] batchScores) {
    for (int i = 0; i < batchLabels.length; i++) {
      if (!Float.isNaN(batchLabels[i])) {
        append(batchScores[i], batchLabels[i]);
      }
    }
  }

  private void append(float score, float label) {
    if (size == scores.length) {
      int larger = Math.addExact(size, size / 2);
      scores = Arrays.copyOf(scores, larger);
      labels = Arrays.copyOf(labels, larger);
    }
    scores[size] = score;
    labels[size] = label;
    positives += label == 1f ? 1 : 0;
    size++;
  }

  /**
   * Returns the figures, not marked as best.
   *
   * @throws IllegalArgumentException if no candidate has a label, or one is neither 0 nor 1
   */
  ValidationResult result(int epoch, long step) {
    if (size == 0) {
      throw new IllegalArgumentException(
          "[trainer] the validation source has no labelled candidates");
    }
    float[] measured = Arrays.copyOf(scores, size);
    float[] truth = Arrays.copyOf(labels, size);
    double logLoss = Metrics.logLoss(measured, truth);
    boolean bothClasses = positives > 0 && positives < size;
    double auc = bothClasses ? Metrics.auc(measured, truth) : Double.NaN;
    return new ValidationResult(epoch, step, logLoss, auc, size, false);
  }
}
