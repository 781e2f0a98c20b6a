package ai.longer.torch;

import ai.longer.Schema;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import java.util.List;
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
 * @param weights [ΣC]
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
    float[] weights) {

  /**
   * Copies requests; labels are kept when every request has them.
   *
   * @throws IllegalArgumentException if a request was built for another schema
   */
  static RequestBatch of(Schema schema, List<Request> requests) {
    int numRequests = requests.size();
    int[] eventOffsets = new int[numRequests + 1];
    int[] candidateOffsets = new int[numRequests + 1];
    boolean hasLabels = true;
    for (int b = 0; b < numRequests; b++) {
      Request request = requests.get(b);
      if (!request.schema().equals(schema)) {
        throw new IllegalArgumentException("request " + b + " was built for another schema");
      }
      eventOffsets[b + 1] = eventOffsets[b] + request.history().size();
      candidateOffsets[b + 1] = candidateOffsets[b] + request.candidates().size();
      hasLabels &= request.hasLabels();
    }
    int numEvents = eventOffsets[numRequests];
    int numCandidates = candidateOffsets[numRequests];
    int numUserFeatures = schema.userFeatures().size() + schema.contextFeatures().size();
    RequestBatch batch =
        new RequestBatch(
            eventOffsets,
            candidateOffsets,
            new long[schema.eventFeatures().size()][numEvents],
            new long[numEvents],
            new long[numRequests],
            new long[numRequests],
            new long[numUserFeatures][numRequests],
            new long[schema.candidateFeatures().size()][numCandidates],
            hasLabels ? new float[schema.tasks().size()][numCandidates] : null,
            new float[numCandidates]);
    for (int b = 0; b < numRequests; b++) {
      batch.copy(b, requests.get(b));
    }
    return batch;
  }

  int numRequests() {
    return eventOffsets.length - 1;
  }

  int numCandidates() {
    return candidateOffsets[numRequests()];
  }

  int numCandidates(int request) {
    return candidateOffsets[request + 1] - candidateOffsets[request];
  }

  private void copy(int b, Request request) {
    History history = request.history();
    for (int f = 0; f < eventIds.length; f++) {
      for (int i = 0; i < history.size(); i++) {
        eventIds[f][eventOffsets[b] + i] = history.id(f, i);
      }
    }
    System.arraycopy(history.times(), 0, eventTimes, eventOffsets[b], history.size());
    firstOrdinals[b] = history.firstOrdinal();
    referenceTimes[b] = request.referenceTime();
    for (int f = 0; f < userIds.length; f++) {
      userIds[f][b] = request.userId(f);
    }
    Candidates candidates = request.candidates();
    int begin = candidateOffsets[b];
    for (int f = 0; f < candidateIds.length; f++) {
      for (int c = 0; c < candidates.size(); c++) {
        candidateIds[f][begin + c] = candidates.id(f, c);
      }
    }
    System.arraycopy(request.weights(), 0, weights, begin, candidates.size());
    if (labels != null) {
      for (int task = 0; task < labels.length; task++) {
        System.arraycopy(request.labels(task), 0, labels[task], begin, candidates.size());
      }
    }
  }
}
