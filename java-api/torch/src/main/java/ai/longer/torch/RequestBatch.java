package ai.longer.torch;

import ai.longer.Schema;
import ai.longer.data.Column;
import ai.longer.data.History;
import ai.longer.data.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * A ragged batch as plain arrays, events oldest first.
 *
 * @param eventOffsets [B+1] first event of each request, starting at 0
 * @param candidateOffsets [B+1] first candidate of each request, starting at 0
 * @param events [event features] of ΣL rows
 * @param eventTimes [ΣL] epoch seconds, non-decreasing inside a request
 * @param firstOrdinals [B] ordinal of each request's first event
 * @param referenceTimes [B] epoch seconds
 * @param users [user then context features] of B rows
 * @param candidates [candidate features] of ΣC rows
 * @param labels [tasks][ΣC] in 0…1, NaN = missing; null when only scores are wanted
 * @param weights [ΣC]
 */
record RequestBatch(
    int[] eventOffsets,
    int[] candidateOffsets,
    List<FeatureColumn> events,
    long[] eventTimes,
    long[] firstOrdinals,
    long[] referenceTimes,
    List<FeatureColumn> users,
    List<FeatureColumn> candidates,
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
    RequestBatch batch =
        new RequestBatch(
            eventOffsets,
            candidateOffsets,
            columns(schema.eventFeatures(), requests, (r, f) -> r.history().column(f)),
            new long[numEvents],
            new long[numRequests],
            new long[numRequests],
            columns(new Features(schema).ofUsers(), requests, Request::userColumn),
            columns(schema.candidateFeatures(), requests, (r, f) -> r.candidates().column(f)),
            hasLabels ? new float[schema.tasks().size()][numCandidates] : null,
            new float[numCandidates]);
    for (int b = 0; b < numRequests; b++) {
      batch.copy(b, requests.get(b));
    }
    return batch;
  }

  private static List<FeatureColumn> columns(
      List<Schema.Feature> features,
      List<Request> requests,
      BiFunction<Request, Integer, Column> column) {
    List<FeatureColumn> columns = new ArrayList<>();
    for (int f = 0; f < features.size(); f++) {
      int feature = f;
      List<Column> ofRequests =
          requests.stream().map(request -> column.apply(request, feature)).toList();
      columns.add(FeatureColumn.of(features.get(f).kind(), ofRequests));
    }
    return columns;
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
    System.arraycopy(history.times(), 0, eventTimes, eventOffsets[b], history.size());
    firstOrdinals[b] = history.firstOrdinal();
    referenceTimes[b] = request.referenceTime();
    int begin = candidateOffsets[b];
    int count = numCandidates(b);
    System.arraycopy(request.weights(), 0, weights, begin, count);
    if (labels != null) {
      for (int task = 0; task < labels.length; task++) {
        System.arraycopy(request.labels(task), 0, labels[task], begin, count);
      }
    }
  }
}
