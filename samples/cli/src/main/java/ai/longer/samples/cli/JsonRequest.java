package ai.longer.samples.cli;

import ai.longer.data.Request;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request that {@link RequestReader} read.
 *
 * @param number of the request in its input, from 1
 * @param id what the request calls itself, a text or number, or null
 * @param request what to rank
 * @param events columns of the history as they were written
 * @param candidates columns of the candidates as they were written
 */
record JsonRequest(
    int number,
    @Nullable Object id,
    Request request,
    List<JsonColumn> events,
    List<JsonColumn> candidates) {
  /** How people call it. */
  String title() {
    return id == null ? "request " + number : "request " + number + " (" + id + ")";
  }

  /** Starts a JSON object about this request. */
  Map<String, @Nullable Object> json() {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("request", number);
    if (id != null) {
      json.put("id", id);
    }
    return json;
  }

  Map<String, @Nullable Object> event(int event) {
    return row(events, event);
  }

  Map<String, @Nullable Object> candidate(int candidate) {
    return row(candidates, candidate);
  }

  private static Map<String, @Nullable Object> row(List<JsonColumn> columns, int row) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    columns.forEach(column -> values.put(column.feature().name(), column.values().get(row)));
    return values;
  }
}
