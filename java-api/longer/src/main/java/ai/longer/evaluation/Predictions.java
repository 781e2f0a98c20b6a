package ai.longer.evaluation;

import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Scores beside what happened: one row for each labelled candidate, grouped by user; those of
 * {@link Evaluation} also know how long the history was.
 *
 * <p>Immutable; safe for use by several threads.
 */
public final class Predictions {
  private final float[] scores;
  private final float[] labels;
  private final long[] users;
  private final long @Nullable [] historyLengths;

  /** Shares the arrays: callers hand them over. */
  private Predictions(
      float[] scores, float[] labels, long[] users, long @Nullable [] historyLengths) {
    this.scores = scores;
    this.labels = labels;
    this.users = users;
    this.historyLengths = historyLengths;
  }

  /**
   * Makes predictions from three columns of one length.
   *
   * @param scores predicted probabilities, each in [0, 1]; copied
   * @param labels what happened, each 0 or 1; copied
   * @param users the user key of each row; copied
   * @throws IllegalArgumentException if there are no rows, the lengths differ, a score is not in
   *     [0, 1] or a label is neither 0 nor 1; the message names the row
   */
  public static Predictions of(float[] scores, float[] labels, long[] users) {
    Inputs.checkProbabilities("predictions", scores);
    Inputs.checkLabels("predictions", labels, scores.length);
    Inputs.checkLength("predictions", "users", users.length, scores.length);
    return new Predictions(scores.clone(), labels.clone(), users.clone(), null);
  }

  /** As {@link #of(float[], float[], long[])}, with the events each row's user had had. */
  static Predictions of(float[] scores, float[] labels, long[] users, long[] historyLengths) {
    Predictions rows = of(scores, labels, users);
    return new Predictions(rows.scores, rows.labels, rows.users, historyLengths.clone());
  }

  /** Returns the number of rows, at least 1. */
  public int size() {
    return scores.length;
  }

  /** Returns a copy of the scores, [rows]. */
  public float[] scores() {
    return scores.clone();
  }

  /** Returns a copy of the labels, [rows]. */
  public float[] labels() {
    return labels.clone();
  }

  /** Returns a copy of the user keys, [rows]. */
  public long[] users() {
    return users.clone();
  }

  /**
   * Returns a copy of the number of events that each row's user had had before its request, those
   * that the request did not supply included ({@link ai.longer.data.History#firstOrdinal}), [rows].
   *
   * @throws IllegalStateException if these predictions do not know it
   */
  public long[] historyLengths() {
    if (historyLengths == null) {
      throw new IllegalStateException("[predictions] lengths of histories are not known");
    }
    return historyLengths.clone();
  }

  /** Returns the share of rows with label 1. */
  public double positiveRate() {
    return (double) Metrics.countPositives(labels) / labels.length;
  }

  /** Returns whether some row has label 1 and some row has label 0, which every AUC needs. */
  public boolean hasBothClasses() {
    long positives = Metrics.countPositives(labels);
    return positives > 0 && positives < labels.length;
  }

  /**
   * Returns the rows whose index satisfies {@code keep}, in order.
   *
   * @throws IllegalArgumentException if no row is left
   */
  public Predictions where(IntPredicate keep) {
    int[] rows = IntStream.range(0, scores.length).filter(keep).toArray();
    if (rows.length == 0) {
      throw new IllegalArgumentException(
          "[predictions] the filter left none of " + size() + " rows");
    }
    float[] keptScores = new float[rows.length];
    float[] keptLabels = new float[rows.length];
    long[] keptUsers = new long[rows.length];
    long[] keptLengths = historyLengths == null ? null : new long[rows.length];
    for (int i = 0; i < rows.length; i++) {
      keptScores[i] = scores[rows[i]];
      keptLabels[i] = labels[rows[i]];
      keptUsers[i] = users[rows[i]];
      if (keptLengths != null && historyLengths != null) {
        keptLengths[i] = historyLengths[rows[i]];
      }
    }
    return new Predictions(keptScores, keptLabels, keptUsers, keptLengths);
  }

  /** Returns AUC, see {@link Metrics#auc}. */
  public double auc() {
    return Metrics.auc(scores, labels);
  }

  /** Returns GAUC, see {@link Metrics#gauc}. */
  public double gauc() {
    return Metrics.gauc(scores, labels, users);
  }

  /** Returns the logarithmic loss, see {@link Metrics#logLoss}. */
  public double logLoss() {
    return Metrics.logLoss(scores, labels);
  }

  /** Returns the normalised entropy, see {@link Metrics#normalizedEntropy}. */
  public double normalizedEntropy() {
    return Metrics.normalizedEntropy(scores, labels);
  }

  /**
   * Checks that {@code other} scores the same rows: equal labels and users in the same order.
   *
   * @throws IllegalArgumentException if it does not
   */
  void checkPaired(String where, Predictions other) {
    Inputs.checkLength(where, "paired predictions", other.size(), size());
    int label = Arrays.mismatch(labels, other.labels);
    int user = Arrays.mismatch(users, other.users);
    if (label >= 0 || user >= 0) {
      throw new IllegalArgumentException(
          "[%s] predictions must be paired row by row; %s of row %d differ"
              .formatted(where, user >= 0 ? "users" : "labels", user >= 0 ? user : label));
    }
  }

  float[] scoresUnshared() {
    return scores;
  }

  float[] labelsUnshared() {
    return labels;
  }

  long[] usersUnshared() {
    return users;
  }
}
