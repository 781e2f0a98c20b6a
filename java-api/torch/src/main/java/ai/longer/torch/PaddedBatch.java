package ai.longer.torch;

import ai.longer.LongerConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A ragged batch laid out as rectangles: every request has {@code numGroups} groups of K slots, its
 * newest group last, {@code numQueries} query rows, its newest last, and {@code numCandidates}
 * candidates, its own first.
 */
final class PaddedBatch {
  /** No event stands in this slot. */
  static final int PAD = -1;

  private final LongerConfig config;
  private final RequestBatch batch;
  private final List<Window> windows = new ArrayList<>();

  /** [B][queries of the request] columns of the merged side. */
  private final int[][] queryColumns;

  /** S, columns of the merged side (groups, then learned rows), Q and C of the rectangles. */
  final int numGroups;

  final int numMergedRows;
  final int numQueries;
  final int numCandidates;

  /** [B, S·K] index of the event in the ragged batch, or {@link #PAD}. */
  final int[] events;

  /** [B, S·K] rows of the position and the time table; 0 in pads. */
  final long[] positions;

  final long[] buckets;

  /** [B] row of the user tokens' time table. */
  final long[] userBuckets;

  /** Every request has the same number of groups, queries and candidates and no pad slot. */
  final boolean isUniform;

  /** The query rows of every request are the last columns of the merged side. */
  final boolean queriesAreLast;

  PaddedBatch(LongerConfig config, RequestBatch batch) {
    this.config = config;
    this.batch = batch;
    int groups = 0;
    int candidates = 0;
    int numRequests = batch.numRequests();
    this.userBuckets = new long[numRequests];
    for (int b = 0; b < numRequests; b++) {
      Window window = Window.of(config, batch, b);
      windows.add(window);
      userBuckets[b] = window.userBucket();
      groups = Math.max(groups, window.numGroups());
      candidates = Math.max(candidates, batch.numCandidates(b));
    }
    this.numGroups = groups;
    this.numMergedRows = QueryRows.numMergedRows(config, groups);
    this.queryColumns = new int[numRequests][];
    int queries = 0;
    for (int b = 0; b < numRequests; b++) {
      int numRows = windows.get(b).numGroups();
      queryColumns[b] = QueryRows.of(config, numRows);
      for (int i = 0; i < queryColumns[b].length; i++) {
        queryColumns[b][i] += groups - numRows;
      }
      queries = Math.max(queries, queryColumns[b].length);
    }
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
    this.queriesAreLast = queriesAreLast();
  }

  int numRequests() {
    return batch.numRequests();
  }

  /** S·K. */
  int numSlots() {
    return numGroups * config.mergeFactor();
  }

  /** Side rows of a request: those it has once, then those of each candidate. */
  int numSideRows() {
    return config.numRequestRows() + numCandidates * config.rowsPerCandidate();
  }

  /** Whether request {@code b} has a row in column {@code column} of the merged side. */
  boolean hasMergedRow(int b, int column) {
    return column >= numGroups - windows.get(b).numGroups();
  }

  /** Whether request {@code b} has a query in row {@code query} of the rectangle. */
  boolean hasQuery(int b, int query) {
    return query >= numQueries - queryColumns[b].length;
  }

  /** Column of the merged side that is query row {@code query}; 0 where there is none. */
  int queryColumn(int b, int query) {
    return hasQuery(b, query) ? queryColumns[b][query - numQueries + queryColumns[b].length] : 0;
  }

  /** Query rows of request {@code b}. */
  int numQueries(int b) {
    return queryColumns[b].length;
  }

  /** The slots of a group's events, for dropout in a layer of the InnerTransformer. */
  Dropout.Rows slotRows(Dropout dropout, int layer) {
    int[] requests = new int[events.length];
    int[] ordinals = new int[events.length];
    for (int i = 0; i < events.length; i++) {
      int b = i / numSlots();
      requests[i] = b;
      if (events[i] != PAD) {
        ordinals[i] = events[i] - batch.eventOffsets()[b] - windows.get(b).firstEvent();
      }
    }
    return new Dropout.Rows(dropout, layer, requests, ordinals);
  }

  /** The query rows, if computed, and the side rows, for dropout in a layer. */
  Dropout.Rows outputRows(Dropout dropout, int layer, boolean withQueries) {
    int queries = withQueries ? numQueries : 0;
    int numRows = queries + numSideRows();
    int[] requests = new int[numRequests() * numRows];
    int[] ordinals = new int[requests.length];
    for (int i = 0; i < requests.length; i++) {
      int b = i / numRows;
      int row = i % numRows;
      requests[i] = b;
      ordinals[i] =
          row < queries
              ? queryColumn(b, row) - (numGroups - windows.get(b).numGroups())
              : Dropout.FIRST_SIDE_ROW + row - queries;
    }
    return new Dropout.Rows(dropout, layer, requests, ordinals);
  }

  /** The candidates, for dropout in the head. */
  Dropout.Rows candidateRows(Dropout dropout) {
    int[] requests = new int[numRequests() * numCandidates];
    int[] ordinals = new int[requests.length];
    for (int i = 0; i < requests.length; i++) {
      requests[i] = i / numCandidates;
      ordinals[i] = i % numCandidates;
    }
    return new Dropout.Rows(dropout, 0, requests, ordinals);
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

  private boolean queriesAreLast() {
    for (int b = 0; b < numRequests(); b++) {
      for (int query = numQueries - numQueries(b); query < numQueries; query++) {
        if (queryColumn(b, query) != numMergedRows - numQueries + query) {
          return false;
        }
      }
    }
    return true;
  }
}
