package ai.longer.torch;

import ai.longer.GlobalVisibility;
import ai.longer.LongerConfig;

/**
 * Who sees whom (LONGER §3.5), as additive masks: 0 = sees, −∞ = does not.
 *
 * <p>Rows of a request are its merged side, oldest first, then its side rows: CLS tokens, user
 * tokens where all candidates share them, and each candidate's own rows. Every row sees itself, so
 * that the softmax of a pad is finite; no row of a request sees a pad.
 */
final class Masks {
  private final PaddedBatch batch;
  private final boolean seesWholeBlock;
  private final int numRequestRows;
  private final int rowsPerCandidate;

  Masks(LongerConfig config, PaddedBatch batch) {
    this.batch = batch;
    this.seesWholeBlock = config.globalVisibility() == GlobalVisibility.FULL;
    this.numRequestRows = config.numRequestRows();
    this.rowsPerCandidate = config.rowsPerCandidate();
  }

  /**
   * Cross-causal layer: the query rows, if wanted, and the side rows look at all rows.
   *
   * @return [{@link #count}, queries, keys]
   */
  float[] cross(boolean withQueries) {
    return mask(withQueries, batch.numMergedRows, false);
  }

  /** Self-causal layers: as {@link #cross}, but of the merged side the keys are the query rows. */
  float[] self(boolean withQueries) {
    return mask(withQueries, batch.numQueries, true);
  }

  /** Slots of a group: [B · S, K, K], each slot sees the group's events. */
  static float[] slots(PaddedBatch batch, int mergeFactor) {
    int numGroups = batch.numRequests() * batch.numGroups;
    float[] mask = new float[numGroups * mergeFactor * mergeFactor];
    int at = 0;
    for (int group = 0; group < numGroups; group++) {
      for (int query = 0; query < mergeFactor; query++) {
        for (int key = 0; key < mergeFactor; key++) {
          boolean isEvent = batch.events[group * mergeFactor + key] != PaddedBatch.PAD;
          mask[at++] = value(isEvent || key == query);
        }
      }
    }
    return mask;
  }

  /** One for each request, or one for all of a uniform batch. */
  int count() {
    return batch.isUniform ? 1 : batch.numRequests();
  }

  private float[] mask(boolean withQueries, int numMergedKeys, boolean keysAreQueries) {
    int numQueries = withQueries ? batch.numQueries : 0;
    int numSideRows = batch.numSideRows();
    float[] mask = new float[count() * (numQueries + numSideRows) * (numMergedKeys + numSideRows)];
    int at = 0;
    for (int b = 0; b < count(); b++) {
      for (int query = 0; query < numQueries; query++) {
        int queryColumn = batch.queryColumn(b, query);
        for (int key = 0; key < numMergedKeys; key++) {
          int column = keysAreQueries ? batch.queryColumn(b, key) : key;
          boolean isSelf = keysAreQueries ? key == query : column == queryColumn;
          boolean exists = keysAreQueries ? batch.hasQuery(b, key) : batch.hasMergedRow(b, key);
          mask[at++] = value(isSelf || (exists && column <= queryColumn));
        }
        for (int key = 0; key < numSideRows; key++) {
          mask[at++] = value(false);
        }
      }
      for (int query = 0; query < numSideRows; query++) {
        for (int key = 0; key < numMergedKeys; key++) {
          mask[at++] = value(keysAreQueries ? batch.hasQuery(b, key) : batch.hasMergedRow(b, key));
        }
        for (int key = 0; key < numSideRows; key++) {
          mask[at++] = value(sideRowSees(query, key));
        }
      }
    }
    return mask;
  }

  private boolean sideRowSees(int query, int key) {
    if (key < numRequestRows) {
      return key <= query;
    }
    boolean ofOneCandidate = query >= numRequestRows && candidate(query) == candidate(key);
    return ofOneCandidate && (seesWholeBlock || key <= query);
  }

  private int candidate(int sideRow) {
    return (sideRow - numRequestRows) / rowsPerCandidate;
  }

  private static float value(boolean sees) {
    return sees ? 0F : Float.NEGATIVE_INFINITY;
  }
}
