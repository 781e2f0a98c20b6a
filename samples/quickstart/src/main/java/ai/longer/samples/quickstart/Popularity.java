package ai.longer.samples.quickstart;

import ai.longer.data.Request;
import ai.longer.evaluation.Predictions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The baseline that knows no user: a movie's share of clicks before the test, drawn to the mean.
 */
final class Popularity {
  /** Ratings that the mean counts for. */
  private static final double PRIOR = 10;

  private static final class Count {
    double clicks;
    double ratings;
  }

  private final Map<Long, Count> counts = new HashMap<>();
  private final Count all = new Count();

  Popularity(Split split) {
    split.trainingAndValidation().forEach(this::add);
  }

  Predictions predict(List<Request> requests) {
    int rows = requests.stream().mapToInt(r -> r.candidates().size()).sum();
    float[] scores = new float[rows];
    float[] labels = new float[rows];
    long[] users = new long[rows];
    int row = 0;
    for (Request request : requests) {
      float[] clicks = request.labels(0);
      long[] movies = request.candidates().longs("movie");
      for (int i = 0; i < movies.length; i++, row++) {
        scores[row] = (float) score(movies[i]);
        labels[row] = clicks[i];
        users[row] = request.groupKey();
      }
    }
    return Predictions.of(scores, labels, users);
  }

  /** Ratings of a movie before the test period. */
  double ratings(long movie) {
    return counts.getOrDefault(movie, new Count()).ratings;
  }

  private double score(long movie) {
    Count count = counts.getOrDefault(movie, new Count());
    double mean = all.clicks / all.ratings;
    return (count.clicks + PRIOR * mean) / (count.ratings + PRIOR);
  }

  private void add(Request request) {
    float[] clicks = request.labels(0);
    long[] movies = request.candidates().longs("movie");
    for (int i = 0; i < movies.length; i++) {
      for (Count count : List.of(all, counts.computeIfAbsent(movies[i], m -> new Count()))) {
        count.clicks += clicks[i];
        count.ratings++;
      }
    }
  }
}
