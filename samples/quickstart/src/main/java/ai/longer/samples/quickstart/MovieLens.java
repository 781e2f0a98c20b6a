package ai.longer.samples.quickstart;

import ai.longer.Schema;
import ai.longer.data.CsvReader;
import ai.longer.data.Interaction;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The MovieLens latest-small data set: who rated which movie, how, and when.
 *
 * <p>Its terms lie beside it, in {@code README.txt}.
 */
final class MovieLens {
  /** A click is a rating of at least this many stars. */
  static final double CLICK = 4;

  /** Genre ids run from 1; 0 stands for "no second genre". */
  private static final long NO_GENRE = 0;

  record Movie(long id, String title, long genre, long secondGenre) {}

  /** {@code stars}: 0.5 … 5. */
  record Rating(long user, long movie, double stars, long time) {
    boolean isClick() {
      return stars >= CLICK;
    }
  }

  private final Map<Long, Movie> movies;
  private final List<Rating> ratings;
  private final int numGenres;

  private MovieLens(Map<Long, Movie> movies, List<Rating> ratings, int numGenres) {
    this.movies = movies;
    this.ratings = ratings;
    this.numGenres = numGenres;
  }

  /**
   * Reads {@code movies.csv.gz} and {@code ratings.csv.gz}, of the users up to {@code lastUser}.
   */
  static MovieLens read(Path folder, long lastUser) {
    Map<Long, Movie> movies = new HashMap<>();
    Map<String, Long> genres = new HashMap<>();
    try (CsvReader csv = CsvReader.open(folder.resolve("movies.csv.gz"))) {
      int id = csv.column("movieId");
      int title = csv.column("title");
      int names = csv.column("genres");
      while (csv.next()) {
        long[] two =
            Arrays.stream(csv.text(names).split("\\|"))
                .limit(2)
                .mapToLong(name -> genres.computeIfAbsent(name, any -> genres.size() + 1L))
                .toArray();
        long second = two.length > 1 ? two[1] : NO_GENRE;
        movies.put(
            csv.longValue(id), new Movie(csv.longValue(id), csv.text(title), two[0], second));
      }
    }
    List<Rating> ratings = new ArrayList<>();
    try (CsvReader csv = CsvReader.open(folder.resolve("ratings.csv.gz"))) {
      int user = csv.column("userId");
      int movie = csv.column("movieId");
      int stars = csv.column("rating");
      int time = csv.column("timestamp");
      while (csv.next()) {
        if (csv.longValue(user) <= lastUser) {
          ratings.add(
              new Rating(
                  csv.longValue(user),
                  csv.longValue(movie),
                  csv.doubleValue(stars),
                  csv.longValue(time)));
        }
      }
    }
    ratings.sort(
        Comparator.comparingLong(Rating::user)
            .thenComparingLong(Rating::time)
            .thenComparingLong(Rating::movie));
    return new MovieLens(movies, List.copyOf(ratings), genres.size());
  }

  /**
   * What the model sees: movie, two genres and stars of each event, movie and genres of a
   * candidate, and the user. Events and candidates share the tables.
   */
  Schema schema() {
    return Schema.builder()
        .table("movie", 16)
        .table("user", 16)
        .denseTable("genre", 8, numGenres + 1)
        .denseTable("stars", 4, 11)
        .event("movie", "movie")
        .event("genre", "genre")
        .event("second_genre", "genre")
        .event("stars", "stars")
        .candidate("movie", "movie")
        .candidate("genre", "genre")
        .candidate("second_genre", "genre")
        .user("user", "user")
        .task("click")
        .build();
  }

  /** All ratings as rows of a log, by user, then time. */
  Stream<Interaction> log() {
    return ratings.stream().map(this::interaction);
  }

  /** A rating's ids in the order of {@link #schema}. */
  private Interaction interaction(Rating rating) {
    Movie movie = movie(rating.movie());
    return new Interaction(
        rating.user(),
        rating.time(),
        new long[] {movie.id(), movie.genre(), movie.secondGenre(), halfStars(rating.stars())},
        new long[] {movie.id(), movie.genre(), movie.secondGenre()},
        new long[] {rating.user()},
        new float[] {rating.isClick() ? 1 : 0});
  }

  long[] genres(long[] movies) {
    return Arrays.stream(movies).map(m -> movie(m).genre()).toArray();
  }

  long[] secondGenres(long[] movies) {
    return Arrays.stream(movies).map(m -> movie(m).secondGenre()).toArray();
  }

  static long halfStars(double stars) {
    return Math.round(2 * stars);
  }

  /** Ratings by user, then time, then movie. */
  List<Rating> ratings() {
    return ratings;
  }

  List<Rating> ratingsOf(long user) {
    return ratings.stream().filter(r -> r.user() == user).toList();
  }

  /** The user with the most ratings. */
  long mostActiveUser() {
    return userWithAbout(Integer.MAX_VALUE);
  }

  /**
   * The user whose number of ratings is nearest to {@code ratings}; the smallest id among equals.
   */
  long userWithAbout(int ratings) {
    return counts().entrySet().stream()
        .min(
            Comparator.comparingLong((Map.Entry<Long, Long> e) -> Math.abs(e.getValue() - ratings))
                .thenComparing(Map.Entry::getKey))
        .orElseThrow()
        .getKey();
  }

  private Map<Long, Long> counts() {
    return ratings.stream().collect(Collectors.groupingBy(Rating::user, Collectors.counting()));
  }

  long numUsers() {
    return ratings.stream().mapToLong(Rating::user).distinct().count();
  }

  long numRatedMovies() {
    return ratings.stream().mapToLong(Rating::movie).distinct().count();
  }

  Movie movie(long id) {
    Movie movie = movies.get(id);
    if (movie == null) {
      throw new IllegalArgumentException("[movielens] ratings name movie " + id + ", unknown");
    }
    return movie;
  }
}
