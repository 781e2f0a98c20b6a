package ai.longer.parquet;

import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.LogColumns.TimeUnit;
import ai.longer.data.Request;
import ai.longer.data.RequestColumns;
import ai.longer.data.Value;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.jspecify.annotations.Nullable;

/** Rows that are requests: as a file has them, and as they are built in memory. */
final class RequestRows {
  static final Schema SCHEMA =
      Schema.builder()
          .table("item", 8)
          .table("tag", 4)
          .table("city", 4)
          .denseTable("hour", 4, 24)
          .event("item", "item")
          .event(Feature.manyValued("tags", "tag"))
          .event(Feature.numeric("price", 10, 5))
          .user("city", "city")
          .user(Feature.manyValued("interests", "tag"))
          .context("hour", "hour")
          .context(Feature.numeric("age", 40, 10))
          .candidate("item", "item")
          .candidate(Feature.manyValued("tags", "tag"))
          .candidate(Feature.numeric("price", 10, 5))
          .task("click")
          .task("like", 0.5)
          .build();

  private static final String FILE_SCHEMA =
      """
      message requests {
        optional int64 user_id;
        optional int64 at;
        optional int32 before;
        optional binary home (STRING);
        optional group interests (LIST) { repeated group list { optional binary element (STRING); } }
        optional int32 hour;
        optional double age;
        optional group times (LIST) { repeated group list { optional int64 element; } }
        optional group event_item (LIST) { repeated group list { optional int64 element; } }
        optional group event_tags (LIST) { repeated group list {
          optional group element (LIST) { repeated group list { optional binary element (STRING); } }
        } }
        optional group paid (LIST) { repeated group list { optional double element; } }
        optional group shown (LIST) { repeated group list { optional int64 element; } }
        optional group candidate_tags (LIST) { repeated group list {
          optional group element (LIST) { repeated group list { optional binary element (STRING); } }
        } }
        optional group candidate_price (LIST) { repeated group list { optional float element; } }
        optional group click (LIST) { repeated group list { optional double element; } }
        optional group stars (LIST) { repeated group list { optional int32 element; } }
        optional group weights (LIST) { repeated group list { optional double element; } }
      }
      """;

  /** A request; null is what is missing. Times in epoch seconds. */
  static final class Row {
    @Nullable Long user;
    @Nullable Long time;
    @Nullable Integer before;
    @Nullable String city;
    List<String> interests = new ArrayList<>();
    @Nullable Integer hour;
    @Nullable Double age;
    List<@Nullable Long> times = new ArrayList<>();
    List<@Nullable Long> items = new ArrayList<>();
    List<@Nullable List<String>> tags = new ArrayList<>();
    List<@Nullable Double> prices = new ArrayList<>();
    List<@Nullable Long> shown = new ArrayList<>();
    List<@Nullable List<String>> shownTags = new ArrayList<>();
    List<@Nullable Float> shownPrices = new ArrayList<>();
    List<@Nullable Double> clicks = new ArrayList<>();
    List<@Nullable Integer> stars = new ArrayList<>();
    List<@Nullable Double> weights = new ArrayList<>();

    void fill(Group group) {
      put(user, value -> group.append("user_id", (long) value));
      put(time, value -> group.append("at", 1000 * value + 999));
      put(before, value -> group.append("before", (int) value));
      put(city, value -> group.append("home", value));
      put(hour, value -> group.append("hour", (int) value));
      put(age, value -> group.append("age", (double) value));
      list(group, "interests", interests, (element, text) -> element.append("element", text));
      list(group, "times", times, (element, at) -> element.append("element", 1000 * at));
      list(group, "event_item", items, (element, id) -> element.append("element", (long) id));
      list(group, "event_tags", tags, RequestRows::addTexts);
      list(group, "paid", prices, (element, paid) -> element.append("element", (double) paid));
      list(group, "shown", shown, (element, id) -> element.append("element", (long) id));
      list(group, "candidate_tags", shownTags, RequestRows::addTexts);
      list(
          group,
          "candidate_price",
          shownPrices,
          (element, price) -> element.append("element", (float) price));
      list(group, "click", clicks, (element, click) -> element.append("element", (double) click));
      list(group, "stars", stars, (element, count) -> element.append("element", (int) count));
      list(group, "weights", weights, (element, one) -> element.append("element", (double) one));
    }

    Request request() {
      History history =
          History.builder(SCHEMA)
              .times(times.stream().mapToLong(Objects::requireNonNull).toArray())
              .firstOrdinal(Objects.requireNonNull(before))
              .longs("item", ids(items), missing(items))
              .strings("tags", texts(tags))
              .floats("price", numbers(prices))
              .build();
      Candidates candidates =
          Candidates.builder(SCHEMA)
              .longs("item", ids(shown), missing(shown))
              .strings("tags", texts(shownTags))
              .floats("price", numbers(shownPrices))
              .build();
      float[] likes = numbers(stars);
      for (int i = 0; i < likes.length; i++) {
        likes[i] = Float.isNaN(likes[i]) ? Float.NaN : likes[i] >= 4 ? 1 : 0;
      }
      return Request.builder(history, candidates)
          .referenceTime(Objects.requireNonNull(time))
          .groupKey(Objects.requireNonNull(user))
          .user("city", city == null ? Value.missing() : Value.textId(city))
          .user("interests", Value.textIds(interests.toArray(String[]::new)))
          .context("hour", hour == null ? Value.missing() : Value.id(hour))
          .context("age", age == null ? Value.missing() : Value.number(age))
          .labels("click", numbers(clicks))
          .labels("like", likes)
          .weights(numbers(weights))
          .build();
    }
  }

