package ai.longer.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MetricsTest {
  private static Stream<NaiveMetrics.Columns> randomRows() {
    SplittableRandom random = new SplittableRandom(20250504);
    return Stream.of(2, 3, 17, 64, 65, 400, 900)
        .flatMap(
            rows ->
                Stream.of(1, 2, 7, 1000)
                    .map(levels -> NaiveMetrics.random(random, rows, levels, 1 + rows / 9)));
  }

  @ParameterizedTest
  @MethodSource("randomRows")
  void aucEqualsCountingPairs(NaiveMetrics.Columns rows) {
    assertEquals(
        NaiveMetrics.auc(rows.scores(), rows.labels()),
        Metrics.auc(rows.scores(), rows.labels()),
        1e-14);
  }

  @ParameterizedTest
  @MethodSource("randomRows")
  void gaucEqualsCountingPairsUserByUser(NaiveMetrics.Columns rows) {
    assertEquals(
        NaiveMetrics.gauc(rows.scores(), rows.labels(), rows.users()),
        Metrics.gauc(rows.scores(), rows.labels(), rows.users()),
        1e-13);
  }

  @ParameterizedTest
  @MethodSource("randomRows")
  void logLossEqualsItsDefinition(NaiveMetrics.Columns rows) {
    assertEquals(
        NaiveMetrics.logLoss(rows.scores(), rows.labels()),
        Metrics.logLoss(rows.scores(), rows.labels()),
        1e-12);
  }

  @ParameterizedTest
  @MethodSource("randomRows")
  void turningScoresAroundTurnsAucAround(NaiveMetrics.Columns rows) {
    float[] negated = rows.scores().clone();
    for (int i = 0; i < negated.length; i++) {
      negated[i] = -negated[i];
    }
    assertEquals(
        1 - Metrics.auc(rows.scores(), rows.labels()), Metrics.auc(negated, rows.labels()), 1e-15);
  }

  @ParameterizedTest
  @MethodSource("randomRows")
  void aucIgnoresMonotoneTransformationsAndRowOrder(NaiveMetrics.Columns rows) {
    int n = rows.scores().length;
    float[] scores = new float[n];
    float[] labels = new float[n];
    for (int i = 0; i < n; i++) {
      scores[i] = 1e6f * rows.scores()[n - 1 - i] - 3e5f;
      labels[i] = rows.labels()[n - 1 - i];
    }
    assertEquals(Metrics.auc(rows.scores(), rows.labels()), Metrics.auc(scores, labels));
  }

  @Test
  void aucOfTiesIsOneHalfAndOfPerfectOrderOne() {
    assertEquals(0.5, Metrics.auc(new float[] {3, 3, 3}, new float[] {0, 1, 0}));
    assertEquals(1.0, Metrics.auc(new float[] {-1, -2, 5}, new float[] {1, 0, 1}));
    assertEquals(0.5, Metrics.auc(new float[] {-0.0f, 0.0f}, new float[] {1, 0}));
    assertEquals(1.0, Metrics.auc(new float[] {1, Float.POSITIVE_INFINITY}, new float[] {0, 1}));
  }

  @Test
  void gaucWeighsByImpressionsAndSkipsUsersOfOneClass() {
    float[] scores = {.1f, .2f, .9f, .8f, .7f, .4f};
    float[] labels = {0, 1, 0, 1, 0, 1};
    long[] users = {7, 7, 5, 5, 5, 6};
    // User 7 is in order (1 over 2 rows), user 5 wins one pair of two (over 3), user 6 has one
    // class.
    assertEquals((1.0 * 2 + 0.5 * 3) / 5, Metrics.gauc(scores, labels, users), 1e-15);
  }

  @Test
  void normalizedEntropyOfTheBaseRateIsOne() {
    float[] labels = {1, 0, 0, 0};
    float[] rate = {.25f, .25f, .25f, .25f};
    assertEquals(1.0, Metrics.normalizedEntropy(rate, labels), 1e-12);
    float[] better = {.75f, .1f, .1f, .1f};
    assertTrue(Metrics.normalizedEntropy(better, labels) < 1);
  }

  @Test
  void logLossOfCertainAndWrongIsFinite() {
    assertEquals(-Math.log(1e-7), Metrics.logLoss(new float[] {1, 0}, new float[] {0, 1}), 1e-6);
  }

  @Test
  void aMillionRowsTakeAFractionOfASecond() {
    NaiveMetrics.Columns rows =
        NaiveMetrics.random(new SplittableRandom(5), 1_000_000, 1 << 20, 50_000);
    long start = System.nanoTime();
    Metrics.auc(rows.scores(), rows.labels());
    Metrics.gauc(rows.scores(), rows.labels(), rows.users());
    double seconds = (System.nanoTime() - start) * 1e-9;
    assertTrue(seconds < 10, "quadratic time? " + seconds + " s");
  }

  @Test
  void badInputNamesTheRow() {
    assertRefused("at least one row", new float[0], new float[0]);
    assertRefused("scores[1] is NaN", new float[] {0, Float.NaN}, new float[] {0, 1});
    assertRefused("labels[2] must be 0 or 1; got 0.5", new float[3], new float[] {0, 1, .5f});
    assertRefused("labels[0] must be 0 or 1; got NaN", new float[1], new float[] {Float.NaN});
  }

  private static void assertRefused(String expected, float[] scores, float[] labels) {
    Exception e = assertThrows(IllegalArgumentException.class, () -> Metrics.auc(scores, labels));
    assertTrue(String.valueOf(e.getMessage()).contains(expected), e.getMessage());
  }

  @Test
  void lengthsThatDifferAreRefused() {
    float[] two = {0, 1};
    Exception e =
        assertThrows(IllegalArgumentException.class, () -> Metrics.auc(two, new float[] {1}));
    assertEquals(
        "[auc] labels must have as many rows as scores; got 1, expected 2", e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Metrics.gauc(two, two, new long[] {1}));
    assertThrows(IllegalArgumentException.class, () -> Metrics.logLoss(two, new float[] {1}));
  }

  @Test
  void oneClassIsRefusedWhereTheMetricIsUndefined() {
    float[] scores = {.1f, .2f};
    float[] ones = {1, 1};
    assertThrows(IllegalArgumentException.class, () -> Metrics.auc(scores, ones));
    assertThrows(IllegalArgumentException.class, () -> Metrics.normalizedEntropy(scores, ones));
    assertThrows(
        IllegalArgumentException.class,
        () -> Metrics.gauc(scores, new float[] {0, 1}, new long[] {1, 2}));
  }

  @Test
  void probabilitiesOutsideTheUnitIntervalAreRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> Metrics.logLoss(new float[] {1.5f, 0}, new float[] {1, 0}));
    assertThrows(
        IllegalArgumentException.class,
        () -> Predictions.of(new float[] {-.5f}, new float[] {1}, new long[1]));
  }
}
