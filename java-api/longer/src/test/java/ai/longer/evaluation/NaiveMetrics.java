package ai.longer.evaluation;

import java.util.Arrays;
import java.util.SplittableRandom;

/** The definitions, written as they read: O(n²), no sorting, no packing. */
final class NaiveMetrics {
  private NaiveMetrics() {}

  static double auc(float[] scores, float[] labels) {
    double wins = 0;
    long pairs = 0;
    for (int p = 0; p < scores.length; p++) {
      for (int n = 0; n < scores.length; n++) {
        if (labels[p] == 1 && labels[n] == 0) {
          pairs++;
          wins += scores[p] > scores[n] ? 1 : scores[p] == scores[n] ? 0.5 : 0;
        }
      }
    }
    return wins / pairs;
  }

  static double gauc(float[] scores, float[] labels, long[] users) {
    double sum = 0;
    double weight = 0;
    for (long user : Arrays.stream(users).distinct().toArray()) {
      Columns own = rowsOf(scores, labels, users, user);
      double auc = auc(own.scores(), own.labels());
      if (!Double.isNaN(auc)) {
        sum += auc * own.scores().length;
        weight += own.scores().length;
      }
    }
    return sum / weight;
  }

  static double logLoss(float[] scores, float[] labels) {
    double sum = 0;
    for (int i = 0; i < scores.length; i++) {
      sum += Math.log(labels[i] == 1 ? scores[i] : 1.0 - scores[i]);
    }
    return -sum / scores.length;
  }

  /** AUC of the rows of the users in {@code drawn}, written out as often as a user was drawn. */
  static double aucOfDraw(Predictions predictions, long[] drawn) {
    float[] scores = new float[0];
    float[] labels = new float[0];
    for (long user : drawn) {
      Columns own = rowsOf(predictions.scores(), predictions.labels(), predictions.users(), user);
      scores = concat(scores, own.scores());
      labels = concat(labels, own.labels());
    }
    return auc(scores, labels);
  }

  record Columns(float[] scores, float[] labels, long[] users) {
    Predictions predictions() {
      return Predictions.of(scores, labels, users);
    }
  }

  /**
   * Random rows; scores lie on a grid of {@code levels} values, so that ties are as common as
   * asked.
   */
  static Columns random(SplittableRandom random, int rows, int levels, int users) {
    float[] scores = new float[rows];
    float[] labels = new float[rows];
    long[] keys = new long[rows];
    for (int i = 0; i < rows; i++) {
      scores[i] = (1 + random.nextInt(levels)) / (float) (levels + 1);
      labels[i] = random.nextDouble() < 0.2 + 0.6 * scores[i] ? 1 : 0;
      keys[i] = -1_000_003L * random.nextInt(users);
    }
    labels[0] = 0;
    labels[rows - 1] = 1;
    keys[rows - 1] = keys[0];
    return new Columns(scores, labels, keys);
  }

  private static Columns rowsOf(float[] scores, float[] labels, long[] users, long user) {
    float[] ownScores = new float[0];
    float[] ownLabels = new float[0];
    for (int i = 0; i < users.length; i++) {
      if (users[i] == user) {
        ownScores = concat(ownScores, new float[] {scores[i]});
        ownLabels = concat(ownLabels, new float[] {labels[i]});
      }
    }
    long[] ownUsers = new long[ownScores.length];
    Arrays.fill(ownUsers, user);
    return new Columns(ownScores, ownLabels, ownUsers);
  }

  private static float[] concat(float[] a, float[] b) {
    float[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
