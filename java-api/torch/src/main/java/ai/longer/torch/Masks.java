package ai.longer.torch;

/**
 * Who sees whom (LONGER §3.5), as additive masks: 0 = sees, −∞ = does not.
 *
 * <p>Rows of a request are its merged tokens, oldest first, then the CLS tokens, the user global
 * and the candidates. Pad rows see themselves, so that their softmax is finite; no row of a request
 * sees a pad.
 */
final class Masks {
  private Masks() {}

  /**
   * Cross-causal layer: the last {@code numQueryRows} rows look at all rows.
   *
   * @return [B or 1, queries, S + G + C]; one mask for all requests of a uniform batch
   */
  static float[] cross(PaddedBatch batch, int numGlobals, int numQueryRows) {
    return visibility(batch, numGlobals, numQueryRows, batch.numGroups, false);
  }

  /**
   * Self-causal layers: the last {@code numQueryRows} rows look at the query rows, globals and
   * candidates.
   */
  static float[] self(PaddedBatch batch, int numGlobals, int numQueryRows) {
    return visibility(batch, numGlobals, numQueryRows, batch.numQueries, true);
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

  private static float[] visibility(
      PaddedBatch batch,
      int numGlobals,
      int numQueryRows,
      int numSequenceRows,
      boolean queriesOnly) {
    int numRows = numSequenceRows + numGlobals + batch.numCandidates;
    int numMasks = batch.isUniform ? 1 : batch.numRequests();
    int firstColumn = batch.numGroups - numSequenceRows;
    float[] mask = new float[numMasks * numQueryRows * numRows];
    int at = 0;
    for (int b = 0; b < numMasks; b++) {
      for (int query = numRows - numQueryRows; query < numRows; query++) {
        for (int key = 0; key < numRows; key++) {
          boolean sees = key == query;
          if (key < numSequenceRows) {
            int column = firstColumn + key;
            boolean exists = queriesOnly ? batch.hasQuery(b, column) : batch.hasGroup(b, column);
            sees |= exists && key <= query;
          } else if (key < numSequenceRows + numGlobals) {
            sees |= key <= query;
          }
          mask[at++] = value(sees);
        }
      }
    }
    return mask;
  }

  private static float value(boolean sees) {
    return sees ? 0F : Float.NEGATIVE_INFINITY;
  }
}
