package ai.longer.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;

class BootstrapTest {
  private static final int ROWS = 300;

  private final NaiveMetrics.Columns rows =
      NaiveMetrics.random(new SplittableRandom(11), ROWS, 40, 25);
  private final Predictions good = rows.predictions();
  private final Predictions noise = Predictions.of(noiseScores(12), rows.labels(), rows.users());

  private static float[] noiseScores(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] scores = new float[ROWS];
    for (int i = 0; i < ROWS; i++) {
      scores[i] = random.nextInt(30) / 30f;
    }
    return scores;
  }

  @Test
  void estimateIsTheDifferenceOfAucs() {
    Bootstrap.Interval interval = Bootstrap.aucDifference(good, noise, 200, 1);
    assertEquals(good.auc() - noise.auc(), interval.estimate(), 1e-14);
    assertTrue(interval.lower() < interval.estimate() && interval.estimate() < interval.upper());
  }

  /** Equal scores have AUC ½ in every draw, so that the difference to them is the AUC less ½. */
  @Test
  void boundsOfAnAucAreThoseOfTheDifferenceToEqualScores() {
    Bootstrap.Interval auc = Bootstrap.auc(good, 300, 5);
    Predictions equal = Predictions.of(new float[ROWS], rows.labels(), rows.users());
    Bootstrap.Interval difference = Bootstrap.aucDifference(good, equal, 300, 5);
    assertEquals(good.auc(), auc.estimate(), 1e-14);
    assertEquals(difference.lower() + 0.5, auc.lower(), 1e-14);
    assertEquals(difference.upper() + 0.5, auc.upper(), 1e-14);
    assertThrows(IllegalArgumentException.class, () -> Bootstrap.auc(good, 39, 5));
  }

  @Test
  void anInterruptEndsTheDraws() {
    Thread.currentThread().interrupt();
    assertThrows(CancellationException.class, () -> Bootstrap.auc(good, 1000, 5));
    assertTrue(Thread.interrupted(), "the flag stays set");
  }

  @Test
  void boundsAgreeWithWritingDrawnRowsOut() {
    Bootstrap.Interval interval = Bootstrap.aucDifference(good, noise, 4000, 1);
    long[] users = Arrays.stream(rows.users()).distinct().toArray();
    SplittableRandom random = new SplittableRandom(99);
    double[] differences = new double[1000];
    for (int r = 0; r < differences.length; r++) {
      long[] drawn = new long[users.length];
      for (int i = 0; i < drawn.length; i++) {
        drawn[i] = users[random.nextInt(users.length)];
      }
      differences[r] = NaiveMetrics.aucOfDraw(good, drawn) - NaiveMetrics.aucOfDraw(noise, drawn);
    }
    Arrays.sort(differences);
    // Two Monte Carlo runs: their 2.5 % quantiles differ by a few hundredths of the width.
    double slack = 0.08 * (interval.upper() - interval.lower());
    assertEquals(differences[25], interval.lower(), slack);
    assertEquals(differences[974], interval.upper(), slack);
  }

  @Test
  void aModelAgainstItselfHasNoDifference() {
    assertEquals(new Bootstrap.Interval(0, 0, 0), Bootstrap.aucDifference(good, good, 100, 3));
  }

  @Test
  void swappingSidesMirrorsTheInterval() {
    Bootstrap.Interval forth = Bootstrap.aucDifference(good, noise, 100, 3);
    Bootstrap.Interval back = Bootstrap.aucDifference(noise, good, 100, 3);
    assertEquals(forth.estimate(), -back.estimate(), 1e-15);
    assertEquals(forth.lower(), -back.upper(), 1e-12);
    assertEquals(forth.upper(), -back.lower(), 1e-12);
  }

  @Test
  void theSeedDecides() {
    assertEquals(
        Bootstrap.aucDifference(good, noise, 100, 3), Bootstrap.aucDifference(good, noise, 100, 3));
    assertTrue(
        Bootstrap.aucDifference(good, noise, 100, 3).lower()
            != Bootstrap.aucDifference(good, noise, 100, 4).lower());
  }

  @Test
  void severalTrainingSeedsAreAveragedOnOneDraw() {
    Predictions other = Predictions.of(noiseScores(77), rows.labels(), rows.users());
    Bootstrap.Interval interval =
        Bootstrap.aucDifference(List.of(good, noise), List.of(noise, other), 100, 3);
    assertEquals((good.auc() - other.auc()) / 2, interval.estimate(), 1e-14);
  }

  @Test
  void usersAreDrawnWholeNotRows() {
    // Copies of every row add no information: with rows drawn singly the interval would shrink.
    float[] scores4 = new float[4 * ROWS];
    float[] labels4 = new float[4 * ROWS];
    long[] users4 = new long[4 * ROWS];
    float[] noise4 = new float[4 * ROWS];
    for (int i = 0; i < 4 * ROWS; i++) {
      scores4[i] = rows.scores()[i % ROWS];
      labels4[i] = rows.labels()[i % ROWS];
      users4[i] = rows.users()[i % ROWS];
      noise4[i] = noise.scores()[i % ROWS];
    }
    Bootstrap.Interval fourfold =
        Bootstrap.aucDifference(
            Predictions.of(scores4, labels4, users4),
            Predictions.of(noise4, labels4, users4),
            100,
            3);
    assertEquals(Bootstrap.aucDifference(good, noise, 100, 3), fourfold);
  }

  @Test
  void unpairedRowsAreRefused() {
    long[] otherUsers = rows.users().clone();
    otherUsers[4] = 123;
    Exception e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                Bootstrap.aucDifference(
                    good, Predictions.of(rows.scores(), rows.labels(), otherUsers), 100, 3));
    assertEquals(
        "[bootstrap] predictions must be paired row by row; users of row 4 differ", e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Bootstrap.aucDifference(good, noise, 39, 3));
    assertThrows(
        IllegalArgumentException.class,
        () -> Bootstrap.aucDifference(List.of(good), List.of(), 100, 3));
  }
}
