package ai.longer.torch;

import ai.longer.Anchor;
import ai.longer.LongerConfig;
import ai.longer.Schema;
import ai.longer.data.Candidates;
import ai.longer.data.Column;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.data.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;

/**
 * Random labelled requests with few ids, so that ids repeat, missing values and labels and unequal
 * weights.
 */
final class RandomRequests {
  /** An id that no request has. */
  static final long UNKNOWN_ID = 1000;

  private static final int NUM_IDS = 9;

  private final LongerConfig config;
  private final Schema schema;
  private final Random random;
  private boolean hasMissing = true;

  RandomRequests(LongerConfig config, long seed) {
    this.config = config;
    this.schema = config.schema();
    this.random = new Random(seed);
  }

  /**
   * Histories longer than the window, empty, shorter than a group, of full groups; one request has
   * no candidate.
   */
  List<Request> ragged() {
    return requests(new int[] {5, 0, 30, 8, 1, 22, 17}, new int[] {2, 1, 3, 0, 4, 1, 2});
  }

  /** Every request fills its groups and has the same number of candidates and all its values. */
  List<Request> uniform() {
    hasMissing = false;
    return requests(new int[] {20, 20, 20}, new int[] {3, 3, 3});
  }

  /** No request has a history. */
  List<Request> withoutHistories() {
    return requests(new int[] {0, 0}, new int[] {2, 1});
  }

  /** The same request with one of its candidates and no label. */
  static Request withCandidate(Request request, int candidate) {
    Schema schema = request.schema();
    Request.Builder alone =
        Request.builder(request.history(), request.candidates().slice(candidate, candidate + 1))
            .referenceTime(request.referenceTime());
    int column = 0;
    for (Schema.Feature feature : schema.userFeatures()) {
      alone.user(feature.name(), value(request.userColumn(column++)));
    }
    for (Schema.Feature feature : schema.contextFeatures()) {
      alone.context(feature.name(), value(request.userColumn(column++)));
    }
    return alone.build();
  }

  private static Value value(Column row) {
    if (row.isMissing(0)) {
      return Value.missing();
    }
    return switch (row.kind()) {
      case CATEGORICAL -> Value.id(row.id(0));
      case MANY_VALUED -> Value.ids(row.ids(0));
      case NUMERIC -> Value.number(row.number(0));
    };
  }

  private List<Request> requests(int[] numEvents, int[] numCandidates) {
    List<Request> requests = new ArrayList<>();
    for (int b = 0; b < numEvents.length; b++) {
      boolean hasEarlierEvents = config.anchor() == Anchor.OLDEST && b % 2 == 1;
      requests.add(request(numEvents[b], numCandidates[b], hasEarlierEvents));
    }
    return requests;
  }

  private Request request(int numEvents, int numCandidates, boolean hasEarlierEvents) {
    long[] times = new long[numEvents];
    long time = 1_000_000;
    for (int i = 0; i < numEvents; i++) {
      time += random.nextInt(2000);
      times[i] = time;
    }
    History.Builder history =
        History.builder(schema)
            .times(times)
            .firstOrdinal(hasEarlierEvents ? random.nextInt(40) : 0);
    for (Schema.Feature feature : schema.eventFeatures()) {
      switch (feature.kind()) {
        case CATEGORICAL -> history.longs(feature.name(), ids(numEvents), missing(numEvents));
        case MANY_VALUED -> history.longs(feature.name(), manyIds(numEvents));
        case NUMERIC -> history.floats(feature.name(), numbers(numEvents));
      }
    }
    Candidates.Builder candidates = Candidates.builder(schema);
    for (Schema.Feature feature : schema.candidateFeatures()) {
      switch (feature.kind()) {
        case CATEGORICAL ->
            candidates.longs(feature.name(), ids(numCandidates), missing(numCandidates));
        case MANY_VALUED -> candidates.longs(feature.name(), manyIds(numCandidates));
        case NUMERIC -> candidates.floats(feature.name(), numbers(numCandidates));
      }
    }
    Request.Builder request =
        Request.builder(history.build(), candidates.build())
            .referenceTime(time + random.nextInt(5000))
            .weights(weights(numCandidates));
    schema.userFeatures().forEach(feature -> request.user(feature.name(), value(feature)));
    schema.contextFeatures().forEach(feature -> request.context(feature.name(), value(feature)));
    schema.tasks().forEach(task -> request.labels(task.name(), labels(numCandidates)));
    return request.build();
  }

  private Value value(Schema.Feature feature) {
    if (hasMissing && random.nextInt(4) == 0) {
      return Value.missing();
    }
    return switch (feature.kind()) {
      case CATEGORICAL -> Value.id(ids(1)[0]);
      case MANY_VALUED -> Value.ids(manyIds(1)[0]);
      case NUMERIC -> Value.number(random.nextGaussian());
    };
  }

  /** Rows without a value, some of them. */
  private BitSet missing(int count) {
    BitSet missing = new BitSet();
    for (int i = 0; i < count; i++) {
      missing.set(i, hasMissing && random.nextInt(5) == 0);
    }
    return missing;
  }

  /** None to three ids a row, the same twice at times. */
  private long[][] manyIds(int count) {
    long[][] ids = new long[count][];
    Arrays.setAll(ids, i -> ids(random.nextInt(4)));
    return ids;
  }

  private float[] numbers(int count) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      boolean isMissing = hasMissing && random.nextInt(5) == 0;
      numbers[i] = isMissing ? Float.NaN : 2F + (float) random.nextGaussian();
    }
    return numbers;
  }

  private long[] ids(int count) {
    return random.longs(count, 0, NUM_IDS).toArray();
  }

  private float[] labels(int count) {
    float[] labels = new float[count];
    for (int i = 0; i < count; i++) {
      labels[i] = i % 3 == 2 ? Float.NaN : random.nextInt(4) / 3F;
    }
    return labels;
  }

  private float[] weights(int count) {
    float[] weights = new float[count];
    for (int i = 0; i < count; i++) {
      weights[i] = random.nextInt(8) == 0 ? 0F : 0.25F + random.nextFloat();
    }
    return weights;
  }
}
