package ai.longer.torch;

import ai.longer.Anchor;
import ai.longer.LongerConfig;
import ai.longer.Schema;
import ai.longer.TimeMode;
import java.util.LinkedHashMap;
import java.util.Map;

/** Small models, each different from the first in what its name says. */
final class Configs {
  private Configs() {}

  /** By name, in a fixed order. */
  static Map<String, LongerConfig> all() {
    Map<String, LongerConfig> all = new LinkedHashMap<>();
    all.put("default", small().build());
    all.put("concatenation only", small().innerTransformer(false).build());
    all.put("two inner layers", small().innerLayers(2).build());
    all.put("no cls token", small().clsTokens(0).build());
    all.put("two cls tokens", small().clsTokens(2).build());
    all.put("no self layer", small().selfLayers(0).build());
    all.put("two self layers", small().selfLayers(2).build());
    all.put("three self layers", small().selfLayers(3).clsTokens(2).build());
    all.put("oldest anchor", small().anchor(Anchor.OLDEST).time(TimeMode.EVENT_RELATIVE).build());
    all.put(
        "oldest anchor, blocks", small().anchor(Anchor.OLDEST).queryBlock(2).selfLayers(2).build());
    all.put("event-relative time", small().time(TimeMode.EVENT_RELATIVE).build());
    all.put("no time", small().time(TimeMode.NONE).build());
    all.put("no time, oldest anchor", small().time(TimeMode.NONE).anchor(Anchor.OLDEST).build());
    all.put("two tasks", sized(features().task("like").task("share", 0.25).build()).build());
    all.put("no user features", sized(itemFeatures().task("like").build()).build());
    all.put(
        "no merging",
        small().mergeFactor(1).innerTransformer(false).eventWidth(16).recentQueries(22).build());
    return all;
  }

  static LongerConfig first() {
    return small().build();
  }

  private static LongerConfig.Builder small() {
    return sized(features().task("like").build());
  }

  private static Schema.Builder features() {
    return itemFeatures().user("user", "user").context("shelf", "genre");
  }

  private static Schema.Builder itemFeatures() {
    return Schema.builder()
        .table("movie", 6)
        .denseTable("genre", 3, 5)
        .table("user", 4)
        .event("movie", "movie")
        .event("genre", "genre")
        .candidate("movie", "movie")
        .candidate("genre", "genre");
  }

  private static LongerConfig.Builder sized(Schema schema) {
    return LongerConfig.builder(schema)
        .maxHistory(22)
        .eventWidth(8)
        .mergeFactor(4)
        .innerHeads(2)
        .heads(4)
        .recentQueries(3)
        .selfLayers(1)
        .clsTokens(1)
        .timeBuckets(12)
        .timeWidth(5);
  }
}