  private RequestRows() {}

  static RequestColumns.Builder columns() {
    return RequestColumns.builder(SCHEMA)
        .user("user_id")
        .time("at", TimeUnit.MILLISECONDS)
        .eventTimes("times")
        .eventColumn("price", "paid")
        .candidateColumn("item", "shown")
        .column("city", "home")
        .texts("tags", "city", "interests")
        .label("like", "stars", 4)
        .firstOrdinal("before")
        .weights("weights");
  }

  /** A user's request with so many events and candidates, of everything also what is missing. */
  static Row row(int number, int events, int candidates) {
    SplittableRandom random = new SplittableRandom(number);
    Row row = new Row();
    row.user = random.nextLong();
    row.time = 1_700_000_000L + 60L * number;
    row.before = random.nextInt(5);
    row.city = number % 3 == 0 ? null : "city " + random.nextInt(4);
    row.interests = texts(random, random.nextInt(3));
    row.hour = number % 5 == 0 ? null : random.nextInt(24);
    row.age = number % 4 == 0 ? null : 20 + random.nextInt(500) / 10.0;
    long start = row.time - 10L * events;
    row.times = list(events, i -> start + 10L * i + random.nextInt(9));
    row.items = list(events, i -> random.nextInt(4) == 0 ? null : random.nextLong(40));
    row.tags = list(events, i -> random.nextInt(4) == 0 ? null : texts(random, random.nextInt(3)));
    row.prices = list(events, i -> random.nextInt(4) == 0 ? null : random.nextInt(400) / 10.0);
    row.shown = list(candidates, i -> random.nextInt(6) == 0 ? null : random.nextLong(40));
    row.shownTags =
        list(candidates, i -> random.nextInt(4) == 0 ? null : texts(random, random.nextInt(3)));
    row.shownPrices =
        list(candidates, i -> random.nextInt(4) == 0 ? null : random.nextInt(400) / 8f);
    row.clicks = list(candidates, i -> random.nextInt(6) == 0 ? null : (double) random.nextInt(2));
    row.stars = list(candidates, i -> random.nextInt(6) == 0 ? null : 1 + random.nextInt(5));
    row.weights = list(candidates, i -> random.nextInt(8) / 4.0);
    return row;
  }

  /** Requests with 0 … 24 events and 0 … 5 candidates. */
  static List<Row> rows(int count) {
    return list(count, i -> row(i, i % 25, 5 - i % 6));
  }

  static void write(Path file, List<Row> rows) throws IOException {
    List<Consumer<Group>> groups = new ArrayList<>();
    rows.forEach(row -> groups.add(row::fill));
    write(file, 4096, groups);
  }

  static void write(Path file, long rowGroupBytes, List<Consumer<Group>> groups)
      throws IOException {
    ParquetFiles.write(file, CompressionCodecName.SNAPPY, rowGroupBytes, FILE_SCHEMA, groups);
  }

  private interface Adder<T> {
    void add(Group element, T value);
  }

  private static <T> void put(@Nullable T value, Consumer<T> append) {
    if (value != null) {
      append.accept(value);
    }
  }

  private static <T> void list(Group group, String name, List<@Nullable T> values, Adder<T> adder) {
    Group list = group.addGroup(name);
    for (T value : values) {
      Group element = list.addGroup("list");
      put(value, present -> adder.add(element, present));
    }
  }

  private static void addTexts(Group element, List<String> texts) {
    Group list = element.addGroup("element");
    texts.forEach(text -> list.addGroup("list").append("element", text));
  }

  private static <T> List<T> list(int size, IntFunction<T> element) {
    List<T> list = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      list.add(element.apply(i));
    }
    return list;
  }

  private static List<String> texts(SplittableRandom random, int count) {
    return list(count, i -> "tag " + random.nextInt(9));
  }

  private static long[] ids(List<@Nullable Long> values) {
    return values.stream().mapToLong(value -> value == null ? 0 : value).toArray();
  }

  private static BitSet missing(List<@Nullable Long> values) {
    BitSet missing = new BitSet();
    for (int i = 0; i < values.size(); i++) {
      missing.set(i, values.get(i) == null);
    }
    return missing;
  }

  private static String[][] texts(List<@Nullable List<String>> rows) {
    return rows.stream()
        .map(row -> row == null ? new String[0] : row.toArray(String[]::new))
        .toArray(String[][]::new);
  }

  private static float[] numbers(List<? extends @Nullable Number> values) {
    float[] numbers = new float[values.size()];
    for (int i = 0; i < numbers.length; i++) {
      Number value = values.get(i);
      numbers[i] = value == null ? Float.NaN : value.floatValue();
    }
    return numbers;
  }
}
