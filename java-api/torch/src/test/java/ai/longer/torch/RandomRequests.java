package ai.longer.torch;

import java.util.Random;

/**
 * Batches of random requests with few ids, so that ids repeat, missing labels and unequal weights.
 */
final class RandomRequests {
  private static final int NUM_IDS = 9;

  private final ModelShape shape;
  private final Random random;

  RandomRequests(ModelShape shape, long seed) {
    this.shape = shape;
    this.random = new Random(seed);
  }

  /**
   * Histories longer than the window, empty, shorter than a group, and full groups; some without
   * candidates.
   */
  RequestBatch ragged() {
    return batch(new int[] {5, 0, 30, 8, 1, 22, 17}, new int[] {2, 1, 3, 0, 4, 1, 2});
  }

  /** Every request fills its groups and has the same number of candidates. */
  RequestBatch uniform() {
    return batch(new int[] {20, 20, 20}, new int[] {3, 3, 3});
  }

  /** No request has a history. */
  RequestBatch withoutHistories() {
    return batch(new int[] {0, 0}, new int[] {2, 1});
  }

  RequestBatch batch(int[] numEvents, int[] numCandidates) {
    int numRequests = numEvents.length;
    int[] eventOffsets = offsets(numEvents);
    int[] candidateOffsets = offsets(numCandidates);
    long[] times = new long[eventOffsets[numRequests]];
    long[] references = new long[numRequests];
    long[] ordinals = new long[numRequests];
    for (int b = 0; b < numRequests; b++) {
      long time = 1_000_000;
      for (int i = eventOffsets[b]; i < eventOffsets[b + 1]; i++) {
        time += random.nextInt(2000);
        times[i] = time;
      }
      references[b] = time + random.nextInt(5000);
      ordinals[b] = shape.anchoredAtOldest() && b % 2 == 1 ? random.nextInt(40) : 0;
    }
    int candidates = candidateOffsets[numRequests];
    return new RequestBatch(
        eventOffsets,
        candidateOffsets,
        ids(shape.eventFeatures().size(), times.length),
        times,
        ordinals,
        references,
        ids(shape.userFeatures().size(), numRequests),
        ids(shape.candidateFeatures().size(), candidates),
        labels(candidates),
        weights(candidates));
  }

  private long[][] ids(int numFeatures, int count) {
    long[][] ids = new long[numFeatures][count];
    for (long[] column : ids) {
      for (int i = 0; i < count; i++) {
        column[i] = random.nextInt(NUM_IDS);
      }
    }
    return ids;
  }

  private float[][] labels(int count) {
    float[][] labels = new float[shape.numTasks()][count];
    for (float[] column : labels) {
      for (int i = 0; i < count; i++) {
        column[i] = i % 5 == 3 ? Float.NaN : random.nextInt(4) / 3F;
      }
    }
    return labels;
  }

  private float[] weights(int count) {
    float[] weights = new float[count];
    for (int i = 0; i < count; i++) {
      weights[i] = i % 7 == 2 ? 0F : 0.25F + random.nextFloat();
    }
    return weights;
  }

  private static int[] offsets(int[] counts) {
    int[] offsets = new int[counts.length + 1];
    for (int i = 0; i < counts.length; i++) {
      offsets[i + 1] = offsets[i] + counts[i];
    }
    return offsets;
  }

  /** Request {@code b} of a batch on its own. */
  static RequestBatch only(RequestBatch batch, int b) {
    int e0 = batch.eventOffsets()[b];
    int e1 = batch.eventOffsets()[b + 1];
    int c0 = batch.candidateOffsets()[b];
    int c1 = batch.candidateOffsets()[b + 1];
    return new RequestBatch(
        new int[] {0, e1 - e0},
        new int[] {0, c1 - c0},
        slice(batch.eventIds(), e0, e1),
        java.util.Arrays.copyOfRange(batch.eventTimes(), e0, e1),
        new long[] {batch.firstOrdinals()[b]},
        new long[] {batch.referenceTimes()[b]},
        slice(batch.userIds(), b, b + 1),
        slice(batch.candidateIds(), c0, c1),
        null,
        null);
  }

  private static long[][] slice(long[][] columns, int begin, int end) {
    long[][] slice = new long[columns.length][];
    for (int f = 0; f < columns.length; f++) {
      slice[f] = java.util.Arrays.copyOfRange(columns[f], begin, end);
    }
    return slice;
  }
}
