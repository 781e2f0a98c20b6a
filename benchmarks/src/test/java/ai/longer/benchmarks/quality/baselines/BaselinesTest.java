package ai.longer.benchmarks.quality.baselines;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import ai.longer.benchmarks.quality.Learner;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.training.TrainerOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every baseline: shapes, padding, what it reads of the history, and that it can learn. */
class BaselinesTest {
  private static final int MAX_HISTORY = 130;

  private static final Schema SCHEMA =
      Schema.builder()
          .table("item", 8)
          .table("user", 4)
          .denseTable("action", 4, 3)
          .event("item", "item")
          .event("action", "action")
          .user("user", "user")
          .candidate("item", "item")
          .task("click")
          .build();

  private static final LongerConfig CONFIG =
      LongerConfig.builder(SCHEMA)
          .maxHistory(MAX_HISTORY)
          .eventWidth(16)
          .mergeFactor(1)
          .innerTransformer(false)
          .heads(2)
          .selfLayers(1)
          .build();

  private static Learner create(String kind) {
    TrainerOptions options =
        TrainerOptions.builder().learningRate(5e-3).tableLearningRate(0.1).seed(3).build();
    return Baselines.create(kind, CONFIG, options, 1);
  }

  private static Request request(long seed, int numEvents, int numCandidates) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] items = random.longs(numEvents, 0, 40).toArray();
    long[] actions = random.longs(numEvents, 0, 3).toArray();
    long[] times = new long[numEvents];
    for (int i = 0; i < numEvents; i++) {
      times[i] = 1000L * i;
    }
    float[] clicks = new float[numCandidates];
    for (int c = 0; c < numCandidates; c++) {
      clicks[c] = random.nextInt(2);
    }
    return Request.builder(
            History.builder(SCHEMA)
                .longs("item", items)
                .longs("action", actions)
                .times(times)
                .build(),
            Candidates.builder(SCHEMA)
                .longs("item", random.longs(numCandidates, 0, 40).toArray())
                .build())
        .user("user", seed % 5)
        .referenceTime(1000L * numEvents + 5)
        .labels("click", clicks)
        .groupKey(seed)
        .build();
  }

  /** Histories of other lengths, none and longer than the window among them. */
  private static List<Request> ragged() {
    int[] events = {3, 0, 1, 120, 150, 40};
    List<Request> requests = new ArrayList<>();
    for (int i = 0; i < events.length; i++) {
      requests.add(request(i, events[i], 1 + i % 3));
    }
    return requests;
  }

  @ParameterizedTest
  @ValueSource(strings = {"sum-pooling", "din", "twin", "sasrec", "hstu"})
  void paddingDoesNotChangeScores(String kind) {
    try (Learner learner = create(kind)) {
      learner.step(ragged());
      float[] together = learner.predict(ragged());
      int at = 0;
      for (Request request : ragged()) {
        float[] alone = learner.predict(List.of(request));
        assertEquals(request.candidates().size(), alone.length);
        for (float score : alone) {
          assertEquals(score, together[at++], 2e-6f, kind + " " + request);
        }
      }
      assertEquals(together.length, at);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sum-pooling", "din", "twin", "sasrec", "hstu"})
  void aHandfulOfRequestsIsLearntByHeart(String kind) {
    List<Request> requests = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      requests.add(request(100 + i, 5 + 3 * i, 2));
    }
    try (Learner learner = create(kind)) {
      double first = learner.step(requests);
      double last = first;
      for (int step = 0; step < 150; step++) {
        last = learner.step(requests);
      }
      assertTrue(first > 0.5, kind + " starts at " + first);
      assertTrue(last < 0.05, kind + " ends at " + last);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sum-pooling", "din", "twin", "sasrec", "hstu"})
  void oldEventsInsideTheWindowMatterAndThoseBeforeItDoNot(String kind) {
    Request request = request(7, 200, 3);
    History history = request.history();
    int first = 200 - MAX_HISTORY;
    try (Learner learner = create(kind)) {
      for (int step = 0; step < 5; step++) {
        learner.step(List.of(request));
      }
      float[] full = learner.predict(List.of(request));
      Request inside = request.withHistory(history.slice(first, 200));
      assertArrayEquals(full, learner.predict(List.of(inside)), 1e-6f);
      Request newest = request.withHistory(history.tail(20));
      assertTrue(differs(full, learner.predict(List.of(newest))), kind);
    }
  }

  /** Of 120 events the search hands on 100. */
  @Test
  void theSearchKeepsTheBestEvents() {
    Request request = request(11, 120, 1);
    try (Learner learner = create("twin")) {
      for (int step = 0; step < 20; step++) {
        learner.step(List.of(request));
      }
      float[] before = learner.predict(List.of(request));
      int unread = 0;
      for (int i = 0; i < 120; i++) {
        Request without = replaceItem(request, i, 999);
        unread += differs(before, learner.predict(List.of(without))) ? 0 : 1;
      }
      // 20 events are not found; replacing one of them may lift it among those that are.
      assertTrue(unread >= 5 && unread <= 20, unread + " events were not read");
    }
  }

  private static Request replaceItem(Request request, int event, long item) {
    History history = request.history();
    long[] items = history.longs("item");
    items[event] = item;
    return request.withHistory(
        History.builder(SCHEMA)
            .longs("item", items)
            .longs("action", history.longs("action"))
            .times(history.times())
            .build());
  }

  private static boolean differs(float[] left, float[] right) {
    for (int i = 0; i < left.length; i++) {
      if (Math.abs(left[i] - right[i]) > 1e-7) {
        return true;
      }
    }
    return false;
  }

  @ParameterizedTest
  @ValueSource(strings = {"sum-pooling", "sasrec"})
  void whoIgnoresTheCandidateInTheHistoryScoresTheSameCandidateTheSame(String kind) {
    Request two = request(5, 30, 2);
    long item = two.candidates().id(0, 0);
    Candidates twice = Candidates.builder(SCHEMA).longs("item", new long[] {item, item}).build();
    Request same =
        Request.builder(two.history(), twice).user("user", 0).referenceTime(40_000).build();
    try (Learner learner = create(kind)) {
      float[] scores = learner.predict(List.of(same));
      assertEquals(scores[0], scores[1]);
    }
  }

  @Test
  void flopsGrowAsTheModelsDo() {
    Request shorter = request(1, 50, 4);
    Request longer = request(1, 100, 4);
    try (Learner sum = create("sum-pooling");
        Learner transformer = create("sasrec")) {
      double linear = sum.flops(longer) / sum.flops(shorter);
      double quadratic = transformer.flops(longer) / transformer.flops(shorter);
      assertTrue(linear < 2 && quadratic > 2, linear + " and " + quadratic);
      assertEquals(sum.flops(request(1, 130, 4)), sum.flops(request(1, 190, 4)));
    }
  }

  @Test
  void parametersAreCounted() {
    try (Learner learner = create("sum-pooling")) {
      long dense =
          MAX_HISTORY * 12 // positions
              + 33 * 16 * 2 // time buckets of events and user
              + 32 * 28
              + 32
              + 16 * 32
              + 16 // event MLP
              + 16 * 20
              + 16 // user
              + 16 * 8
              + 16 // candidate
              + 16 * 2 // norm
              + 16 * 48
              + 16
              + 16
              + 1 // head
              + 4 * 4; // actions
      long rows = 8 + 4; // out of vocabulary
      assertEquals(dense + rows, learner.parameters());
    }
  }

  @Test
  void anUnknownKindIsNamed() {
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> create("gru"));
    assertTrue(String.valueOf(error.getMessage()).contains("\"gru\""));
  }
}
