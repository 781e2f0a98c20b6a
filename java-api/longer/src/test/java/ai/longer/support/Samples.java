package ai.longer.support;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Interaction;
import ai.longer.data.Request;
import ai.longer.data.RequestBuilder;
import ai.longer.data.RequestSource;
import ai.longer.data.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Small schemas, models and requests. */
public final class Samples {
  /** Events and candidates share a growable table; user and context columns use a dense one. */
  public static final Schema SCHEMA =
      Schema.builder()
          .table("item", 8)
          .denseTable("genre", 4, 6)
          .denseTable("small", 4, 16)
          .event("item", "item")
          .event("genre", "genre")
          .user("country", "small")
          .context("hour", "small")
          .candidate("item", "item")
          .candidate("genre", "genre")
          .task("click")
          .task("like", 0.5)
          .build();

  /** As small as the model gets with every stage in it. */
  public static final LongerConfig CONFIG =
      LongerConfig.builder(SCHEMA)
          .maxHistory(24)
          .eventWidth(8)
          .mergeFactor(2)
          .innerHeads(2)
          .heads(2)
          .recentQueries(4)
          .timeWidth(4)
          .build();

  /** Every kind of feature, for events, the user, the context and candidates. */
  public static final Schema KINDS_SCHEMA =
      Schema.builder()
          .table("item", 8)
          .table("tag", 4)
          .denseTable("small", 4, 16)
          .event("item", "item")
          .event(Feature.manyValued("tags", "tag"))
          .event(Feature.numeric("price", 20, 5))
          .user(Feature.manyValued("liked", "tag"))
          .context("hour", "small")
          .candidate("item", "item")
          .candidate(Feature.manyValued("tags", "tag"))
          .candidate(Feature.numeric("price", 20, 5))
          .task("click")
          .build();

  /** {@link #CONFIG} for {@link #KINDS_SCHEMA}. */
  public static final LongerConfig KINDS_CONFIG =
      LongerConfig.builder(KINDS_SCHEMA)
          .maxHistory(24)
          .eventWidth(8)
          .mergeFactor(2)
          .innerHeads(2)
          .heads(2)
          .recentQueries(4)
          .timeWidth(4)
          .build();

  /**
   * A request of {@link #KINDS_SCHEMA} with every kind of value, and missing ones, here and there.
   */
  public static Request kindsRequest(int events, int candidates, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    History history =
        History.builder(KINDS_SCHEMA)
            .strings("item", texts(events, random))
            .longs("tags", tags(events, random))
            .floats("price", prices(events, random))
            .times(minutes(events))
            .build();
    Candidates items =
        Candidates.builder(KINDS_SCHEMA)
            .strings("item", texts(candidates, random))
            .longs("tags", tags(candidates, random))
            .floats("price", prices(candidates, random))
            .build();
    return Request.builder(history, items)
        .user("liked", seed % 3 == 0 ? Value.missing() : Value.textIds("red", "green"))
        .context("hour", seed % 2 == 0 ? Value.missing() : Value.id(seed & 15))
        .referenceTime(60L * events)
        .labels("click", new float[candidates])
        .groupKey(seed)
        .build();
  }

  private static @Nullable String[] texts(int rows, SplittableRandom random) {
    @Nullable String[] texts = new @Nullable String[rows];
    Arrays.setAll(texts, i -> random.nextInt(4) == 0 ? null : "item " + random.nextInt(50));
    return texts;
  }

  private static long[][] tags(int rows, SplittableRandom random) {
    long[][] tags = new long[rows][];
    Arrays.setAll(tags, i -> random.longs(random.nextInt(4), 0, 20).toArray());
    return tags;
  }

  private static float[] prices(int rows, SplittableRandom random) {
    float[] prices = new float[rows];
    for (int i = 0; i < rows; i++) {
      prices[i] = random.nextInt(4) == 0 ? Float.NaN : random.nextInt(400) / 10f;
    }
    return prices;
  }

  /** Without user and context columns, one task. */
  public static final Schema PLAIN_SCHEMA =
      Schema.builder()
          .table("item", 8)
          .event("item", "item")
          .candidate("item", "item")
          .task("click")
          .build();

