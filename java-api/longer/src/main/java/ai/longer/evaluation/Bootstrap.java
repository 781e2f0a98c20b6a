package ai.longer.evaluation;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * How far an AUC or a difference of AUC could be chance: users are drawn with replacement, rows of
 * a drawn user stay together, and two models are scored on the same draw (paired).
 *
 * <p>Rows are sorted once; a replicate then costs one pass over them per model. Replicates run on
 * the common pool; the seed alone decides the result, whatever the number of threads. An interrupt
 * of the calling thread ends the work with a {@link CancellationException}; its flag stays set.
 */
public final class Bootstrap {
  private static final double TAIL = 0.025;

  /** One over the tail: fewer replicates leave nothing in it. */
  private static final int MIN_REPLICATES = 40;

  /** A draw of users that holds one class only is drawn again, so often at most. */
  private static final int MAX_DRAWS = 100;

  private Bootstrap() {}

  /**
   * An estimate with its two-sided 95 % percentile bounds.
   *
   * @param estimate the value on all rows
   * @param lower the 2.5 % quantile over replicates
   * @param upper the 97.5 % quantile over replicates
   */
  public record Interval(double estimate, double lower, double upper) {}

  /**
   * Returns the bounds of a model's AUC.
   *
   * @param replicates draws of users, at least 40 (so that the 2.5 % tails hold a replicate)
   * @param seed decides the draws
   * @throws IllegalArgumentException if a class is absent or there are too few replicates
   */
  public static Interval auc(Predictions predictions, int replicates, long seed) {
    checkReplicates(replicates);
    UserGroups users = UserGroups.of(predictions.usersUnshared());
    return interval(SortedRows.of(predictions, users)::auc, users.size(), replicates, seed);
  }

  /** Returns the bounds of AUC({@code ours}) − AUC({@code theirs}); see the list form. */
  public static Interval aucDifference(
      Predictions ours, Predictions theirs, int replicates, long seed) {
    return aucDifference(List.of(ours), List.of(theirs), replicates, seed);
  }

  /**
   * Returns the bounds of the mean over training seeds of AUC(ours) − AUC(theirs).
   *
   * @param ours one element per training seed; all over the same rows in the same order
   * @param theirs as many elements over those same rows
   * @param replicates draws of users, at least 40 (so that the 2.5 % tails hold a replicate)
   * @param seed decides the draws
   * @throws IllegalArgumentException if the lists are empty or of different lengths, rows are not
   *     paired, a class is absent, or there are too few replicates
   */
  public static Interval aucDifference(
      List<Predictions> ours, List<Predictions> theirs, int replicates, long seed) {
    if (ours.isEmpty() || ours.size() != theirs.size()) {
      throw new IllegalArgumentException(
          "[bootstrap] needs as many predictions on both sides, at least one; got %d and %d"
              .formatted(ours.size(), theirs.size()));
    }
    checkReplicates(replicates);
    Predictions first = ours.get(0);
    ours.forEach(p -> first.checkPaired("bootstrap", p));
    theirs.forEach(p -> first.checkPaired("bootstrap", p));
    UserGroups users = UserGroups.of(first.usersUnshared());
    SortedRows[] left = ours.stream().map(p -> SortedRows.of(p, users)).toArray(SortedRows[]::new);
    SortedRows[] right =
        theirs.stream().map(p -> SortedRows.of(p, users)).toArray(SortedRows[]::new);
    return interval(draw -> meanDifference(left, right, draw), users.size(), replicates, seed);
  }

  private static void checkReplicates(int replicates) {
    if (replicates < MIN_REPLICATES) {
      throw new IllegalArgumentException(
          "[bootstrap] replicates must be at least " + MIN_REPLICATES + "; got " + replicates);
    }
  }

