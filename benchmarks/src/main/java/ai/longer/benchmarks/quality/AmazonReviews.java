package ai.longer.benchmarks.quality;

import ai.longer.Schema;
import ai.longer.benchmarks.quality.DataFolders.Download;
import ai.longer.benchmarks.quality.Split.Cut;
import ai.longer.data.CsvReader;
import ai.longer.data.StringIds;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Amazon Reviews 2023, the {@code rating_only} file of a category: will a user who rates this
 * product give it 4 stars or more? Events are the earlier ratings with their stars. Users and
 * products are text; their ids are hashes.
 *
 * <p>The files do not promise to keep users together: the ratings of one category are held in
 * memory.
 */
final class AmazonReviews implements DataSet {
  private static final String URL = "https://amazon-reviews-2023.github.io";
  private static final double CLICK = 4;

  /**
   * Which file.
   *
   * @param category for example {@code Books}: the file {@code amazon-2023/Books.csv}
   */
  record Options(
      String category, int candidates, double validationShare, double testShare, int maxHistory) {
    Cut cut() {
      return new Cut(candidates, validationShare, testShare, maxHistory);
    }
  }

  private final DataFolders folders;
  private final Options options;

  AmazonReviews(DataFolders folders, Options options) {
    this.folders = folders;
    this.options = options;
  }

  @Override
  public Schema schema() {
    return Schema.builder()
        .table("product", 16)
        .table("user", 16)
        .denseTable("stars", 4, 6)
        .event("product", "product")
        .event("stars", "stars")
        .candidate("product", "product")
        .user("user", "user")
        .task("click")
        .build();
  }

  @Override
  public Split split() {
    Map<Long, List<LogRow>> byUser = byUser();
    return options
        .cut()
        .byTime(schema(), () -> UserOrder.byTime(byUser.values().stream().flatMap(List::stream)));
  }

  private Map<Long, List<LogRow>> byUser() {
    Path file =
        folders.find(new Download("amazon-2023", URL, null, null), options.category() + ".csv");
    Map<Long, List<LogRow>> byUser = new LinkedHashMap<>();
    try (Stream<LogRow> rows = FileRows.ofCsv(file, AmazonReviews::columns)) {
      rows.forEach(row -> byUser.computeIfAbsent(row.user(), u -> new ArrayList<>()).add(row));
    }
    return byUser;
  }

  private static Function<CsvReader, LogRow> columns(CsvReader header) {
    int user = header.column("user_id");
    int product = header.column("parent_asin");
    int rating = header.column("rating");
    int millis = header.column("timestamp");
    return row -> {
      long userId = StringIds.hash(row.text(user));
      long productId = StringIds.hash(row.text(product));
      double stars = row.doubleValue(rating);
      return new LogRow(
          userId,
          Math.floorDiv(row.longValue(millis), 1000),
          new long[] {productId, Math.round(stars)},
          new long[] {productId},
          new long[] {userId},
          stars >= CLICK ? 1 : 0);
    };
  }
}