  /** {@link #CONFIG} for {@link #PLAIN_SCHEMA}. */
  public static final LongerConfig PLAIN_CONFIG =
      LongerConfig.builder(PLAIN_SCHEMA)
          .maxHistory(24)
          .eventWidth(8)
          .mergeFactor(2)
          .innerHeads(2)
          .heads(2)
          .recentQueries(4)
          .timeWidth(4)
          .build();

  private Samples() {}

  /** A history of {@link #SCHEMA} with one event a minute. */
  public static History history(int events, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    return History.builder(SCHEMA)
        .longs("item", random.longs(events, 0, 1000).toArray())
        .longs("genre", random.longs(events, 0, 6).toArray())
        .times(minutes(events))
        .build();
  }

  /** A history of {@link #PLAIN_SCHEMA} with one event a minute. */
  public static History plainHistory(int events, long seed) {
    return History.builder(PLAIN_SCHEMA)
        .longs("item", new SplittableRandom(seed).longs(events, 0, 1000).toArray())
        .times(minutes(events))
        .build();
  }

  private static long[] minutes(int events) {
    return java.util.stream.LongStream.range(0, events).map(i -> 60 * i).toArray();
  }

  /** Candidates of {@link #SCHEMA}. */
  public static Candidates candidates(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    return Candidates.builder(SCHEMA)
        .longs("item", random.longs(count, 0, 1000).toArray())
        .longs("genre", random.longs(count, 0, 6).toArray())
        .build();
  }

  /** Candidates of {@link #PLAIN_SCHEMA}. */
  public static Candidates plainCandidates(int count, long seed) {
    return Candidates.builder(PLAIN_SCHEMA)
        .longs("item", new SplittableRandom(seed).longs(count, 0, 1000).toArray())
        .build();
  }

  /** A request of {@link #SCHEMA} without labels. */
  public static Request request(int events, int candidates, long seed) {
    return Request.builder(history(events, seed), candidates(candidates, seed + 1))
        .user("country", seed & 7)
        .context("hour", seed & 15)
        .referenceTime(60L * events)
        .groupKey(seed)
        .build();
  }

  /** A request of {@link #SCHEMA} with labels: a click if the candidate's genre is the user's. */
  public static Request labelled(int events, int candidates, long seed) {
    Request request = request(events, candidates, seed);
    float[] clicks = new float[candidates];
    float[] likes = new float[candidates];
    for (int i = 0; i < candidates; i++) {
      clicks[i] = request.candidates().id(1, i) == seed % 6 ? 1 : 0;
      likes[i] = i % 3 == 0 ? Float.NaN : clicks[i];
    }
    return Request.builder(request.history(), request.candidates())
        .user("country", seed % 6)
        .context("hour", seed & 15)
        .referenceTime(request.referenceTime())
        .labels("click", clicks)
        .labels("like", likes)
        .groupKey(seed)
        .build();
  }

  /** {@code count} labelled requests of different lengths. */
  public static List<Request> labelled(int count) {
    return Stream.iterate(0L, seed -> seed + 1)
        .limit(count)
        .map(seed -> labelled((int) (seed * 7 % 30), 1 + (int) (seed % 5), seed))
        .toList();
  }

  /** A source over {@link #labelled(int)}. */
  public static RequestSource source(int count) {
    return RequestSource.of(labelled(count));
  }

  /** A log of {@link #PLAIN_SCHEMA} in which even items are clicked. */
  public static RequestBuilder.Builder plainLog(int users, int rowsPerUser) {
    List<Interaction> log = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(7);
    for (int user = 0; user < users; user++) {
      for (int row = 0; row < rowsPerUser; row++) {
        long item = random.nextLong(50);
        long[] ids = {item};
        float label = item % 2 == 0 ? 1 : 0;
        log.add(new Interaction(user, 100L * row, ids, ids, new float[] {label}));
      }
    }
    return RequestBuilder.builder(PLAIN_SCHEMA, log::stream);
  }
}
