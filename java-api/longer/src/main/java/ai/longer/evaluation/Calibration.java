package ai.longer.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Predicted against observed rates, in buckets of about equally many rows.
 *
 * <p>Rows with equal scores share a bucket, so with many ties buckets can be uneven and fewer than
 * asked for.
 *
 * @param buckets from the lowest to the highest score, at least one; none is empty
 */
public record Calibration(List<Bucket> buckets) {
  /**
   * One bucket.
   *
   * @param meanScore mean predicted probability of its rows
   * @param positiveRate share of its rows with label 1
   * @param count number of rows, at least 1
   */
  public record Bucket(double meanScore, double positiveRate, int count) {}

  /** Keeps an unmodifiable copy. */
  public Calibration {
    buckets = List.copyOf(buckets);
    if (buckets.isEmpty()) {
      throw new IllegalArgumentException("[calibration] needs at least one bucket");
    }
  }

  /**
   * Sorts rows by score and cuts them into {@code numBuckets} buckets. O(n log n).
   *
   * @throws IllegalArgumentException if {@code numBuckets} is less than 1
   */
  public static Calibration of(Predictions predictions, int numBuckets) {
    if (numBuckets < 1) {
      throw new IllegalArgumentException(
          "[calibration] numBuckets must be at least 1; got " + numBuckets);
    }
    float[] scores = predictions.scoresUnshared();
    float[] labels = predictions.labelsUnshared();
    int numRows = scores.length;
    long[] rows = new long[numRows];
    for (int i = 0; i < numRows; i++) {
      rows[i] = Metrics.sortKey(scores[i], labels[i]);
    }
    Arrays.sort(rows);
    List<Bucket> buckets = new ArrayList<>(numBuckets);
    int begin = 0;
    for (int b = 1; b <= numBuckets; b++) {
      int end = (int) ((long) numRows * b / numBuckets);
      while (end > begin && end < numRows && rows[end] >> 32 == rows[end - 1] >> 32) {
        end++;
      }
      if (end > begin) {
        buckets.add(bucket(rows, begin, end));
        begin = end;
      }
    }
    return new Calibration(buckets);
  }

  /** Returns the expected calibration error: the mean over rows of |mean score − positive rate|. */
  public double expectedError() {
    double sum = 0;
    long rows = 0;
    for (Bucket bucket : buckets) {
      sum += bucket.count() * Math.abs(bucket.meanScore() - bucket.positiveRate());
      rows += bucket.count();
    }
    return sum / rows;
  }

  private static Bucket bucket(long[] rows, int begin, int end) {
    double scoreSum = 0;
    long positives = 0;
    for (int i = begin; i < end; i++) {
      scoreSum += Metrics.scoreOfKey(rows[i]);
      positives += rows[i] & 1;
    }
    int count = end - begin;
    return new Bucket(scoreSum / count, (double) positives / count, count);
  }
}
