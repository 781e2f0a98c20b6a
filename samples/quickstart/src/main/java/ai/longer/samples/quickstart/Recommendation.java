package ai.longer.samples.quickstart;

import ai.longer.LongerConfig;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.serving.Explanation;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import ai.longer.serving.Scores;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a user who comes back after the last rating is shown, and which past ratings it rests on.
 *
 * @param items best first
 * @param attention share of each event of the history, oldest first, mean over the items
 * @param strongest events with the largest shares, largest first
 */
record Recommendation(
    long user, int candidates, List<Item> items, double[] attention, List<Past> strongest) {
  /** Movies with fewer ratings before the test period have no row worth ranking. */
  private static final int MIN_RATINGS = 10;

  private static final int ITEMS = 10;
  private static final int STRONGEST = 10;
  private static final int BECAUSE = 3;

  /** A recommended movie, and the past ratings that drew most of its attention. */
  record Item(long movie, String title, double score, List<Past> because) {}

  /** A rating of the history; {@code event} counts from the oldest, 0; the day is of UTC. */
  record Past(int event, String title, double stars, String date, double attention) {}

  /** Ranks every movie that the user has not rated and at least 10 others have. */
  static Recommendation forUser(
      long user, MovieLens data, Popularity popularity, LongerConfig config, Ranker ranker) {
    List<MovieLens.Rating> past = data.ratingsOf(user);
    Set<Long> seen = past.stream().map(MovieLens.Rating::movie).collect(Collectors.toSet());
    long[] movies =
        data.ratings().stream()
            .mapToLong(MovieLens.Rating::movie)
            .distinct()
            .filter(m -> !seen.contains(m) && popularity.ratings(m) >= MIN_RATINGS)
            .sorted()
            .toArray();
    RankingRequest request = RankingRequest.of(request(user, past, movies, data, config));
    Scores scores = ranker.rank(request);

    List<Item> items = new ArrayList<>();
    double[] mean = new double[past.size()];
    int[] top = scores.top(ITEMS);
    for (int candidate : top) {
      Explanation explanation = ranker.explain(request, candidate);
      double[] shares = new double[past.size()];
      for (int i = 0; i < shares.length; i++) {
        shares[i] = explanation.attribution()[i];
        mean[i] += shares[i] / top.length;
      }
      items.add(
          new Item(
              movies[candidate],
              data.movie(movies[candidate]).title(),
              scores.get(candidate),
              strongest(shares, BECAUSE, past, data)));
    }
    return new Recommendation(
        user, movies.length, items, mean, strongest(mean, STRONGEST, past, data));
  }

  /** A request of a user whose whole past is known, at the second of the last rating. */
  static Request request(
      long user,
      List<MovieLens.Rating> past,
      long[] candidates,
      MovieLens data,
      LongerConfig config) {
    long[] movies = past.stream().mapToLong(MovieLens.Rating::movie).toArray();
    History history =
        History.builder(config.schema())
            .longs("movie", movies)
            .longs("genre", data.genres(movies))
            .longs("second_genre", data.secondGenres(movies))
            .longs("stars", past.stream().mapToLong(r -> MovieLens.halfStars(r.stars())).toArray())
            .times(past.stream().mapToLong(MovieLens.Rating::time).toArray())
            .build();
    Candidates items =
        Candidates.builder(config.schema())
            .longs("movie", candidates)
            .longs("genre", data.genres(candidates))
            .longs("second_genre", data.secondGenres(candidates))
            .build();
    return Request.builder(history, items).user("user", user).groupKey(user).build();
  }

  private static List<Past> strongest(
      double[] shares, int count, List<MovieLens.Rating> past, MovieLens data) {
    List<Past> all = new ArrayList<>();
    for (int i = 0; i < shares.length; i++) {
      MovieLens.Rating rating = past.get(i);
      all.add(
          new Past(
              i,
              data.movie(rating.movie()).title(),
              rating.stars(),
              LocalDate.ofInstant(Instant.ofEpochSecond(rating.time()), ZoneOffset.UTC).toString(),
              shares[i]));
    }
    return all.stream()
        .sorted(Comparator.comparingDouble(Past::attention).reversed())
        .limit(count)
        .toList();
  }
}
