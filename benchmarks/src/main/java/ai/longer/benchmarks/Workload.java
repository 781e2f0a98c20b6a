package ai.longer.benchmarks;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Synthetic requests at the paper's widths: items drawn from a long tail, an action per event,
 * times going up.
 */
final class Workload {
  static final int NUM_ITEMS = 50_000;
  static final int NUM_USERS = 20_000;
  static final int NUM_ACTIONS = 16;

  private final Schema schema;
  private final SplittableRandom random;

  Workload(Schema schema, long seed) {
    this.schema = schema;
    this.random = new SplittableRandom(seed);
  }

  /** d 32, K 8, D 256, 4 heads, 1 + 1 layers, 50 recent queries. */
  static LongerConfig config(int maxHistory) {
    Schema schema =
        Schema.builder()
            .table("item", 32)
            .table("user", 32)
            .denseTable("action", 8, NUM_ACTIONS)
            .event("item", "item")
            .event("action", "action")
            .user("user", "user")
            .candidate("item", "item")
            .task("click")
            .build();
    return LongerConfig.builder(schema)
        .maxHistory(maxHistory)
        .eventWidth(32)
        .mergeFactor(8)
        .innerTransformer(true)
        .innerHeads(2)
        .heads(4)
        .recentQueries(50)
        .selfLayers(1)
        .clsTokens(1)
        .build();
  }

  /** Labelled requests, each with {@code numEvents} events and {@code numCandidates} candidates. */
  List<Request> requests(int count, int numEvents, int numCandidates) {
    List<Request> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      requests.add(request(numEvents, numCandidates));
    }
    return requests;
  }

  private Request request(int numEvents, int numCandidates) {
    long[] items = items(numEvents);
    long[] actions = new long[numEvents];
    long[] times = new long[numEvents];
    long time = 1_700_000_000;
    for (int i = 0; i < numEvents; i++) {
      actions[i] = random.nextInt(NUM_ACTIONS);
      time += random.nextInt(3600);
      times[i] = time;
    }
    History history =
        History.builder(schema).longs("item", items).longs("action", actions).times(times).build();
    Candidates candidates = Candidates.builder(schema).longs("item", items(numCandidates)).build();
    float[] clicks = new float[numCandidates];
    for (int c = 0; c < numCandidates; c++) {
      clicks[c] = random.nextInt(2);
    }
    return Request.builder(history, candidates)
        .user("user", random.nextInt(NUM_USERS))
        .referenceTime(time + 60)
        .labels("click", clicks)
        .build();
  }

  /** Log-uniform ranks: a few items are everywhere, most are rare. */
  private long[] items(int count) {
    long[] items = new long[count];
    for (int i = 0; i < count; i++) {
      items[i] = (long) Math.pow(NUM_ITEMS, random.nextDouble()) - 1;
    }
    return items;
  }
}