  /** {@code statistic}: of how often each user was drawn; NaN if the draw holds one class only. */
  private static Interval interval(
      ToDoubleFunction<int[]> statistic, int numUsers, int replicates, long seed) {
    int[] once = new int[numUsers];
    Arrays.fill(once, 1);
    double estimate = statistic.applyAsDouble(once);
    if (Double.isNaN(estimate)) {
      throw new IllegalArgumentException("[bootstrap] needs both classes among the labels");
    }
    Thread caller = Thread.currentThread();
    double[] values =
        IntStream.range(0, replicates)
            .parallel()
            .mapToDouble(r -> replicate(caller, statistic, numUsers, seed, r))
            .sorted()
            .toArray();
    return new Interval(estimate, quantile(values, TAIL), quantile(values, 1 - TAIL));
  }

  private static double replicate(
      Thread caller, ToDoubleFunction<int[]> statistic, int numUsers, long seed, int replicate) {
    if (caller.isInterrupted()) {
      throw new CancellationException("[bootstrap] was interrupted");
    }
    // One stream a replicate: the golden-ratio step keeps the streams of one seed apart.
    SplittableRandom random = new SplittableRandom(seed + replicate * 0x9e3779b97f4a7c15L).split();
    int[] timesDrawn = new int[numUsers];
    for (int draw = 0; draw < MAX_DRAWS; draw++) {
      Arrays.fill(timesDrawn, 0);
      for (int i = 0; i < numUsers; i++) {
        timesDrawn[random.nextInt(numUsers)]++;
      }
      double value = statistic.applyAsDouble(timesDrawn);
      if (!Double.isNaN(value)) {
        return value;
      }
    }
    throw new IllegalArgumentException(
        "[bootstrap] %d draws of %d users held one class only; too few users"
            .formatted(MAX_DRAWS, numUsers));
  }

  private static double meanDifference(SortedRows[] left, SortedRows[] right, int[] timesDrawn) {
    double sum = 0;
    for (int i = 0; i < left.length; i++) {
      sum += left[i].auc(timesDrawn) - right[i].auc(timesDrawn);
    }
    return sum / left.length;
  }

  /** Linear between order statistics. */
  private static double quantile(double[] sorted, double q) {
    double at = q * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }

  /**
   * Rows by ascending score: whose they are, their label, and whether the next has a higher score.
   */
  private record SortedRows(int[] users, boolean[] positives, boolean[] endsTie) {
    static SortedRows of(Predictions predictions, UserGroups groups) {
      float[] scores = predictions.scoresUnshared();
      float[] labels = predictions.labelsUnshared();
      int n = scores.length;
      long[] order = new long[n];
      for (int i = 0; i < n; i++) {
        order[i] = Metrics.sortKey(scores[i], 0) | i;
      }
      Arrays.sort(order);
      int[] users = new int[n];
      boolean[] positives = new boolean[n];
      boolean[] endsTie = new boolean[n];
      for (int i = 0; i < n; i++) {
        int row = (int) order[i];
        users[i] = groups.group(row);
        positives[i] = labels[row] == 1;
        endsTie[i] = i + 1 == n || order[i + 1] >> 32 != order[i] >> 32;
      }
      return new SortedRows(users, positives, endsTie);
    }

    /** AUC where user u counts {@code timesDrawn[u]} times; NaN if a class is absent. */
    double auc(int[] timesDrawn) {
      long below = 0;
      long positivesAll = 0;
      long tiedPositives = 0;
      long tiedNegatives = 0;
      long twiceWins = 0;
      for (int i = 0; i < users.length; i++) {
        int weight = timesDrawn[users[i]];
        if (positives[i]) {
          tiedPositives += weight;
        } else {
          tiedNegatives += weight;
        }
        if (endsTie[i]) {
          twiceWins += tiedPositives * (2 * below + tiedNegatives);
          below += tiedNegatives;
          positivesAll += tiedPositives;
          tiedPositives = 0;
          tiedNegatives = 0;
        }
      }
      return positivesAll == 0 || below == 0
          ? Double.NaN
          : twiceWins / (2.0 * positivesAll * below);
    }
  }
}
