package ai.longer.torch;

import org.jspecify.annotations.Nullable;

/**
 * A ragged batch as plain arrays, events oldest first.
 *
 * @param eventOffsets [B+1] first event of each request, starting at 0
 * @param candidateOffsets [B+1] first candidate of each request, starting at 0
 * @param eventIds [event features][ΣL]
 * @param eventTimes [ΣL] epoch seconds, non-decreasing inside a request
 * @param firstOrdinals [B] ordinal of each request's first event
 * @param referenceTimes [B] epoch seconds
 * @param userIds [user then context features][B]
 * @param candidateIds [candidate features][ΣC]
 * @param labels [tasks][ΣC] in 0…1, NaN = missing; null when only scores are wanted
 * @param weights [ΣC], null = 1
 */
record RequestBatch(
    int[] eventOffsets,
    int[] candidateOffsets,
    long[][] eventIds,
    long[] eventTimes,
    long[] firstOrdinals,
    long[] referenceTimes,
    long[][] userIds,
    long[][] candidateIds,
    float @Nullable [][] labels,
    float @Nullable [] weights) {

  int numRequests() {
    return eventOffsets.length - 1;
  }

  int numCandidates() {
    return candidateOffsets[numRequests()];
  }

  int numCandidates(int request) {
    return candidateOffsets[request + 1] - candidateOffsets[request];
  }
}
