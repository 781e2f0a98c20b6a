package ai.longer.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class CalibrationTest {
  @Test
  void bucketsHoldEquallyManyRowsInOrder() {
    Predictions rows =
        Predictions.of(
            new float[] {.9f, .1f, .3f, .7f, .2f, .8f},
            new float[] {1, 0, 1, 0, 0, 1},
            new long[6]);
    List<Calibration.Bucket> buckets = Calibration.of(rows, 3).buckets();
    assertEquals(List.of(2, 2, 2), buckets.stream().map(Calibration.Bucket::count).toList());
    assertEquals(.15, buckets.get(0).meanScore(), 1e-7);
    assertEquals(.5, buckets.get(1).positiveRate());
    assertEquals(1, buckets.get(2).positiveRate());
    assertEquals((.15 + 0 + .15) / 3, Calibration.of(rows, 3).expectedError(), 1e-7);
  }

  @Test
  void everyRowIsCountedOnceAndTiesStayTogether() {
    SplittableRandom random = new SplittableRandom(3);
    for (int rows : new int[] {2, 9, 10, 11, 500}) {
      for (int levels : new int[] {1, 3, 50, 10_000}) {
        Predictions p = NaiveMetrics.random(random, rows, levels, 5).predictions();
        List<Calibration.Bucket> buckets = Calibration.of(p, 10).buckets();
        assertEquals(rows, buckets.stream().mapToInt(Calibration.Bucket::count).sum());
        assertTrue(buckets.size() <= Math.min(10, rows));
        double positives = buckets.stream().mapToDouble(b -> b.positiveRate() * b.count()).sum();
        assertEquals(p.positiveRate() * rows, positives, 1e-9);
        for (int b = 1; b < buckets.size(); b++) {
          assertTrue(buckets.get(b - 1).meanScore() < buckets.get(b).meanScore());
        }
      }
    }
  }

  @Test
  void aConstantScoreMakesOneBucket() {
    Predictions p =
        Predictions.of(new float[] {.5f, .5f, .5f, .5f}, new float[] {1, 0, 0, 0}, new long[4]);
    Calibration calibration = Calibration.of(p, 4);
    assertEquals(1, calibration.buckets().size());
    assertEquals(.25, calibration.expectedError(), 1e-12);
  }

  @Test
  void noBucketsAreRefused() {
    Predictions p = Predictions.of(new float[] {.5f}, new float[] {1}, new long[1]);
    assertThrows(IllegalArgumentException.class, () -> Calibration.of(p, 0));
    assertThrows(IllegalArgumentException.class, () -> new Calibration(List.of()));
  }
}
