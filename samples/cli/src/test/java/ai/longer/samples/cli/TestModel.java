package ai.longer.samples.cli;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.data.StringIds;
import ai.longer.data.Value;
import java.nio.file.Path;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/** A model with every kind of feature and two tasks, and one request in both its forms. */
final class TestModel {
  static final Schema SCHEMA =
      Schema.builder()
          .table("movie", 8)
          .table("tag", 4)
          .denseTable("hour", 4, 24)
          .event("movie", "movie")
          .event(Feature.manyValued("tags", "tag"))
          .event(Feature.numeric("price", 10, 5))
          .user(Feature.manyValued("likes", "tag"))
          .context("hour", "hour")
          .candidate("movie", "movie")
          .candidate(Feature.numeric("price", 10, 5))
          .task("click")
          .task("buy")
          .build();

  static final LongerConfig CONFIG =
      LongerConfig.builder(SCHEMA)
          .maxHistory(16)
          .eventWidth(8)
          .mergeFactor(4)
          .recentQueries(4)
          .build();

  /** {@link #request} as JSON. */
  static final String JSON =
      """
      {"id": "first", "time": 1700000300,
       "user": {"likes": ["war", 7]}, "context": {"hour": 13},
       "event_times": [1700000000, 1700000100, 1700000250],
       "events": {"movie": [1, null, "Alien"], "tags": [["war", "drama"], [], null],
                  "price": [9.5, null, 12]},
       "candidates": {"movie": [5, 7, null, "Alien"], "price": [1, 2.5, null, -3]}}
      """;

  private TestModel() {}

  /** Saves fresh weights of seed 1. */
  static Path save(Path folder) {
    try (LongerModel model = LongerModel.create(CONFIG, 1, Device.cpu(1))) {
      model.save(folder);
    }
    return folder;
  }

  static Request request() {
    BitSet second = new BitSet();
    second.set(1);
    BitSet third = new BitSet();
    third.set(2);
    long alien = StringIds.hash("Alien");
    History history =
        History.builder(SCHEMA)
            .longs("movie", new long[] {1, 0, alien}, second)
            .strings("tags", new String @Nullable [][] {{"war", "drama"}, {}, null})
            .floats("price", new float[] {9.5f, Float.NaN, 12})
            .times(new long[] {1700000000, 1700000100, 1700000250})
            .build();
    Candidates candidates =
        Candidates.builder(SCHEMA)
            .longs("movie", new long[] {5, 7, 0, alien}, third)
            .floats("price", new float[] {1, 2.5f, Float.NaN, -3})
            .build();
    return Request.builder(history, candidates)
        .user("likes", Value.ids(StringIds.hash("war"), 7))
        .context("hour", 13)
        .referenceTime(1700000300)
        .groupKey(1)
        .build();
  }
}
