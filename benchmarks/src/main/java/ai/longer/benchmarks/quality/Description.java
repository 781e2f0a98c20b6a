package ai.longer.benchmarks.quality;

import ai.longer.data.Request;
import java.util.Arrays;
import java.util.List;

/**
 * What an experiment's requests are like.
 *
 * @param testUsers users with test requests
 * @param positiveRate of the test candidates
 * @param medianHistory events of a test request
 * @param longHistory events that 90 % of the test requests do not exceed
 */
record Description(
    int trainingRequests,
    int validationRequests,
    int testRequests,
    long trainingCandidates,
    long testCandidates,
    long testUsers,
    double positiveRate,
    int medianHistory,
    int longHistory,
    int maxHistory) {

  static Description of(Split split) {
    List<Request> test = split.test();
    double positives = 0;
    for (Request request : test) {
      for (float label : request.labels(0)) {
        positives += label == 1 ? 1 : 0;
      }
    }
    int[] lengths = test.stream().mapToInt(r -> r.history().size()).sorted().toArray();
    return new Description(
        split.training().size(),
        split.validation().size(),
        test.size(),
        candidates(split.trainingAndValidation()),
        candidates(test),
        test.stream().mapToLong(Request::groupKey).distinct().count(),
        positives / candidates(test),
        quantile(lengths, 0.5),
        quantile(lengths, 0.9),
        Arrays.stream(lengths).max().orElse(0));
  }

  private static long candidates(List<Request> requests) {
    return requests.stream().mapToLong(r -> r.candidates().size()).sum();
  }

  private static int quantile(int[] sorted, double q) {
    return sorted.length == 0 ? 0 : sorted[(int) Math.round(q * (sorted.length - 1))];
  }
}
