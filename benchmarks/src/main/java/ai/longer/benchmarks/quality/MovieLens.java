package ai.longer.benchmarks.quality;

import ai.longer.Schema;
import ai.longer.benchmarks.quality.DataFolders.Download;
import ai.longer.benchmarks.quality.Split.Cut;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * MovieLens of GroupLens: will a user who rates this movie give it 4 stars or more? Events are the
 * earlier ratings with their stars.
 */
final class MovieLens implements DataSet {
  /** A release and its published checksum. */
  enum Release {
    LATEST_SMALL("ml-latest-small", null),
    M1("ml-1m", "c4d9eecfca2ab87c1945afe126590906"),
    M20("ml-20m", "cd245b17a1ae2cc31bb14903e1204af3"),
    M25("ml-25m", "6b51fb2759a8657d3bfcbfc42b592ada"),
    M32("ml-32m", "d472be332d4daa821edc399621853b57");

    private final String folder;
    private final @Nullable String md5;

    Release(String folder, @Nullable String md5) {
      this.folder = folder;
      this.md5 = md5;
    }

    Download download() {
      return new Download(
          folder, "https://grouplens.org/datasets/movielens/", folder + ".zip", md5);
    }

    static Release of(String kind) {
      return Arrays.stream(values())
          .filter(r -> kind.equals("movielens-" + r.folder.substring("ml-".length())))
          .findAny()
          .orElseThrow();
    }
  }

  private static final double CLICK = 4;
  private static final List<String> GENRES =
      List.of(
          "Action",
          "Adventure",
          "Animation",
          "Children",
          "Children's",
          "Comedy",
          "Crime",
          "Documentary",
          "Drama",
          "Fantasy",
          "Film-Noir",
          "Horror",
          "IMAX",
          "Musical",
          "Mystery",
          "Romance",
          "Sci-Fi",
          "Thriller",
          "War",
          "Western",
          "(no genres listed)");

  private final Release release;
  private final DataFolders folders;
  private final Cut cut;

  private record Rating(long user, long movie, double stars, long time) {}

  MovieLens(Release release, DataFolders folders, Cut cut) {
    this.release = release;
    this.folders = folders;
    this.cut = cut;
  }

  @Override
  public Schema schema() {
    return Schema.builder()
        .table("movie", 16)
        .table("user", 16)
        .denseTable("genre", 8, GENRES.size() + 1)
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

  @Override
  public Split split() {
    Map<Long, long[]> genres = genres();
    return cut.byTime(
        schema(), () -> UserOrder.byTime(ratings().map(rating -> row(rating, genres))));
  }

  private LogRow row(Rating rating, Map<Long, long[]> genres) {
    long[] two = genres.get(rating.movie());
    if (two == null) {
      throw new IllegalArgumentException(
          "[data] %s: ratings name movie %d, unknown".formatted(release, rating.movie()));
    }
    return new LogRow(
        rating.user(),
        rating.time(),
        new long[] {rating.movie(), two[0], two[1], Math.round(2 * rating.stars())},
        new long[] {rating.movie(), two[0], two[1]},
        new long[] {rating.user()},
        rating.stars() >= CLICK ? 1 : 0);
  }

  private Stream<Rating> ratings() {
    if (release == Release.M1) {
      return lines("ratings.dat", 4)
          .map(f -> new Rating(f.longValue(0), f.longValue(1), f.longValue(2), f.longValue(3)));
    }
    Path file = folders.find(release.download(), "ratings.csv");
    return FileRows.ofCsv(
        file,
        header -> {
          int user = header.column("userId");
          int movie = header.column("movieId");
          int stars = header.column("rating");
          int time = header.column("timestamp");
          return row ->
              new Rating(
                  row.longValue(user),
                  row.longValue(movie),
                  row.doubleValue(stars),
                  row.longValue(time));
        });
  }

  /** The first two genres of each movie as rows of the genre table; 0 = none. */
  private Map<Long, long[]> genres() {
    Map<Long, long[]> genres = new HashMap<>();
    if (release == Release.M1) {
      try (Stream<FileRows.Fields> movies = lines("movies.dat", 3)) {
        movies.forEach(f -> genres.put(f.longValue(0), firstTwo(f.text(2))));
      }
      return genres;
    }
    Path file = folders.find(release.download(), "movies.csv");
    try (Stream<Map.Entry<Long, long[]>> movies =
        FileRows.ofCsv(
            file,
            header -> {
              int movie = header.column("movieId");
              int names = header.column("genres");
              return row -> Map.entry(row.longValue(movie), firstTwo(row.text(names)));
            })) {
      movies.forEach(entry -> genres.put(entry.getKey(), entry.getValue()));
    }
    return genres;
  }

  private Stream<FileRows.Fields> lines(String file, int fields) {
    return FileRows.ofLines(
        folders.find(release.download(), file), StandardCharsets.ISO_8859_1, "::", fields);
  }

  private static long[] firstTwo(String names) {
    String[] split = names.split("\\|", -1);
    return new long[] {
      GENRES.indexOf(split[0]) + 1L, split.length > 1 ? GENRES.indexOf(split[1]) + 1L : 0
    };
  }
}
