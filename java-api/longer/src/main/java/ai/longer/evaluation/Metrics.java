package ai.longer.evaluation;

import java.util.Arrays;

/**
 * Metrics of click predictions, in double precision and O(n log n) for n rows.
 *
 * <p>Every function takes columns of one length, changes none of them and may be called from any
 * thread. Empty input, columns of different lengths, a NaN score or a label that is neither 0 nor 1
 * throw {@link IllegalArgumentException} naming the row.
 */
public final class Metrics {
  /** Scores are clamped to [ε, 1 − ε] for logarithms: a float has no finer step just below 1. */
  private static final double LOG_EPSILON = 1e-7;

  private Metrics() {}

  /**
   * Returns the area under the ROC curve: the probability that a random positive scores above a
   * random negative, where a tie counts one half.
   *
   * <p>Pairs are counted in integers, so the result is exact up to its final division.
   *
   * @param scores any real numbers, [rows]; only their order matters
   * @param labels 0 or 1, [rows]
   * @throws IllegalArgumentException also if one of the classes is absent
   */
  public static double auc(float[] scores, float[] labels) {
    Inputs.checkScores("auc", scores);
    Inputs.checkLabels("auc", labels, scores.length);
    long[] rows = new long[scores.length];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = sortKey(scores[i], labels[i]);
    }
    double auc = aucOfKeys(rows, 0, rows.length);
    if (Double.isNaN(auc)) {
      throw new IllegalArgumentException(
          "[auc] needs both classes; all %d labels are %s".formatted(labels.length, labels[0]));
    }
    return auc;
  }

  /**
   * Returns the group AUC: the mean of the AUC of each user's rows, weighted by the number of those
   * rows (impressions), over the users whose rows hold both classes.
   *
   * @param scores any real numbers, [rows]
   * @param labels 0 or 1, [rows]
   * @param users the user key of each row, [rows], in any order
   * @throws IllegalArgumentException also if no user has both classes
   */
  public static double gauc(float[] scores, float[] labels, long[] users) {
    Inputs.checkScores("gauc", scores);
    Inputs.checkLabels("gauc", labels, scores.length);
    Inputs.checkLength("gauc", "users", users.length, scores.length);
    UserGroups groups = UserGroups.of(users);
    int[] offsets = groups.offsets();
    int[] next = offsets.clone();
    long[] rows = new long[scores.length];
    for (int i = 0; i < rows.length; i++) {
      rows[next[groups.group(i)]++] = sortKey(scores[i], labels[i]);
    }
    double sum = 0;
    long weight = 0;
    for (int g = 0; g < groups.size(); g++) {
      double auc = aucOfKeys(rows, offsets[g], offsets[g + 1]);
      if (!Double.isNaN(auc)) {
        int impressions = offsets[g + 1] - offsets[g];
        sum += auc * impressions;
        weight += impressions;
      }
    }
    if (weight == 0) {
      throw new IllegalArgumentException(
          "[gauc] needs a user with both classes; none of %d users has".formatted(groups.size()));
    }
    return sum / weight;
  }

  /**
   * Returns the mean logarithmic loss in nats, −mean(y ln p + (1 − y) ln(1 − p)).
   *
   * @param scores probabilities, [rows]; clamped to [1e−7, 1 − 1e−7] before the logarithm
   * @param labels 0 or 1, [rows]
   * @throws IllegalArgumentException also if a score is not in [0, 1]
   */
  public static double logLoss(float[] scores, float[] labels) {
    Inputs.checkProbabilities("logLoss", scores);
    Inputs.checkLabels("logLoss", labels, scores.length);
    double sum = 0;
    for (int i = 0; i < scores.length; i++) {
      double p = Math.min(Math.max(scores[i], LOG_EPSILON), 1 - LOG_EPSILON);
      sum -= labels[i] == 1 ? Math.log(p) : Math.log1p(-p);
    }
    return sum / scores.length;
  }

  /**
   * Returns the normalised entropy: the logarithmic loss divided by the loss of always predicting
   * these labels' own positive rate. Below 1 is better than that constant.
   *
   * @param scores probabilities, [rows]
   * @param labels 0 or 1, [rows]
   * @throws IllegalArgumentException also if a score is not in [0, 1] or one class is absent
   */
  public static double normalizedEntropy(float[] scores, float[] labels) {
    double loss = logLoss(scores, labels);
    double rate = (double) countPositives(labels) / labels.length;
    if (rate == 0 || rate == 1) {
      throw new IllegalArgumentException(
          "[normalizedEntropy] needs both classes; all %d labels are %s"
              .formatted(labels.length, labels[0]));
    }
    return loss / -(rate * Math.log(rate) + (1 - rate) * Math.log1p(-rate));
  }

  static long countPositives(float[] labels) {
    long positives = 0;
    for (float label : labels) {
      positives += label == 1 ? 1 : 0;
    }
    return positives;
  }

  /** Returns a key that orders by score (−0 equals 0) and carries the label in its lowest bit. */
  static long sortKey(float score, float label) {
    int bits = Float.floatToIntBits(score + 0.0f);
    int ordered = bits ^ ((bits >> 31) & 0x7fff_ffff);
    return ((long) ordered << 32) | (label == 1 ? 1 : 0);
  }

  /** Returns the score a key was made of. */
  static float scoreOfKey(long key) {
    int ordered = (int) (key >> 32);
    return Float.intBitsToFloat(ordered ^ ((ordered >> 31) & 0x7fff_ffff));
  }

  /** Sorts keys[begin, end) and returns their AUC, NaN if a class is absent. */
  private static double aucOfKeys(long[] keys, int begin, int end) {
    Arrays.sort(keys, begin, end);
    long negativesBelow = 0;
    long positives = 0;
    long twiceWins = 0;
    for (int i = begin; i < end; ) {
      long score = keys[i] >> 32;
      long tiedPositives = 0;
      long tiedNegatives = 0;
      for (; i < end && keys[i] >> 32 == score; i++) {
        tiedPositives += keys[i] & 1;
        tiedNegatives += 1 - (keys[i] & 1);
      }
      twiceWins += tiedPositives * (2 * negativesBelow + tiedNegatives);
      negativesBelow += tiedNegatives;
      positives += tiedPositives;
    }
    return positives == 0 || negativesBelow == 0
        ? Double.NaN
        : twiceWins / (2.0 * positives * negativesBelow);
  }
}
