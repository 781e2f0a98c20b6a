package ai.longer.benchmarks;

import java.util.Arrays;

/**
 * Middle and spread of repeated runs.
 *
 * @param median middle value
 * @param lowest least value
 * @param highest greatest value
 */
record Statistics(double median, double lowest, double highest) {

  static Statistics of(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    double median =
        sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return new Statistics(median, sorted[0], sorted[sorted.length - 1]);
  }
}
