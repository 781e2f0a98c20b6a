package ai.longer.torch;

import ai.longer.LongerConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A ragged batch laid out as rectangles: every request has {@code numGroups} groups of K slots, its
 * newest group last, and {@code numCandidates} candidate rows, its own first.
 */
final class PaddedBatch {
  /** No event stands in this slot. */
  static final int PAD = -1;

  private final LongerConfig config;
  private final RequestBatch batch;
  private final List<Window> windows = new ArrayList<>();

  /** S, Q and C of the rectangles. */
  final int numGroups;

  final int numQueries;
  final int numCandidates;

  /** [B, S·K] index of the event in the ragged batch, or {@link #PAD}. */
  final int[] events;

  /** [B, S·K] rows of the position and the time table; 0 in pads. */
  final long[] positions;

  final long[] buckets;

  /** [B] row of the user global's time table. */
  final long[] userBuckets;

  /** Every request has the same number of groups, queries and candidates and no pad slot. */
  final boolean isUniform;

  PaddedBatch(LongerConfig config, RequestBatch batch) {
    this.config = config;
    this.batch = batch;
    int groups = 0;
    int queries = 0;
    int candidates = 0;
    int numRequests = batch.numRequests();
    this.userBuckets = new long[numRequests];
    for (int b = 0; b < numRequests; b++) {
      Window window = Window.of(config, batch, b);
      windows.add(window);
      userBuckets[b] = window.userBucket();
      groups = Math.max(groups, window.numGroups());
      queries = Math.max(queries, numQueries(window));
      candidates = Math.max(candidates, batch.numCandidates(b));
    }
    this.numGroups = groups;
    this.numQueries = queries;
    this.numCandidates = candidates;
    int slots = groups * config.mergeFactor();
    this.events = new int[numRequests * slots];
    this.positions = new long[events.length];
    this.buckets = new long[events.length];
    Arrays.fill(events, PAD);
    boolean uniform = true;
    for (int b = 0; b < numRequests; b++) {
      Window window = windows.get(b);
      place(b, window);
      uniform &= window.numEvents() == slots && batch.numCandidates(b) == candidates;
    }
    this.isUniform = uniform;
  }

  int numRequests() {
    return batch.numRequests();
  }

  /** S·K. */
  int numSlots() {
    return numGroups * config.mergeFactor();
  }

  /** Whether request {@code b} has a group in column {@code group} of the rectangle. */
  boolean hasGroup(int b, int group) {
    return group >= numGroups - windows.get(b).numGroups();
  }

  /** Whether request {@code b} uses column {@code group} as a query row. */
  boolean hasQuery(int b, int group) {
    return group >= numGroups - numQueries(windows.get(b));
  }

  /** Whether every request reads the same position in the same slot. */
  boolean sharesPositions() {
    int slots = numSlots();
    for (int i = slots; i < positions.length; i++) {
      if (positions[i] != positions[i - slots]) {
        return false;
      }
    }
    return true;
  }

  private void place(int b, Window window) {
    int firstGroup = numGroups - window.numGroups();
    int begin = batch.eventOffsets()[b] + window.firstEvent();
    for (int i = 0; i < window.numEvents(); i++) {
      int group = firstGroup + window.groups()[i];
      int slot = (b * numGroups + group) * config.mergeFactor() + window.slots()[i];
      events[slot] = begin + i;
      positions[slot] = window.positions()[i];
      buckets[slot] = window.buckets()[i];
    }
  }

  /** Groups start … S − 1, start = ⌊max(0, S − k) / w⌋ · w. */
  private int numQueries(Window window) {
    int surplus = Math.max(0, window.numGroups() - config.queries());
    int start = surplus / config.queryBlock() * config.queryBlock();
    return window.numGroups() - start;
  }
}
