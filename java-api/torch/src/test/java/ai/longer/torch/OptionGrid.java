package ai.longer.torch;

import ai.longer.Anchor;
import ai.longer.GlobalVisibility;
import ai.longer.Head;
import ai.longer.LongerConfig;
import ai.longer.PositionMode;
import ai.longer.QueryStrategy;
import ai.longer.Schema;
import ai.longer.TimeMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Small models over all options: any two levels of different options meet in one of them ({@link
 * CoveringArray}).
 */
final class OptionGrid {
  /** Occurrences after which the tables of some models give an id a row. */
  private static final int ADMISSION = 13;

  /** What the levels of a row write to. */
  private static final class Draft {
    private final Schema.Builder schema = Schema.builder();
    private final List<Consumer<LongerConfig.Builder>> options = new ArrayList<>();
    private QueryStrategy strategy = QueryStrategy.RECENT;
    private int queries;

    private void everyKind() {
      schema
          .event(Schema.Feature.numeric("seconds", 2, 3))
          .event(Schema.Feature.manyValued("tags", "genre"))
          .event(Schema.Feature.manyValued("cast", "movie"))
          .user(Schema.Feature.numeric("age", 0, 2))
          .user(Schema.Feature.manyValued("friends", "user"))
          .context(Schema.Feature.manyValued("shelves", "genre"))
          .candidate(Schema.Feature.numeric("price", -1, 0.5))
          .candidate(Schema.Feature.manyValued("cast", "movie"));
    }

    private LongerConfig config() {
      LongerConfig.Builder config =
          LongerConfig.builder(features(schema))
              .maxHistory(22)
              .timeBuckets(12)
              .timeWidth(5)
              .queries(strategy, queries);
      options.forEach(option -> option.accept(config));
      return config.build();
    }
  }

  private record Level(String name, Consumer<Draft> write) {}

  /** One option a line, its first level that of the first model. */
  private static final List<List<Level>> OPTIONS =
      List.of(
          Stream.of(4, 1, 2, 8, 16).map(OptionGrid::merge).toList(),
          List.of(
              strategy("recent", QueryStrategy.RECENT),
              new Level("recent in blocks", draft -> draft.options.add(c -> c.queryBlock(2))),
              strategy("uniform", QueryStrategy.UNIFORM),
              strategy("recent and uniform", QueryStrategy.RECENT_AND_UNIFORM),
              strategy("learnable", QueryStrategy.LEARNABLE)),
          List.of(inner(1, 2), inner(0, 1), inner(1, 1), inner(2, 2)),
          List.of(
              option("user token", c -> {}),
              option("no user token", LongerConfig.Builder::noGlobalTokens),
              option(
                  "three user tokens",
                  c ->
                      c.globalToken("id", "user")
                          .globalToken("place", "shelf")
                          .globalToken("mixed", "shelf", "user"))),
          List.of(
              option("cacheable", c -> c.globalVisibility(GlobalVisibility.CACHEABLE)),
              option("strict", c -> c.globalVisibility(GlobalVisibility.STRICT)),
              option("full", c -> c.globalVisibility(GlobalVisibility.FULL))),
          List.of(
              option("globals", c -> c.head(Head.GLOBALS)),
              option("all", c -> c.head(Head.ALL)),
              option("pool", c -> c.head(Head.GLOBALS_AND_POOL))),
          List.of(
              option("request time", c -> c.time(TimeMode.REQUEST_RELATIVE)),
              option("event time", c -> c.time(TimeMode.EVENT_RELATIVE)),
              option("no time", c -> c.time(TimeMode.NONE))),
          List.of(
              option("positions", c -> c.position(PositionMode.LEARNED)),
              option("no positions", c -> c.position(PositionMode.NONE))),
          Stream.of(1, 0, 2).map(n -> option(n + " self", c -> c.selfLayers(n))).toList(),
          Stream.of(1, 0, 2).map(n -> option(n + " cls", c -> c.clsTokens(n))).toList(),
          Stream.of(3, 4, 25).map(k -> new Level("k " + k, draft -> draft.queries = k)).toList(),
          List.of(
              option("newest", c -> c.anchor(Anchor.NEWEST)),
              option("oldest", c -> c.anchor(Anchor.OLDEST))),
          List.of(
              option("candidate token", c -> {}),
              option(
                  "two candidate tokens",
                  c -> c.candidateToken("item", "movie", "genre").candidateToken("kind", "genre"))),
          List.of(
              new Level("1 task", draft -> draft.schema.task("like")),
              new Level("2 tasks", draft -> draft.schema.task("like").task("share", 0.25, 0.1))),
          List.of(admission(1), admission(ADMISSION)),
          List.of(new Level("ids", draft -> {}), new Level("ids, sets, numbers", Draft::everyKind)),
          List.of(option("all kept", c -> c.dropout(0)), option("dropout", c -> c.dropout(0.2))));

  private OptionGrid() {}

  /** By the names of their levels, in a fixed order. */
  static Map<String, LongerConfig> all() {
    Map<String, LongerConfig> all = new LinkedHashMap<>();
    for (int[] row : CoveringArray.pairwise(OPTIONS.stream().mapToInt(List::size).toArray())) {
      Draft draft = new Draft();
      List<String> names = new ArrayList<>();
      for (int option = 0; option < row.length; option++) {
        Level level = OPTIONS.get(option).get(row[option]);
        level.write().accept(draft);
        names.add(level.name());
      }
      all.put(String.join(", ", names), draft.config());
    }
    return all;
  }

  /** The model of every option's first level. */
  static LongerConfig first() {
    return all().values().iterator().next();
  }

  /**
   * How often a test trains on its batch beforehand: ids that the batch holds twice are admitted
   * then, those that it holds once are not in the next five passes either.
   */
  static int numPassesBefore(LongerConfig config) {
    return config.schema().tables().get(0).admission() / 2 + 1;
  }

  private static Level merge(int factor) {
    int width = Math.max(8, 32 / factor); // norms of fewer values magnify rounding
    return option("K " + factor, c -> c.mergeFactor(factor).eventWidth(width));
  }

  private static Level inner(int layers, int heads) {
    return option(layers + " inner of " + heads, c -> c.innerLayers(layers).innerHeads(heads));
  }

  private static Level strategy(String name, QueryStrategy strategy) {
    return new Level(name, draft -> draft.strategy = strategy);
  }

  private static Level option(String name, Consumer<LongerConfig.Builder> option) {
    return new Level(name, draft -> draft.options.add(option));
  }

  private static Level admission(int occurrences) {
    return new Level(
        "admission " + occurrences,
        draft -> draft.schema.table("movie", 6, occurrences).table("user", 4, occurrences));
  }

  private static Schema features(Schema.Builder schema) {
    return schema
        .denseTable("genre", 3, 5)
        .event("movie", "movie")
        .event("genre", "genre")
        .user("user", "user")
        .context("shelf", "genre")
        .candidate("movie", "movie")
        .candidate("genre", "genre")
        .build();
  }
}
