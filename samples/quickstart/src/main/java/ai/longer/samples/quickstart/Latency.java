package ai.longer.samples.quickstart;

import ai.longer.LongerConfig;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * How long one request takes with and without the user's cached keys and values.
 *
 * @param events length of the history
 * @param candidates movies scored
 * @param uncachedMillis median of calls that encode the history
 * @param cachedMillis median of calls that find it encoded
 */
record Latency(int events, int candidates, double uncachedMillis, double cachedMillis) {
  private static final int WARM_UP = 10;

  /**
   * Scores the {@code candidates} most rated movies for the user with the longest history.
   *
   * @throws IllegalStateException if cached and uncached scores differ in any bit
   */
  static Latency measure(
      MovieLens data,
      Popularity popularity,
      LongerConfig config,
      Ranker ranker,
      int candidates,
      int calls) {
    long[] movies =
        data.ratings().stream()
            .map(MovieLens.Rating::movie)
            .distinct()
            .sorted(Comparator.comparingDouble(popularity::ratings).reversed())
            .limit(candidates)
            .mapToLong(Long::longValue)
            .toArray();
    List<MovieLens.Rating> past = data.ratingsOf(data.mostActiveUser());
    long user = past.get(0).user();
    RankingRequest plain =
        RankingRequest.of(Recommendation.request(user, past, movies, data, config));
    RankingRequest cached = plain.cached(user, past.size());

    float[] expected = new float[movies.length];
    float[] scores = new float[movies.length];
    double[] uncachedTimes = new double[calls];
    double[] cachedTimes = new double[calls];
    for (int i = -WARM_UP; i < calls; i++) {
      double uncachedMillis = millis(ranker, plain, expected);
      double cachedMillis = millis(ranker, cached, scores);
      if (!Arrays.equals(expected, scores)) {
        throw new IllegalStateException(
            "[latency] scores with and without the user cache differ at candidate "
                + Arrays.mismatch(expected, scores));
      }
      if (i >= 0) {
        uncachedTimes[i] = uncachedMillis;
        cachedTimes[i] = cachedMillis;
      }
    }
    return new Latency(past.size(), movies.length, median(uncachedTimes), median(cachedTimes));
  }

  double speedUp() {
    return uncachedMillis / cachedMillis;
  }

  private static double millis(Ranker ranker, RankingRequest request, float[] scores) {
    long start = System.nanoTime();
    ranker.rank(request, scores);
    return (System.nanoTime() - start) * 1e-6;
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }
}
